"""The segments of a JPEG, read and checked without decoding a pixel (ITU-T T.81, annex B).

libjpeg makes up what is missing: gray for rows, zero for the detail that absent scans would bring.
Of the first it warns, of the second it does not. So all that the segments tell is checked here:
each lies within the file, nothing lies between them, every component is there in full precision,
and the image ends.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from image_converter.errors import DamagedImage, ImageTooLarge, UnsupportedImage

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
_TEM = 0x01
_RESTARTS = range(0xD0, 0xD8)
_DHT, _DAC, _DQT, _DNL, _DRI, _DHP, _EXP, _COM = 0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFE
_APPS = range(0xE0, 0xF0)
METADATA = {_COM, *_APPS}
_WITH_LENGTH = {_DHT, _DAC, _DQT, _DNL, _DRI, _COM, SOS, *_APPS}

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
# More than any encoder writes; each costs a pass over the whole image, however few bytes it has.
_MAX_SCANS = 100
_COEFFICIENTS = 64

# In entropy-coded data FF is followed by 00 (a stuffed FF) or a restart marker. The plain byte in
# front makes this search as fast as one for that byte.
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


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
        """Returns what stands before the payload: the marker, and the length if it has one."""
        marker = bytes((0xFF, self.marker))
        if self.marker not in _WITH_LENGTH and self.marker not in _FRAMES:
            return marker
        return marker + (self.end - self.start + _LENGTH_SIZE).to_bytes(_LENGTH_SIZE)


class Header(NamedTuple):
    """What stands before the first scan."""

    width: int
    height: int
    progressive: bool
    components: tuple[Component, ...]
    frame: Segment
    segments: tuple[Segment, ...]
    first_scan: Segment

    def payloads(self, jpeg: bytes, marker: int, prefix: bytes) -> Iterator[bytes]:
        """Yields what follows the prefix in each segment with this marker that starts with it."""
        for segment in self.segments:
            if segment.marker == marker and jpeg.startswith(prefix, segment.start, segment.end):
                yield jpeg[segment.start + len(prefix) : segment.end]


def read_header(jpeg: bytes) -> Header:
    """Reads the segments up to the first scan.

    Raises:
        DamagedImage: a segment is cut off or out of place.
        ImageTooLarge: a side is longer than the decoder can.
        UnsupportedImage: a kind of JPEG that is not converted, by its name.
    """
    segments: list[Segment] = []
    frame: Segment | None = None
    segment = _segment(jpeg, len(b"\xff\xd8"))
    while segment.marker != SOS:
        if segment.marker in _FRAMES:
            if frame:
                raise DamagedImage(f"The JPEG has a second frame header at byte {segment.start:,}.")
            frame = segment
        segments.append(segment)
        segment = _segment(jpeg, segment.end)
    if frame is None:
        raise DamagedImage(
            f"The JPEG's first scan, at byte {segment.start:,}, has no frame header."
        )
    return _header(jpeg, frame, tuple(segments), segment)


class Scans(NamedTuple):
    """Where the entropy-coded data of each scan lie, and where the image ends, EOI included."""

    data: tuple[tuple[int, int], ...]
    end: int


def check_scans(jpeg: bytes, header: Header) -> Scans:
    """Walks through all scans.

    Raises:
        DamagedImage: the end, a scan or a part of one is missing, or bytes lie between segments.
        UnsupportedImage: more scans than any encoder writes.
    """
    # Bits of each coefficient that are still to come; 255 where no scan has brought it at all.
    missing = [bytearray(b"\xff" * _COEFFICIENTS) for _ in header.components]
    segment, data = header.first_scan, list[tuple[int, int]]()
    while segment.marker != EOI:
        if segment.marker in _FRAMES:
            raise DamagedImage(f"The JPEG has a second frame header at byte {segment.start:,}.")
        end = segment.end
        if segment.marker == SOS:
            if len(data) == _MAX_SCANS:
                raise UnsupportedImage(f"The JPEG has more than {_MAX_SCANS} scans.")
            _take_scan(jpeg, header, segment, missing)
            found = _NEXT_MARKER.search(jpeg, end)
            if not found:
                raise DamagedImage(
                    f"The JPEG is cut off in scan {len(data) + 1}, after {len(jpeg):,} bytes:"
                    " its end-of-image marker is missing."
                )
            end = found.start()
            data.append((segment.end, end))
        segment = _segment(jpeg, end)
    if any(any(bits) for bits in missing):
        raise DamagedImage(
            f"The JPEG ends after scan {len(data)}, at byte {segment.start:,}, before all of its"
            " scans: a part of its detail or a whole colour is missing."
        )
    return Scans(tuple(data), segment.end)


def _segment(jpeg: bytes, offset: int) -> Segment:
    """Reads the marker at an offset, fill bytes before it included, and its length."""
    position = offset
    while jpeg[position : position + 1] == b"\xff":
        position += 1
    if position == len(jpeg):
        raise DamagedImage(f"The JPEG is cut off after {len(jpeg):,} bytes, between two segments.")
    if position == offset or jpeg[position] == 0:
        raise DamagedImage(f"The JPEG has bytes that belong to no segment at byte {offset:,}.")
    marker, start = jpeg[position], position + 1
    if marker in _HIERARCHICAL:
        raise UnsupportedImage("Hierarchical JPEGs are not supported.")
    if marker in _RESTARTS or marker in (_TEM, EOI):
        return Segment(marker, start, start)
    if marker not in _WITH_LENGTH and marker not in _FRAMES:
        raise DamagedImage(f"The JPEG has marker FF{marker:02X} out of place at byte {offset:,}.")
    length = int.from_bytes(jpeg[start : start + _LENGTH_SIZE])
    if length < _LENGTH_SIZE or start + length > len(jpeg):
        raise DamagedImage(
            f"The JPEG's segment FF{marker:02X} at byte {offset:,} does not fit into the file:"
            f" it says {length:,} bytes, {len(jpeg) - start:,} follow."
        )
    return Segment(marker, start + _LENGTH_SIZE, start + length)


def _header(
    jpeg: bytes, frame: Segment, segments: tuple[Segment, ...], first_scan: Segment
) -> Header:
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
    progressive = frame.marker == _PROGRESSIVE
    return Header(width, height, progressive, components, frame, segments, first_scan)


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
        raise UnsupportedImage("JPEGs that tell their height after the image are not supported.")
    if width == 0:
        raise DamagedImage("The JPEG says that it is 0 pixels wide.")
    if max(width, height) > _MAX_SIDE:
        raise ImageTooLarge(
            f"The JPEG has {width:,} x {height:,} pixels; {_MAX_SIDE:,} a side is the most."
        )


def _take_scan(jpeg: bytes, header: Header, scan: Segment, missing: list[bytearray]) -> None:
    """Notes which bits of which coefficients a scan brings."""
    payload = jpeg[scan.start : scan.end]
    damaged = DamagedImage(f"The JPEG's scan header at byte {scan.start:,} is invalid.")
    if not _has_items(payload, _SCAN_SIZE, _SCAN_COMPONENT_SIZE, count_at=0):
        raise damaged
    first, last, bits = payload[-3], payload[-2], payload[-1] & 15
    if not header.progressive:
        first, last, bits = 0, _COEFFICIENTS - 1, 0
    if not first <= last < _COEFFICIENTS:
        raise damaged
    names = payload[1 : 1 + _SCAN_COMPONENT_SIZE * payload[0] : _SCAN_COMPONENT_SIZE]
    taken: set[int] = set()
    for name in names:
        matches = (
            index
            for index, component in enumerate(header.components)
            if component.name == name and index not in taken
        )
        index = next(matches, None)
        if index is None:
            raise damaged
        taken.add(index)
        missing[index][first : last + 1] = bytes([bits]) * (last + 1 - first)


def _has_items(payload: bytes, fixed: int, item: int, count_at: int) -> bool:
    """Whether a payload is as long as its own count of items makes it."""
    return len(payload) >= fixed and len(payload) == fixed + item * payload[count_at]
