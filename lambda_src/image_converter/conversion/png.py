"""A PNG encoder for photographs: 8 bits, gray or RGB, one filter, a fast deflate.

Pillow's own encoder tries five filters on each row and takes zlib for the rest, which costs twenty
times the time for a file that is a tenth smaller. Here every row has the filter Up (ISO/IEC 15948,
9.2), computed for a block of rows in one call: the block is taken as a gray image with a column for
each byte, and the same block one row higher is subtracted from it. The filter type that precedes
each row is part of this: column 0 rises by 2 from row to row, so its difference is 2, which is Up.
"""

import importlib
import logging
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from PIL import Image, ImageChops

from image_converter.conversion.metadata import Density
from image_converter.conversion.rows import Rows, to_image

_LOGGER = logging.getLogger(__name__)

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {"L": 1, "RGB": 3}
_COLOUR_TYPES = {"L": 0, "RGB": 2}
_BITS = 8
_UP = 2
_INCH = 0.0254
# So many bytes a block: few enough for the processor's cache, enough for the calls not to count.
_BLOCK_BYTES = 768 * 1024
_LEVEL = 1
# A match lies at most two to the power of this many bytes back. With 15, the most there is, PNGs of
# photographs are 1 to 2 percent larger, of a flat colour three times; with 10, of text twice.
_WINDOW = 12
_MAX_ROWS = 128  # column 0 has a byte for twice the row's number


class _Deflate(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Facts:
    """What a PNG tells beside its pixels.

    Attributes:
        icc_profile: the colour profile; empty for none.
        density: the density of pixels, None where it is not known.
    """

    icc_profile: bytes = b""
    density: Density | None = None


def write_png(rows: Rows, png: BinaryIO, facts: Facts, *, parallel: bool = False) -> None:
    """Writes rows as a PNG.

    Args:
        rows: the image.
        png: where the PNG goes.
        facts: what it tells beside its pixels.
        parallel: whether blocks are decoded on one processor and compressed on another.
    """
    png.write(_SIGNATURE)
    size = struct.pack(">II", rows.width, rows.height)
    _chunk(png, b"IHDR", size + bytes([_BITS, _COLOUR_TYPES[rows.mode], 0, 0, 0]))
    if facts.icc_profile:
        _chunk(png, b"iCCP", b"icc\0\0" + zlib.compress(facts.icc_profile))
    if facts.density:
        _chunk(png, b"pHYs", struct.pack(">IIB", *facts.density))
    deflate = _deflated_in_parallel if parallel else _deflated
    for data in deflate(_filtered(rows)):
        if data:
            _chunk(png, b"IDAT", data)
    _chunk(png, b"IEND", b"")


def write_smallest(rows: Rows, png: BinaryIO, facts: Facts) -> None:
    """Writes rows as a PNG of the fewest bytes, by Pillow's encoder; see `write_png`."""
    density = facts.density
    dpi = (density[0] * _INCH, density[1] * _INCH) if density and density[2] else None
    image = to_image(rows)
    image.save(png, "PNG", optimize=True, icc_profile=facts.icc_profile or None, dpi=dpi)


def _filtered(rows: Rows) -> Iterator[bytes]:
    """Yields the rows in blocks, each row filtered and preceded by its filter's type."""
    length = rows.width * _CHANNELS[rows.mode]
    stride = length + 1
    count = max(1, min(_BLOCK_BYTES // stride, _MAX_ROWS - 1, rows.height))
    # Row 0 of the block is the one above: zeros at first, then the last row of the block before.
    block = bytearray((count + 1) * stride)
    block[::stride] = bytes(range(0, 2 * count + 1, _UP))
    for top in range(0, rows.height, count):
        count = min(count, rows.height - top)
        rows.read(block, stride + 1, stride, count)
        above = _as_gray(block, 0, stride, count)
        yield ImageChops.subtract_modulo(_as_gray(block, stride, stride, count), above).tobytes()
        block[1:stride] = block[count * stride + 1 : (count + 1) * stride]


def _as_gray(block: bytearray, offset: int, stride: int, count: int) -> Image.Image:
    """Returns a view of bytes as an image; nothing is copied."""
    view: Any = memoryview(block)[offset:]  # any buffer will do, whatever the stubs say
    return Image.frombuffer("L", (stride, count), view, "raw", "L", 0, 1)


def _deflated(blocks: Iterator[bytes]) -> Iterator[bytes]:
    deflate = _new_deflate()
    for block in blocks:
        yield deflate.compress(block)
    yield deflate.flush()


def _deflated_in_parallel(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Compresses each block while the next one is made; the deflater lets other threads run."""
    deflate = _new_deflate()
    with ThreadPoolExecutor(1) as worker:
        under_way: Future[bytes] | None = None
        for block in blocks:
            if under_way:
                yield under_way.result()
            under_way = worker.submit(deflate.compress, block)
        if under_way:
            yield under_way.result()
    yield deflate.flush()


def _new_deflate() -> _Deflate:
    try:
        isal_zlib = importlib.import_module("isal.isal_zlib")
    except ImportError:
        _LOGGER.warning(
            "The package isal is missing: PNGs are compressed at a quarter of the speed."
        )
        return zlib.compressobj(_LEVEL, strategy=zlib.Z_RLE)
    deflate: _Deflate = isal_zlib.compressobj(_LEVEL, wbits=_WINDOW)
    return deflate


def _chunk(png: BinaryIO, kind: bytes, data: bytes) -> None:
    png.write(struct.pack(">I4s", len(data), kind))
    png.write(data)
    png.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
