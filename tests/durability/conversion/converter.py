"""Converts files in a process that imports nothing else.

A JPEG in CMYK is decoded in a fork, which takes the longer the more its parent has in memory.
"""

import io

from image_converter.conversion import Limits, convert
from image_converter.errors import ConversionError

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000)


def pngs(files: list[bytes]) -> list[bytes | None]:
    """Return the PNG of each file, or None where it is refused."""
    converted: list[bytes | None] = []
    for encoded in files:
        png = io.BytesIO()
        try:
            convert(encoded, png, LIMITS)
        except ConversionError:
            converted.append(None)
        else:
            converted.append(png.getvalue())
    return converted
