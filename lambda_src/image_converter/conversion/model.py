"""What goes into a conversion and what is known after it."""

from dataclasses import dataclass
from typing import Literal

Compression = Literal["fast", "smallest"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What an image may measure; see `memory.py` for how the numbers derive from a function's memory."""

    max_bytes: int
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """Facts of a PNG that was written."""

    width: int
    """Pixels per row of the PNG, after the EXIF orientation was applied."""
    height: int
    """Rows of the PNG, after the EXIF orientation was applied."""
    mode: str
    """"L" (grayscale) or "RGB"."""
    size: int
    """Bytes of the PNG."""
    source_mode: str
    """The JPEG's own colours: "L", "RGB" or "CMYK"."""
    orientation: int
    """The EXIF orientation that was applied, 1 (none) to 8."""
    icc: bool
    """Whether the PNG carries the JPEG's colour profile."""
