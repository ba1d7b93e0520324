"""What a conversion takes and returns."""

from typing import Literal, NamedTuple

from image_converter.compression import Compression

__all__ = ["Compression", "Conversion", "Conversions", "Encoded", "Icc", "Limits"]

Icc = Literal["none", "kept", "applied", "dropped"]


class Limits(NamedTuple):
    """What is refused before a pixel is decoded; `limits.py` derives both from a memory size.

    Attributes:
        max_bytes: bytes of the JPEG file.
        max_pixels: width times height.
    """

    max_bytes: int
    max_pixels: int


class Conversion(NamedTuple):
    """What is known of a PNG after it was written.

    Attributes:
        width: pixels per row, with the orientation applied.
        height: rows, with the orientation applied.
        mode: "L" (grayscale) or "RGB", 8 bits a sample.
        size: bytes of the PNG.
        source_mode: colours of the JPEG: "L", "RGB" or "CMYK".
        progressive: whether the JPEG was progressive.
        orientation: EXIF orientation that was applied, 1 (upright already) to 8.
        icc: what became of the JPEG's colour profile: there was "none", it was "kept" in the PNG,
            "applied" to CMYK, or "dropped" because it is broken or for other colours.
        trailing_bytes: bytes after the image, which are ignored: phones append videos, for example.
        skipped_bytes: bytes within the image that belong to nothing, between segments or after the
            last row.
    """

    width: int
    height: int
    mode: str
    size: int
    source_mode: str
    progressive: bool
    orientation: int
    icc: Icc
    trailing_bytes: int
    skipped_bytes: int


class Encoded(NamedTuple):
    """A file that was written; `size` is its bytes."""

    width: int
    height: int
    size: int


class Conversions(NamedTuple):
    """What is known of all renditions of a JPEG after they were written.

    Attributes:
        encoded: the files, in the order in which they were asked for.
        trailing_bytes: as in `Conversion`.
        skipped_bytes: as in `Conversion`.
    """

    encoded: tuple[Encoded, ...]
    trailing_bytes: int
    skipped_bytes: int
