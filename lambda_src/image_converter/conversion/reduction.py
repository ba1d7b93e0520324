"""Reduced images from one pass over the rows.

Rows are averaged in squares of whole pixels as they come, so that the whole image is never in
memory if only small ones are wanted. The result, at least 1.56 times as large as the largest image
that is wanted, is resampled with Lanczos: both steps are within 50 dB of Lanczos alone.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from PIL import Image

from image_converter.conversion.rows import Rows
from image_converter.renditions import Rendition

# How many times as large as the result the reduced image is, in each direction. Squares of 2 x 2
# blur less than larger ones.
_GAP, _GAP_OF_TWO = 2, 1.56
_TWO = 2
_BLOCK_BYTES = 768 * 1024


class Plan(NamedTuple):
    """What becomes of an image.

    Attributes:
        box: the part of it that is used, as left, top, right and bottom.
        size: width and height of the result.
    """

    box: tuple[float, float, float, float]
    size: tuple[int, int]

    @property
    def ratio(self) -> float:
        """How many times as large as the result the part of the image is; 1 at least."""
        left, top, right, bottom = self.box
        return max(1.0, min((right - left) / self.size[0], (bottom - top) / self.size[1]))


def plan(rendition: Rendition, width: int, height: int) -> Plan:
    """Returns what a rendition makes of an upright image of that size; it never enlarges."""
    if rendition.fit == "cover" and rendition.max_width and rendition.max_height:
        return _cover(rendition.max_width, rendition.max_height, width, height)
    scale = min(
        1.0, (rendition.max_width or width) / width, (rendition.max_height or height) / height
    )
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return Plan((0, 0, width, height), size)


def _cover(max_width: int, max_height: int, width: int, height: int) -> Plan:
    """Crops to the ratio of the box, from the middle; what would be enlarged is only cropped."""
    scale = max(max_width / width, max_height / height)
    if scale <= 1:
        across, down = max_width / scale, max_height / scale
        left, top = (width - across) / 2, (height - down) / 2
        return Plan((left, top, left + across, top + down), (max_width, max_height))
    size = (
        max(1, min(width, round(height * max_width / max_height))),
        max(1, min(height, round(width * max_height / max_width))),
    )
    x, y = (width - size[0]) // 2, (height - size[1]) // 2
    return Plan((x, y, x + size[0], y + size[1]), size)


def factor(plans: Sequence[Plan]) -> int:
    """Returns the side of the squares that may be averaged for all plans."""
    ratio = min(planned.ratio for planned in plans)
    if ratio < _GAP * _TWO:
        return _TWO if ratio >= _GAP_OF_TWO * _TWO else 1
    return int(ratio / _GAP)


class Reduced(NamedTuple):
    """An image that renditions are made from.

    Attributes:
        image: the image.
        scale: how many pixels of the image in the plans make one of this image, in each direction.
        origin: where the image in the plans begins in this one, in its own pixels.
    """

    image: Image.Image
    scale: int
    origin: tuple[int, int]

    def resized(self, wanted: Plan) -> Image.Image:
        """Returns what was planned."""
        left, top, right, bottom = (
            (edge + start) / self.scale
            for edge, start in zip(wanted.box, self.origin * 2, strict=True)
        )
        size: tuple[float, float] = wanted.size
        if self.scale == 1 and size == (right - left, bottom - top):
            box = (int(left), int(top), int(right), int(bottom))
            return self.image if box == (0, 0, *self.image.size) else self.image.crop(box)
        return self.image.resize(
            wanted.size, Image.Resampling.LANCZOS, (left, top, right, bottom), reducing_gap=3.0
        )


class Reduction:
    """An image, reduced by a whole factor while its rows are read from here: it is `Rows`, too."""

    def __init__(
        self, rows: Rows, factor: int, shrink: int = 1, origin: tuple[int, int] = (0, 0)
    ) -> None:
        """Takes the rows.

        Args:
            rows: the image; nothing of it was read yet.
            factor: the side of the squares that become a pixel each.
            shrink: how many times as wide and high as these rows the image in the plans is.
            origin: where that image begins in these rows, in its own pixels: they consist of whole
                squares of it, and in a turned image the incomplete square may come first.
        """
        self._shrink, self._origin = shrink, origin
        self._rows, self._factor = rows, factor
        self.width, self.height, self.mode = rows.width, rows.height, rows.mode
        size = (-(-self.width // factor), -(-self.height // factor))
        self._image = Image.new(self.mode, size, None)
        # The upper rows of squares whose lower rows are still to come.
        self._waiting = Image.new(self.mode, (self.width, factor))
        self._row = 0

    def read(self, block: bytearray, offset: int, stride: int, count: int) -> None:
        """Writes the next rows into a block; see `Rows`."""
        self._rows.read(block, offset, stride, count)
        view: Any = memoryview(block)[offset:]  # any buffer will do, whatever the stubs say
        part = Image.new(self.mode, (self.width, count), None)
        part.frombytes(view, "raw", self.mode, stride, 1)
        self._take(part)

    def read_all(self) -> None:
        """Reads all rows for the reduced image alone."""
        stride = self.width * len(self.mode)
        count = max(1, min(_BLOCK_BYTES // stride, self.height))
        block = bytearray(count * stride)
        for top in range(0, self.height, count):
            self.read(block, 0, stride, min(count, self.height - top))

    def finished(self) -> Reduced:
        """Returns the reduced image, after all rows were read; it does not refer to the decoder."""
        return Reduced(self._image, self._factor * self._shrink, self._origin)

    def _take(self, rows: Image.Image) -> None:
        """Averages the next rows in squares."""
        top, waiting = 0, self._row % self._factor
        if waiting:
            top = min(rows.height, self._factor - waiting)
            self._waiting.paste(rows.crop((0, 0, self.width, top)), (0, waiting))
            self._row += top
            self._average(self._waiting, 0, waiting + top)
        is_last = self._row + rows.height - top == self.height
        rest = 0 if is_last else (rows.height - top) % self._factor
        bottom = rows.height - rest
        if top < bottom:
            self._row += bottom - top
            self._average(rows, top, bottom)
        if rest:
            self._waiting.paste(rows.crop((0, bottom, self.width, rows.height)), (0, 0))
            self._row += rest

    def _average(self, rows: Image.Image, top: int, bottom: int) -> None:
        """Averages rows, the last of which comes before `_row`, if their squares are complete."""
        if self._row % self._factor and self._row < self.height:
            return
        averaged = rows
        if self._factor > 1:
            averaged = rows.reduce(self._factor, (0, top, self.width, bottom))
        self._image.paste(averaged, (0, (self._row - (bottom - top)) // self._factor))
