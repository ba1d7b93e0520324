"""A PNG encoder for photographs: 8 bits, gray or RGB, filters by the block, a fast deflate.

Pillow's own encoder tries five filters on each row and compresses with zlib, which takes twenty
times as long for a slightly smaller file. Here a small sample of the image, taken every megapixel
or two, is compressed with each of a few strategies, and the rows around it with the best of them.
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, NamedTuple

from image_converter.compression import Compression
from image_converter.conversion import png_filters
from image_converter.conversion.deflate import HEAD, LAST, Deflate
from image_converter.conversion.jpeg_metadata import Density
from image_converter.conversion.png_filters import Block, Filter
from image_converter.conversion.rows import Rows, to_image

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {"L": 0, "RGB": 2}
_BITS = 8
_INCH = 0.0254

_Pieces = list[bytes]
_Part = tuple[bytes, int]


class _Strategy(NamedTuple):
    """How to compress rows.

    Attributes:
        filter: the filter.
        window_bits: how far back deflate looks for matches, as a power of two.
        time_penalty: the factor on its size in comparisons, for the time that it takes.
    """

    filter: Filter
    window_bits: int
    time_penalty: float = 1.0


# In photographs far matches cost more than they save, whereas text and drawings depend on them.
# The average is good for noise; PNG's other filters gain less than their time is worth.
_STRATEGIES = (
    _Strategy(png_filters.up, 9),
    _Strategy(png_filters.average, 9, time_penalty=1.02),
    _Strategy(png_filters.up, 15),
)
# One block in so many is sampled: one part in so many of the image, within these bounds.
_SAMPLE_BLOCKS, _SAMPLE_SHARE = 6, 96
_FEWEST_BYTES, _MOST_BYTES = 12 * 1024, 48 * 1024


class PngMetadata(NamedTuple):
    """What a PNG says besides its pixels.

    Attributes:
        icc_profile: the colour profile; empty for none.
        density: the density of pixels, None where it is not known.
        exif: EXIF data, as a TIFF; empty for none.
    """

    icc_profile: bytes = b""
    density: Density | None = None
    exif: bytes = b""


def write(
    rows: Rows,
    png: BinaryIO,
    metadata: PngMetadata,
    compression: Compression,
    *,
    parallel: bool = False,
) -> None:
    """Writes rows as a PNG.

    Args:
        rows: the image.
        png: where the PNG goes.
        metadata: what it says besides its pixels.
        compression: "fast" for the encoder of this module, "smallest" for Pillow's.
        parallel: whether "fast" decodes blocks on one processor and compresses them on another.
    """
    if compression == "smallest":
        _write_smallest(rows, png, metadata)
    else:
        _write_fast(rows, png, metadata, parallel=parallel)


def _write_fast(rows: Rows, png: BinaryIO, metadata: PngMetadata, *, parallel: bool) -> None:
    png.write(_SIGNATURE)
    size = struct.pack(">II", rows.width, rows.height)
    _chunk(png, b"IHDR", [size, bytes([_BITS, _COLOUR_TYPES[rows.mode], 0, 0, 0])])
    if metadata.icc_profile:
        _chunk(png, b"iCCP", [b"icc\0\0", zlib.compress(metadata.icc_profile)])
    if metadata.density:
        _chunk(png, b"pHYs", [struct.pack(">IIB", *metadata.density)])
    if metadata.exif:
        _chunk(png, b"eXIf", [metadata.exif])
    deflate = Deflate()
    for pieces in _stream(_parts(rows, deflate), deflate, parallel=parallel):
        _chunk(png, b"IDAT", pieces, deflate.crc32)
    _chunk(png, b"IEND", [])


def _write_smallest(rows: Rows, png: BinaryIO, metadata: PngMetadata) -> None:
    """Writes the smallest PNG, by Pillow's encoder.

    Pillow cannot write an aspect ratio without a unit: such a density is left out.
    """
    density = metadata.density
    dpi = (density[0] * _INCH, density[1] * _INCH) if density and density[2] else None
    image = to_image(rows)
    profile, exif = metadata.icc_profile or None, metadata.exif or None
    image.save(png, "PNG", optimize=True, icc_profile=profile, dpi=dpi, exif=exif)


def _parts(rows: Rows, deflate: Deflate) -> Iterator[_Part]:
    """Yields the rows in filtered blocks, each with the window to compress it with."""
    strategy = _STRATEGIES[0]
    for number, block in enumerate(png_filters.blocks(rows)):
        if number % _SAMPLE_BLOCKS == 0:
            share = rows.height * block.pitch // _SAMPLE_SHARE
            sample = min(max(share, _FEWEST_BYTES), _MOST_BYTES) // block.pitch
            strategy = _choose_strategy(block, sample, deflate)
        yield strategy.filter(block, range(block.rows)), strategy.window_bits


def _choose_strategy(block: Block, sample: int, deflate: Deflate) -> _Strategy:
    """Returns the best strategy for `sample` rows from the middle of the block."""
    count = max(1, min(sample, block.rows))
    top = (block.rows - count) // 2
    rows = range(top, top + count)

    def cost(strategy: _Strategy) -> float:
        return strategy.time_penalty * sum(
            map(len, deflate.part(strategy.filter(block, rows), strategy.window_bits))
        )

    return min(_STRATEGIES, key=cost)


def _stream(parts: Iterator[_Part], deflate: Deflate, *, parallel: bool) -> Iterator[_Pieces]:
    """Yields a zlib stream of the parts."""
    checksum = 1

    def checked() -> Iterator[_Part]:
        nonlocal checksum
        for data, window in parts:
            checksum = deflate.adler32(data, checksum)
            yield data, window

    compressed = _in_parallel if parallel else _in_turn
    start = [HEAD]
    for pieces in compressed(checked(), deflate):
        yield start + pieces
        start = []
    yield [LAST, struct.pack(">I", checksum)]


def _in_turn(parts: Iterator[_Part], deflate: Deflate) -> Iterator[_Pieces]:
    for data, window in parts:
        yield deflate.part(data, window)


def _in_parallel(parts: Iterator[_Part], deflate: Deflate) -> Iterator[_Pieces]:
    """Compresses each part while the next one is made; deflate releases the interpreter's lock."""
    with ThreadPoolExecutor(1) as worker:
        under_way: Future[_Pieces] | None = None
        for data, window in parts:
            if under_way:
                yield under_way.result()
            under_way = worker.submit(deflate.part, data, window)
        if under_way:
            yield under_way.result()


def _chunk(
    png: BinaryIO,
    kind: bytes,
    pieces: Sequence[bytes],
    crc32: Callable[[bytes, int], int] = zlib.crc32,
) -> None:
    png.write(struct.pack(">I4s", sum(map(len, pieces)), kind))
    checksum = zlib.crc32(kind)
    for piece in pieces:
        png.write(piece)
        checksum = crc32(piece, checksum)
    png.write(struct.pack(">I", checksum))
