"""The segments of a JPEG, read and checked without decoding a pixel (ITU-T T.81, annex B).

libjpeg makes up what is missing: gray for rows, zero for the detail that absent scans would bring.
It warns of the first and not of the second. So this module checks what the segments tell: each lies
within the file, and the scans bring every component in full precision.

It also takes the image out of its file: the decoders get the tables, the frame and the scans, and
nothing else. Stray bytes between segments, restart markers after the last row, application data and
whatever follows the image do not reach them.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from image_converter.errors import DamagedImage, ImageTooLarge, UnsupportedImage

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
_DHT, _DAC, _DQT, _DNL, _DRI, _DHP, _EXP, _COM = 0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFE
_RESTARTS = range(0xD0, 0xD8)
_APPS = range(0xE0, 0xF0)
_EXTENSIONS = range(0xF0, 0xFE)  # JPG0 to JPG13; JPEG-LS is F7 and F8
_DECODED = {_DHT, _DQT, _DRI}
_WITH_LENGTH = {*_DECODED, _DAC, _DNL, _COM, SOS, *_APPS}

_HUFFMAN = (0xC0, 0xC1, 0xC2)
_ARITHMETIC = (0xC9, 0xCA)
_PROGRESSIVE = 0xC2
_FRAME_HEADER = struct.Struct(">BHHB")  # bits a sample, height, width, number of components
_COMPONENT = struct.Struct("3B")  # name, sampling factors, quantization table
_BITS = 8
_COMPONENTS = (1, 3, 4)
_LENGTH_SIZE = 2
_SCAN_SIZE, _SCAN_COMPONENT_SIZE = 4, 2
_LOSSLESS = (0xC3, 0xCB)
_HIERARCHICAL = (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, _DHP, _EXP)
_FRAMES = {*_HUFFMAN, *_ARITHMETIC, *_LOSSLESS, *_HIERARCHICAL} - {_DHP, _EXP}

# The decoder's own limit (JPEG_MAX_DIMENSION), below the format's 65,535.
_MAX_SIDE = 65_500
_SAMPLING_FACTORS = {1, 2, 3, 4}
_BLOCK_SIDE = 8
# More than any encoder writes; each costs a pass over the whole image, however few bytes it has.
MAX_SCANS = 100
# Far more than any encoder writes, and few enough to be read in a fraction of a second: metadata of
# 100 MB, in segments as long as the format allows, is 1,600 segments.
_MAX_SEGMENTS = 10_000
_COEFFICIENTS = 64
# What a scan header of a sequential frame has to say: all coefficients, in full precision.
_SEQUENTIAL = bytes((0, _COEFFICIENTS - 1, 0))

# In entropy-coded data FF is followed by 00 (a stuffed FF) or a restart marker. The plain byte in
# front makes this search as fast as one for that byte.
_MARKER_OR_RESTART = re.compile(rb"\xff[^\x00\xff]")
# Elsewhere libjpeg skips these: restart markers, TEM, and what is not a marker at all.
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")

# Dahua's cameras end a file with this and four bytes of a length, in the place of EOI.
_DAHUA_TRAILER = re.compile(rb"dhav.{4}\Z", re.DOTALL)
_DAHUA_TRAILER_SIZE = 8


class Component(NamedTuple):
    """A colour plane: the name that scans use for it, and its sampling factors."""

    name: int
    horizontal: int
    vertical: int


class Segment(NamedTuple):
    """A marker and where its payload (without the length) lies in the file."""

    marker: int
    start: int
    end: int

    def head(self) -> bytes:
        """Returns what stands before the payload: the marker and the length."""
        length = self.end - self.start + _LENGTH_SIZE
        return bytes((0xFF, self.marker)) + length.to_bytes(_LENGTH_SIZE)


class Header(NamedTuple):
    """What stands before the first scan.

    Attributes:
        width: pixels of a row.
        height: rows.
        progressive: whether the frame is a progressive one.
        components: the colour planes.
        tables: the segments that the decoders get, in their order, the frame header among them.
        frame: the frame header.
        metadata: the application segments, in their order.
        first_scan: the header of the first scan.
        segments: how many segments there are, with those that are not kept.
        skipped: bytes that belong to no segment.
    """

    width: int
    height: int
    progressive: bool
    components: tuple[Component, ...]
    tables: tuple[Segment, ...]
    frame: Segment
    metadata: tuple[Segment, ...]
    first_scan: Segment
    segments: int
    skipped: int

    def payloads(self, jpeg: bytes, marker: int, prefix: bytes) -> Iterator[bytes]:
        """Yields what follows the prefix in each segment with this marker that starts with it."""
        for segment in self.metadata:
            if segment.marker == marker and jpeg.startswith(prefix, segment.start, segment.end):
                yield jpeg[segment.start + len(prefix) : segment.end]


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
        """Returns how many zeros a scan's data end in, where they are at least so many, or else 0.

        Encoders end data with ones, so that longer runs of zeros are hardly ever data.
        """
        for start, end in self.data:
            if jpeg.endswith(bytes(count), start, end):
                return end - start - len(jpeg[start:end].rstrip(b"\0"))
        return 0


def read_header(jpeg: bytes) -> Header:
    """Reads the segments up to the first scan.

    Raises:
        DamagedImage: a segment is cut off or out of place.
        ImageTooLarge: a side is longer than the decoder can.
        UnsupportedImage: a kind of JPEG that is not converted, by its name.
    """
    reader = _SegmentReader(jpeg)
    tables: list[Segment] = []
    metadata: list[Segment] = []
    frame: Segment | None = None
    segment = reader.required(len(b"\xff\xd8"))
    while segment.marker not in (SOS, EOI):
        if segment.marker in _FRAMES:
            if frame:
                raise _second_frame(segment)
            frame = segment
        if segment.marker in _DECODED or segment is frame:
            tables.append(segment)
        elif segment.marker in _APPS:
            metadata.append(segment)
        segment = reader.required(segment.end)
    if segment.marker == EOI:
        raise DamagedImage(f"The JPEG ends at byte {segment.start:,}, before its first scan.")
    if frame is None:
        raise DamagedImage(
            f"The JPEG's first scan, at byte {segment.start:,}, has no frame header."
        )
    width, height, components = _read_frame(jpeg, frame)
    return Header(
        width=width,
        height=height,
        progressive=frame.marker == _PROGRESSIVE,
        components=components,
        tables=tuple(tables),
        frame=frame,
        metadata=tuple(metadata),
        first_scan=segment,
        segments=reader.count,
        skipped=reader.skipped,
    )


def check_scans(jpeg: bytes, header: Header) -> Scans:
    """Walks through all scans.

    Raises:
        DamagedImage: a scan or a part of one is missing.
        UnsupportedImage: more scans than any encoder writes.
    """
    reader = _SegmentReader(jpeg, header.segments, header.skipped)
    image = _Image(jpeg, header)
    segment: Segment | None = header.first_scan
    while segment and segment.marker != EOI:
        if segment.marker in _FRAMES:
            raise _second_frame(segment)
        end = segment.end
        if segment.marker in _DECODED:
            image.add_table(segment)
        elif segment.marker == SOS:
            data_end, end = image.add_scan(segment)
            reader.skipped += end - data_end
        segment = reader.next(end)
    if image.is_incomplete():
        raise _missing_scans(len(image.data), len(jpeg), segment)
    return Scans(
        image=(*image.pieces, b"\xff\xd9"),
        data=tuple(image.data),
        end=segment.end if segment else len(jpeg),
        skipped=reader.skipped,
        has_eoi=segment is not None,
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
        # Bits of each coefficient that are still to come; 255 where no scan has brought it at all.
        self._missing = [bytearray(b"\xff" * _COEFFICIENTS) for _ in header.components]
        self.pieces: list[bytes | memoryview] = [b"\xff\xd8"]
        self.data: list[tuple[int, int]] = []
        for table in header.tables:
            self.add_table(table)

    def add_table(self, segment: Segment) -> None:
        """Adds a segment that the decoders get."""
        payload = memoryview(self._jpeg)[segment.start : segment.end]
        if segment.marker == _DRI:
            self._restart_interval = int.from_bytes(payload)
        if segment.marker in _FRAMES and len(self._header.components) == 1:
            # One component's sampling factors have no effect; libtiff wants them to be 1.
            payload = memoryview(bytes(payload[:7]) + b"\x11" + bytes(payload[8:]))
        self.pieces += [segment.head(), payload]

    def add_scan(self, segment: Segment) -> tuple[int, int]:
        """Adds a scan; returns where its data end, and where to look for the next segment.

        Which coefficients a scan brings, in which precision, has no meaning in a sequential frame.
        Some phones write zeros there, which libjpeg refuses: it gets what the frame demands.
        """
        if len(self.data) == MAX_SCANS:
            raise UnsupportedImage(f"The JPEG has more than {MAX_SCANS} scans.")
        jpeg, header = self._jpeg, self._header
        components = _take_scan(jpeg, header, segment, self._missing)
        payload = jpeg[segment.start : segment.end]
        if not header.progressive:
            payload = payload[: -len(_SEQUENTIAL)] + _SEQUENTIAL
        interval = self._restart_interval
        restarts = -(-_mcus(header, components) // interval) - 1 if interval else 0
        data_end, end = _find_end(jpeg, segment.end, restarts)
        self.data.append((segment.end, data_end))
        self.pieces += [segment.head(), payload, memoryview(jpeg)[segment.end : data_end]]
        return data_end, end

    def is_incomplete(self) -> bool:
        """Whether some bits of some coefficient are missing."""
        return any(any(bits) for bits in self._missing)


class _SegmentReader:
    """Reads segments, skips what lies between them, and counts both."""

    def __init__(self, jpeg: bytes, count: int = 0, skipped: int = 0) -> None:
        self._jpeg = jpeg
        self.count = count
        self.skipped = skipped

    def required(self, offset: int) -> Segment:
        """Reads the segment at an offset or after it; one must follow."""
        segment = self.next(offset)
        if segment is None:
            raise DamagedImage(
                f"The JPEG is cut off after {len(self._jpeg):,} bytes, between two segments."
            )
        return segment

    def next(self, offset: int) -> Segment | None:
        """Reads the segment at an offset or after it; None where there is no marker any more."""
        found = _MARKER.search(self._jpeg, offset)
        end = found.start() if found else len(self._jpeg)
        if self._jpeg.count(b"\xff", offset, end) < end - offset:  # more than fill bytes
            self.skipped += end - offset
        if not found:
            return None
        self.count += 1
        if self.count > _MAX_SEGMENTS:
            raise UnsupportedImage(f"The JPEG has more than {_MAX_SEGMENTS:,} segments.")
        return self._read(found.start())

    def _read(self, offset: int) -> Segment:
        marker, start = self._jpeg[offset + 1], offset + 2
        if marker in _HIERARCHICAL:
            raise UnsupportedImage("Hierarchical JPEGs are not supported.")
        if marker in _EXTENSIONS:
            raise UnsupportedImage(
                f"JPEGs with extensions are not supported (JPEG-LS and others): marker"
                f" FF{marker:02X} at byte {offset:,}."
            )
        if marker == EOI:
            return Segment(marker, start, start)
        if marker not in _WITH_LENGTH and marker not in _FRAMES:
            raise DamagedImage(
                f"The JPEG has marker FF{marker:02X} out of place at byte {offset:,}."
            )
        length = int.from_bytes(self._jpeg[start : start + _LENGTH_SIZE])
        if length < _LENGTH_SIZE or start + length > len(self._jpeg):
            raise DamagedImage(
                f"The JPEG's segment FF{marker:02X} at byte {offset:,} does not fit into the file:"
                f" it says {length:,} bytes, {len(self._jpeg) - start:,} follow."
            )
        return Segment(marker, start + _LENGTH_SIZE, start + length)


def _second_frame(segment: Segment) -> DamagedImage:
    return DamagedImage(f"The JPEG has a second frame header at byte {segment.start:,}.")


def _missing_scans(scans: int, size: int, end: Segment | None) -> DamagedImage:
    if end is None:
        return DamagedImage(
            f"The JPEG is cut off after {size:,} bytes, in scan {scans} or before a further one."
        )
    return DamagedImage(
        f"The JPEG ends after scan {scans}, at byte {end.start:,}, before all of its scans: a part"
        " of its detail or a whole colour is missing."
    )


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
    What comes after as many as the scan has is not the image's.
    """
    for found in _MARKER_OR_RESTART.finditer(jpeg, start):
        if restarts == 0 or jpeg[found.start() + 1] not in _RESTARTS:
            return found.start(), found.start()
        restarts -= 1
    trailer = _DAHUA_TRAILER.search(jpeg, max(start, len(jpeg) - _DAHUA_TRAILER_SIZE))
    return (trailer.start() if trailer else len(jpeg)), len(jpeg)


def _read_frame(jpeg: bytes, frame: Segment) -> tuple[int, int, tuple[Component, ...]]:
    """Returns width, height and components, after refusing what is not converted."""
    payload = jpeg[frame.start : frame.end]
    if not _has_items(payload, _FRAME_HEADER.size, _COMPONENT.size, _FRAME_HEADER.size - 1):
        raise DamagedImage(f"The JPEG's frame header at byte {frame.start:,} has a wrong length.")
    precision, height, width, count = _FRAME_HEADER.unpack_from(payload)
    _refuse_kinds(frame.marker, precision, count)
    _refuse_sizes(width, height)
    components = tuple(
        Component(name, sampling >> 4, sampling & 15)
        for name, sampling, _ in _COMPONENT.iter_unpack(payload[_FRAME_HEADER.size :])
    )
    factors = {factor for each in components for factor in (each.horizontal, each.vertical)}
    if not factors <= _SAMPLING_FACTORS:
        raise DamagedImage(f"The JPEG's frame header at byte {frame.start:,} is invalid.")
    return width, height, components


def _refuse_kinds(marker: int, precision: int, components: int) -> None:
    if marker in _LOSSLESS:
        raise UnsupportedImage("Lossless JPEGs are not supported.")
    if marker in _ARITHMETIC:
        # Its data may end early by design: no decoder can tell half an image from a whole one.
        raise UnsupportedImage("JPEGs with arithmetic coding are not supported.")
    if precision != _BITS:
        raise UnsupportedImage(
            f"JPEGs of {precision} bits a sample are not supported, only of {_BITS}."
        )
    if components not in _COMPONENTS:
        raise UnsupportedImage(f"JPEGs of {components} colour components are not supported.")


def _refuse_sizes(width: int, height: int) -> None:
    if height == 0:
        raise UnsupportedImage("JPEGs that give their height after the image are not supported.")
    if width == 0:
        raise DamagedImage("The JPEG says that it is 0 pixels wide.")
    if max(width, height) > _MAX_SIDE:
        raise ImageTooLarge(
            f"The JPEG has {width:,} x {height:,} pixels; {_MAX_SIDE:,} a side is the most."
        )


def _take_scan(
    jpeg: bytes, header: Header, scan: Segment, missing: list[bytearray]
) -> list[Component]:
    """Notes which bits of which coefficients a scan brings; returns the components it is of."""
    payload = jpeg[scan.start : scan.end]
    damaged = DamagedImage(f"The JPEG's scan header at byte {scan.start:,} is invalid.")
    if not _has_items(payload, _SCAN_SIZE, _SCAN_COMPONENT_SIZE, count_at=0) or not payload[0]:
        raise damaged
    first, last, bits = payload[-3], payload[-2], payload[-1] & 15
    if not header.progressive:
        first, last, bits = *_SEQUENTIAL[:2], 0
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


def _has_items(payload: bytes, fixed: int, item: int, count_at: int) -> bool:
    """Whether a payload is as long as its own count of items makes it."""
    return len(payload) >= fixed and len(payload) == fixed + item * payload[count_at]
