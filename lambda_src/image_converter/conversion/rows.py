"""The rows that an encoder reads: packed samples, from top to bottom, the image upright."""

from collections.abc import Callable
from typing import Protocol

from PIL import Image

_Transpose = Image.Transpose
_UPRIGHT = {
    2: _Transpose.FLIP_LEFT_RIGHT,
    3: _Transpose.ROTATE_180,
    4: _Transpose.FLIP_TOP_BOTTOM,
    5: _Transpose.TRANSPOSE,
    6: _Transpose.ROTATE_270,
    7: _Transpose.TRANSVERSE,
    8: _Transpose.ROTATE_90,
}
TRANSPOSED_ORIENTATIONS = range(5, 9)
FROM_THE_RIGHT, FROM_THE_BOTTOM = (2, 3, 6, 7), (3, 4, 7, 8)
"""Orientations in which the left edge, or the top, of the upright image is stored last."""

_ROWS = 64


class Rows(Protocol):
    """The rows of an image, each read once and in order."""

    width: int
    height: int
    mode: str
    """"L" or "RGB"; "CMYK" where `to_image` reads them."""

    def read(self, block: bytearray, offset: int, stride: int, count: int) -> None:
        """Writes the next rows into a block.

        Args:
            block: where the samples go.
            offset: the byte at which the first row starts.
            stride: bytes from the start of a row to that of the next.
            count: how many rows; at most as many as are left.
        """


class ImageRows:
    """The rows of an image in memory, turned and converted by strips, so that it exists once."""

    def __init__(
        self,
        image: Image.Image,
        orientation: int = 1,
        convert: Callable[[Image.Image], Image.Image] = lambda strip: strip,
        mode: str | None = None,
    ) -> None:
        """Takes an image and what is to be done with each strip of it.

        Args:
            image: the image as it is stored.
            orientation: its EXIF orientation, 1 to 8.
            convert: converts a strip from the image's own mode to `mode`.
            mode: "L" or "RGB", if it is not the image's own.
        """
        self._image, self._orientation, self._convert = image, orientation, convert
        self.mode = mode or image.mode
        self.width, self.height = image.size
        if orientation in TRANSPOSED_ORIENTATIONS:
            self.width, self.height = self.height, self.width
        self._row = 0

    def read(self, block: bytearray, offset: int, stride: int, count: int) -> None:
        """Writes the next rows into a block; see `Rows`."""
        samples = self._strip(self._row, self._row + count).tobytes()
        self._row += count
        length = len(samples) // count
        for row in range(count):
            at = offset + row * stride
            block[at : at + length] = samples[row * length : (row + 1) * length]

    def _strip(self, top: int, bottom: int) -> Image.Image:
        width, height = self._image.size
        if self._orientation in FROM_THE_BOTTOM:
            top, bottom = self.height - bottom, self.height - top
        transposed = self._orientation in TRANSPOSED_ORIENTATIONS
        box = (top, 0, bottom, height) if transposed else (0, top, width, bottom)
        strip = self._convert(self._image.crop(box))
        method = _UPRIGHT.get(self._orientation)
        return strip if method is None else strip.transpose(method)


def to_image(rows: Rows) -> Image.Image:
    """Reads all rows into an image of their mode.

    JPEGs have CMYK inverted, as Adobe began to store it: 255 is no ink.
    """
    image = Image.new(rows.mode, (rows.width, rows.height), None)
    raw_mode = "CMYK;I" if rows.mode == "CMYK" else rows.mode
    stride = rows.width * len(image.getbands())
    block = bytearray(min(_ROWS, rows.height) * stride)
    for top in range(0, rows.height, _ROWS):
        count = min(_ROWS, rows.height - top)
        rows.read(block, 0, stride, count)
        size = (rows.width, count)
        image.paste(Image.frombuffer(rows.mode, size, block, "raw", raw_mode, 0, 1), (0, top))
    return image
