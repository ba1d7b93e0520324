"""The segments of a JPEG up to its first scan, read without decoding (ITU-T T.81, annex B).

What lies between two segments is skipped, as libjpeg skips it. `jpeg_scans` goes on from there.
"""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from image_converter.errors import DamagedImage, ImageTooLarge, UnsupportedImage

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
DHT, _DAC, _DQT, _DNL, DRI, _DHP, _EXP, _COM = 0xC4, 0xCC, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF, 0xFE
_APPS = range(0xE0, 0xF0)
_EXTENSIONS = range(0xF0, 0xFE)  # JPG0 to JPG13; JPEG-LS is F7 and F8
DECODED = {DHT, _DAC, _DQT, DRI}
_WITH_LENGTH = {*DECODED, _DNL, _COM, SOS, *_APPS}

_HUFFMAN = (0xC0, 0xC1, 0xC2)
_ARITHMETIC = (0xC9, 0xCA)
_PROGRESSIVE = 0xC2
_FRAME_HEADER = struct.Struct(">BHHB")  # bits a sample, height, width, number of components
_COMPONENT = struct.Struct("3B")  # name, sampling factors, quantization table
_BITS = 8
_COMPONENTS = (1, 3, 4)
_LENGTH_SIZE = 2
_LOSSLESS = (0xC3, 0xCB)
_HIERARCHICAL = (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, _DHP, _EXP)
FRAMES = {*_HUFFMAN, *_ARITHMETIC, *_LOSSLESS, *_HIERARCHICAL} - {_DHP, _EXP}

# The decoder's own limit (JPEG_MAX_DIMENSION), below the format's 65,535.
_MAX_SIDE = 65_500
_SAMPLING_FACTORS = {1, 2, 3, 4}
# Far more than any encoder writes, and few enough to be read in a fraction of a second: metadata of
# 100 MB, in segments as long as the format allows, is 1,600 segments.
_MAX_SEGMENTS = 10_000
# What libjpeg skips between segments: restart markers, TEM, and what is not a marker at all. The
# plain byte in front makes this search as fast as one for that byte.
_MARKER = re.compile(rb"\xff[^\x00\x01\xff\xd0-\xd7]")


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
        progressive: whether the frame is progressive.
        components: the colour planes.
        tables: the segments that the decoders get, in their order, the frame header among them.
        frame: the frame header.
        metadata: the application segments, in their order.
        first_scan: the header of the first scan.
        segments: how many segments there are, including those that are not kept.
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


def read_header(jpeg: bytes) -> Header:
    """Reads the segments up to the first scan.

    Raises:
        DamagedImage: a segment is cut off or out of place.
        ImageTooLarge: a side is longer than the decoder allows.
        UnsupportedImage: a kind of JPEG that is not converted; the message names it.
    """
    reader = SegmentReader(jpeg)
    tables: list[Segment] = []
    metadata: list[Segment] = []
    frame: Segment | None = None
    segment = reader.required(len(b"\xff\xd8"))
    while segment.marker not in (SOS, EOI):
        if segment.marker in FRAMES:
            if frame:
                raise second_frame(segment)
            frame = segment
        if segment.marker in DECODED or segment is frame:
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


class SegmentReader:
    """Reads segments, skips what lies between them, and counts both.

    Attributes:
        count: how many segments it has read.
        skipped: how many bytes it has skipped.
    """

    def __init__(self, jpeg: bytes, count: int = 0, skipped: int = 0) -> None:
        """Takes the file, and both counts so far."""
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
        """Reads the segment at an offset or after it; None if no marker follows."""
        marker = _MARKER.search(self._jpeg, offset)
        end = marker.start() if marker else len(self._jpeg)
        if not _consists_of(b"\xff", self._jpeg, offset, end):  # which may fill any gap
            self.skipped += end - offset
        if not marker:
            return None
        self.count += 1
        if self.count > _MAX_SEGMENTS:
            raise UnsupportedImage(f"The JPEG has more than {_MAX_SEGMENTS:,} segments.")
        return self._read(marker.start())

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
        if marker not in _WITH_LENGTH and marker not in FRAMES:
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


def _consists_of(byte: bytes, jpeg: bytes, start: int, end: int) -> bool:
    return jpeg.count(byte, start, end) == end - start


def second_frame(segment: Segment) -> DamagedImage:
    """Returns the error of a frame header after another one."""
    return DamagedImage(f"The JPEG has a second frame header at byte {segment.start:,}.")


def _read_frame(jpeg: bytes, frame: Segment) -> tuple[int, int, tuple[Component, ...]]:
    """Returns width, height and components, after refusing what is not converted."""
    payload = jpeg[frame.start : frame.end]
    if not has_items(payload, _FRAME_HEADER.size, _COMPONENT.size, _FRAME_HEADER.size - 1):
        raise DamagedImage(f"The JPEG's frame header at byte {frame.start:,} has a wrong length.")
    precision, height, width, count = _FRAME_HEADER.unpack_from(payload)
    _refuse_kinds(frame.marker, precision, count)
    _refuse_sizes(width, height)
    components = tuple(
        Component(name, sampling >> 4, sampling & 15)
        for name, sampling, _ in _COMPONENT.iter_unpack(payload[_FRAME_HEADER.size :])
    )
    factors = {
        factor for component in components for factor in (component.horizontal, component.vertical)
    }
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
        raise UnsupportedImage("JPEGs with their height after the scan (DNL) are not supported.")
    if width == 0:
        raise DamagedImage("The JPEG says that it is 0 pixels wide.")
    if max(width, height) > _MAX_SIDE:
        raise ImageTooLarge(
            f"The JPEG has {width:,} x {height:,} pixels; each side may be at most {_MAX_SIDE:,}."
        )


def has_items(payload: bytes, fixed: int, item: int, count_at: int) -> bool:
    """Whether a payload is as long as its own count of items makes it."""
    return len(payload) >= fixed and len(payload) == fixed + item * payload[count_at]
