"""PNG's filters (ISO/IEC 15948, 9.2) for blocks of rows, each computed in a few calls.

A block is viewed as a gray image with a column for each byte. The same bytes from one row higher,
or from one pixel further left, are further views of it, without a copy.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from PIL import Image, ImageChops

from image_converter.conversion.rows import Rows

_CHANNELS = {"L": 1, "RGB": 3}

_UP, _AVERAGE = 2, 3
# Bytes of a block: few enough for the processor's cache, enough for the calls not to matter.
_BLOCK_BYTES = 768 * 1024


class Block(NamedTuple):
    """Rows to be filtered.

    Before each row are as many zeros as a pixel has bytes: the pixel to the left of the first one.
    In the filtered rows, the filter's type replaces the last of them.

    Attributes:
        data: the row above, then the rows; good only until the next block is read.
        channels: bytes a pixel.
        pitch: bytes from the start of a row to that of the next.
        rows: how many there are, without the row above.
    """

    data: bytearray
    channels: int
    pitch: int
    rows: int

    def view(self, rows: range, *, up: int = 0, left: int = 0) -> Image.Image:
        """Returns rows with the byte before each, `up` rows higher and `left` bytes earlier."""
        offset = (1 + rows.start - up) * self.pitch + self.channels - 1 - left
        data: Any = memoryview(self.data)[offset:]  # any buffer will do, whatever the stubs say
        size = (self.pitch - self.channels + 1, len(rows))
        return Image.frombuffer("L", size, data, "raw", "L", self.pitch, 1)


Filter = Callable[[Block, range], bytes]
"""Returns rows of a block filtered, the filter's type before each."""


def up(block: Block, rows: range) -> bytes:
    """PNG's Up filter: subtracts from each byte the byte above it."""
    above = block.view(rows, up=1)
    return _typed(_UP, ImageChops.subtract_modulo(block.view(rows), above))


def average(block: Block, rows: range) -> bytes:
    """PNG's Average filter: subtracts the mean, rounded down, of the bytes above and left."""
    above, left = block.view(rows, up=1), block.view(rows, left=block.channels)
    mean = Image.blend(above, left, 0.5)  # which cuts the fraction off
    return _typed(_AVERAGE, ImageChops.subtract_modulo(block.view(rows), mean))


def _typed(kind: int, filtered: Image.Image) -> bytes:
    filtered.paste(kind, (0, 0, 1, filtered.height))
    return filtered.tobytes()


def blocks(rows: Rows) -> Iterator[Block]:
    """Yields an image's rows in blocks."""
    channels = _CHANNELS[rows.mode]
    pitch = channels + rows.width * channels
    count = max(1, min(_BLOCK_BYTES // pitch, rows.height))
    # Above a block's first row is the last row of the previous block, or zeros. The last row is
    # followed by as many bytes as precede it, because a view consists of whole pitches.
    data = bytearray((count + 1) * pitch + channels)
    for top in range(0, rows.height, count):
        count = min(count, rows.height - top)
        rows.read(data, pitch + channels, pitch, count)
        yield Block(data, channels, pitch, count)
        data[:pitch] = data[count * pitch : (count + 1) * pitch]
