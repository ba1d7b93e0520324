"""The scans of a JPEG, checked without decoding a pixel, and taken out of their file.

libjpeg makes up what is missing: gray for rows, zero for the detail that missing scans would bring.
It warns of the former and not of the latter. So this module checks that the scans bring every
component in full precision (ITU-T T.81, annexes A and G).

The decoders get the tables, the frame and the scans, and nothing else: stray bytes between
segments, restart markers after the last row, application data and what follows the image do not
reach them.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from image_converter.conversion.jpeg_parser import (
    DECODED,
    DHT,
    DRI,
    EOI,
    FRAMES,
    SOS,
    Component,
    Header,
    Segment,
    SegmentReader,
    has_items,
    second_frame,
)
from image_converter.errors import DamagedImage, UnsupportedImage

# More than any encoder writes; each costs a pass over the whole image, however few bytes it has.
MAX_SCANS = 100

_COEFFICIENTS = 64
_BLOCK_BYTES = 64 * 1024
_BLOCK_SIDE = 8
_SCAN_SIZE, _SCAN_COMPONENT_SIZE = 4, 2
_RESTARTS = range(0xD0, 0xD8)
# What a scan header of a sequential frame has to say: all coefficients, in full precision.
_SEQUENTIAL = bytes((0, _COEFFICIENTS - 1, 0))
# The name of a Huffman table: 0 to 3, and this for one of AC coefficients. After it, how many codes
# there are of each length.
_AC, _CODE_LENGTHS = 0x10, 16

# In entropy-coded data FF is followed by 00 (a stuffed FF) or a restart marker. The plain byte in
# front makes this search as fast as one for that byte.
_MARKER_OR_RESTART = re.compile(rb"\xff[^\x00\xff]")

# Dahua's cameras end a file with this and four bytes of a length, in the place of EOI.
_DAHUA_TRAILER = re.compile(rb"dhav.{4}\Z", re.DOTALL)
_DAHUA_TRAILER_SIZE = 8


class Scans(NamedTuple):
    """The scans of an image, and the image without whatever its decoders do not need.

    Attributes:
        image: a JPEG from SOI to EOI, in pieces: tables, frame, and scans.
        data: where the entropy-coded data of each scan lie in the file.
        end: where the image ends in the file, its EOI included.
        skipped: bytes between segments and after the last row that belong to nothing.
        has_eoi: whether the file has the image's end-of-image marker.
    """

    image: tuple[bytes | memoryview, ...]
    data: tuple[tuple[int, int], ...]
    end: int
    skipped: int
    has_eoi: bool

    def filler(self, jpeg: bytes, count: int) -> int:
        """Returns how many zeros a scan's data end in, or 0 if there are fewer than `count`.

        Encoders end data with one bits, so that longer runs of zeros are hardly ever data.
        """
        for start, end in self.data:
            if jpeg.endswith(bytes(count), start, end):
                return _zeros_at_end(jpeg, start, end)
        return 0


def check_scans(jpeg: bytes, header: Header) -> Scans:
    """Walks through all scans.

    Raises:
        DamagedImage: a scan or a part of one is missing.
        UnsupportedImage: more scans than any encoder writes.
    """
    reader = SegmentReader(jpeg, header.segments, header.skipped)
    image = _Image(jpeg, header)
    segment: Segment | None = header.first_scan
    while segment and segment.marker != EOI:
        if segment.marker in FRAMES:
            raise second_frame(segment)
        end = segment.end
        if segment.marker in DECODED:
            image.add_table(segment)
        elif segment.marker == SOS:
            data_end, end = image.add_scan(segment)
            reader.skipped += end - data_end
        segment = reader.next(end)
        if segment and segment.marker != EOI:
            _refuse_stray_bytes(jpeg, end, segment)
    if image.is_incomplete():
        raise _missing_scans(len(image.data), len(jpeg), segment)
    return Scans(
        image=(*image.pieces, b"\xff\xd9"),
        data=tuple(image.data),
        end=segment.end if segment else len(jpeg),
        skipped=reader.skipped,
        has_eoi=segment is not None,
    )


def _zeros_at_end(jpeg: bytes, start: int, end: int) -> int:
    """Returns how many zeros a part of the file ends in; counts by the block to avoid a copy."""
    zeros = bytes(_BLOCK_BYTES)
    at = end
    while jpeg.endswith(zeros, start, at):
        at -= len(zeros)
    first = max(start, at - len(zeros))
    return end - first - len(jpeg[first:at].rstrip(b"\0"))


def _refuse_stray_bytes(jpeg: bytes, start: int, following: Segment) -> None:
    """Refuses bytes between two scans, where they may be a table or a scan with a broken marker."""
    gap = jpeg[start : following.start - len(following.head())]
    if gap.translate(None, b"\0\xff"):
        raise DamagedImage(
            f"The JPEG has bytes that belong to no segment at byte {start:,}, between its scans."
        )


class _Image:
    """An image as it is taken out of its file, scan by scan.

    Attributes:
        pieces: the JPEG for the decoders, as far as it goes.
        data: where the entropy-coded data of each scan lie in the file.
    """

    def __init__(self, jpeg: bytes, header: Header) -> None:
        self._jpeg, self._header = jpeg, header
        self._restart_interval = 0
        self._huffman_tables: set[int] = set()
        # Bits of each coefficient that are still to come; 255 where no scan has brought it at all.
        self._missing = [bytearray(b"\xff" * _COEFFICIENTS) for _ in header.components]
        self.pieces: list[bytes | memoryview] = [b"\xff\xd8"]
        self.data: list[tuple[int, int]] = []
        for table in header.tables:
            self.add_table(table)

    def add_table(self, segment: Segment) -> None:
        """Adds a segment that the decoders get."""
        payload = memoryview(self._jpeg)[segment.start : segment.end]
        if segment.marker == DRI:
            self._restart_interval = int.from_bytes(payload)
        if segment.marker == DHT:
            self._huffman_tables.update(_defined_tables(payload))
        if segment.marker in FRAMES and len(self._header.components) == 1:
            # One component's sampling factors have no effect; libtiff wants them to be 1.
            payload = memoryview(bytes(payload[:7]) + b"\x11" + bytes(payload[8:]))
        self.pieces += [segment.head(), payload]

    def add_scan(self, segment: Segment) -> tuple[int, int]:
        """Adds a scan; returns where its data end, and where to look for the next segment.

        Which coefficients a scan brings, in which precision, has no meaning in a sequential frame.
        Some phones write zeros there, which libjpeg refuses: it gets what the frame demands.

        Without a Huffman table libjpeg takes a standard one, which videos rely on. But skipped
        bytes may be a table whose marker is broken.
        """
        if len(self.data) == MAX_SCANS:
            raise UnsupportedImage(f"The JPEG has more than {MAX_SCANS} scans.")
        jpeg, header = self._jpeg, self._header
        payload = jpeg[segment.start : segment.end]
        if not header.progressive:
            payload = payload[: -len(_SEQUENTIAL)] + _SEQUENTIAL
        components = _take_scan(payload, header, segment, self._missing)
        if header.skipped and not _needed_tables(payload) <= self._huffman_tables:
            raise DamagedImage(
                f"The JPEG has bytes that belong to no segment before byte {segment.start:,}, and"
                " lacks a Huffman table."
            )
        interval = self._restart_interval
        restarts = -(-_mcus(header, components) // interval) - 1 if interval else 0
        data_end, end = _find_end(jpeg, segment.end, restarts)
        self.data.append((segment.end, data_end))
        self.pieces += [segment.head(), payload, memoryview(jpeg)[segment.end : data_end]]
        return data_end, end

    def is_incomplete(self) -> bool:
        """Whether some bits of some coefficient are missing."""
        return any(any(bits) for bits in self._missing)


def _missing_scans(scans: int, size: int, end: Segment | None) -> DamagedImage:
    if end is None:
        return DamagedImage(
            f"The JPEG is cut off after {size:,} bytes, in scan {scans} or before a further one."
        )
    return DamagedImage(
        f"The JPEG ends after scan {scans}, at byte {end.start:,}, before all of its scans: a part"
        " of its detail or a whole colour is missing."
    )


def _defined_tables(payload: bytes | memoryview) -> Iterator[int]:
    """Yields the names of the Huffman tables in a DHT segment (T.81, B.2.4.2)."""
    at = 0
    while at + _CODE_LENGTHS < len(payload):
        yield payload[at]
        at += 1 + _CODE_LENGTHS
        at += sum(payload[at - _CODE_LENGTHS : at])


def _needed_tables(scan_header: bytes) -> set[int]:
    """Returns the names of the Huffman tables that a scan needs (T.81, B.2.3)."""
    count, first, last, earlier_bits = scan_header[0], *scan_header[-3:-1], scan_header[-1] >> 4
    names = scan_header[2 : 2 + _SCAN_COMPONENT_SIZE * count : _SCAN_COMPONENT_SIZE]
    needed = {name >> 4 for name in names} if first == 0 and not earlier_bits else set()
    return needed | ({_AC | name & 15 for name in names} if last else set())


def _mcus(header: Header, components: list[Component]) -> int:
    """Returns how many MCUs a scan of these components has (T.81, A.2)."""
    widest = max(component.horizontal for component in header.components)
    highest = max(component.vertical for component in header.components)
    if len(components) > 1:  # interleaved: each MCU has blocks of all of them
        across, down = _BLOCK_SIDE * widest, _BLOCK_SIDE * highest
        return -(-header.width // across) * -(-header.height // down)
    (component,) = components
    width = -(-header.width * component.horizontal // widest)
    height = -(-header.height * component.vertical // highest)
    return -(-width // _BLOCK_SIDE) * -(-height // _BLOCK_SIDE)


def _find_end(jpeg: bytes, start: int, restarts: int) -> tuple[int, int]:
    """Returns where a scan's data end, and where to look for the next segment.

    Some scanners and cameras write more restart markers after the last row, with data between them.
    What comes after the number of restart markers that the scan needs is not part of the image.
    """
    for marker in _MARKER_OR_RESTART.finditer(jpeg, start):
        if restarts == 0 or jpeg[marker.start() + 1] not in _RESTARTS:
            return marker.start(), marker.start()
        restarts -= 1
    trailer = _DAHUA_TRAILER.search(jpeg, max(start, len(jpeg) - _DAHUA_TRAILER_SIZE))
    return (trailer.start() if trailer else len(jpeg)), len(jpeg)


def _take_scan(
    payload: bytes, header: Header, scan: Segment, missing: list[bytearray]
) -> list[Component]:
    """Notes which bits of which coefficients a scan brings; returns its components."""
    damaged = DamagedImage(f"The JPEG's scan header at byte {scan.start:,} is invalid.")
    if not has_items(payload, _SCAN_SIZE, _SCAN_COMPONENT_SIZE, count_at=0) or not payload[0]:
        raise damaged
    first, last, bits = payload[-3], payload[-2], payload[-1] & 15
    if not first <= last < _COEFFICIENTS:
        raise damaged
    names = payload[1 : 1 + _SCAN_COMPONENT_SIZE * payload[0] : _SCAN_COMPONENT_SIZE]
    taken: list[int] = []
    for name in names:
        matches = (
            index
            for index, component in enumerate(header.components)
            if component.name == name and index not in taken
        )
        index = next(matches, None)
        if index is None:
            raise damaged
        taken.append(index)
        missing[index][first : last + 1] = bytes([bits]) * (last + 1 - first)
    return [header.components[index] for index in taken]
