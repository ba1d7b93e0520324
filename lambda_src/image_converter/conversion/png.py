"""A PNG encoder for what photographs need: 8 bits, gray or RGB, one filter, a fast deflate."""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib
from PIL import Image, ImageChops

_ROWS = 64
_COLOUR_TYPES = {"L": 0, "RGB": 2}
_UP = 2


def write_png(image: Image.Image, png: BinaryIO) -> None:
    """Writes an image of mode L or RGB as a PNG."""
    png.write(b"\x89PNG\r\n\x1a\n")
    header = struct.pack(">IIBBBBB", *image.size, 8, _COLOUR_TYPES[image.mode], 0, 0, 0)
    _chunk(png, b"IHDR", header)
    deflate = isal_zlib.compressobj(1)
    for rows in _filtered(image):
        if block := deflate.compress(rows):
            _chunk(png, b"IDAT", block)
    _chunk(png, b"IDAT", deflate.flush())
    _chunk(png, b"IEND", b"")


def _filtered(image: Image.Image) -> Iterator[bytearray]:
    width, height = image.size
    stride = width * len(image.getbands()) + 1
    for top in range(0, height, _ROWS):
        box = (0, top, width, min(top + _ROWS, height))
        rows = image.crop(box)
        above = image.crop((0, top - 1, width, box[3] - 1))
        data = bytearray(
            ImageChops.subtract_modulo(rows, above).tobytes("raw", image.mode, stride, 1)
        )
        data[stride - 1 :: stride] = bytes([_UP]) * (box[3] - top)
        yield bytearray([_UP]) + data[:-1]


def _chunk(png: BinaryIO, kind: bytes, data: bytes) -> None:
    png.write(struct.pack(">I", len(data)) + kind)
    png.write(data)
    png.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
