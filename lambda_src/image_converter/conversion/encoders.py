"""Files of the formats that Pillow encodes; each encoder is loaded when it is first used."""

import importlib
import io
from typing import Any, BinaryIO

from PIL import Image

from image_converter.conversion import cmyk, jpeg_metadata, png_encoder
from image_converter.conversion.png_encoder import PngMetadata
from image_converter.conversion.rows import ImageRows
from image_converter.errors import InvalidSettings
from image_converter.renditions import Format, Rendition

# Nearly the quality and the bytes of the slowest settings; AVIF's next slower speed takes six times
# as long, and at equal bytes "ssim" is half a decibel closer to the original than the default. One
# thread: Lambda has one processor up to 1,769 MB, and a thread takes memory.
_OPTIONS: dict[Format, dict[str, Any]] = {
    "jpeg": {"optimize": True},
    "webp": {"method": 4},
    "avif": {"speed": 6, "max_threads": 1, "advanced": {"tune": "ssim"}},
}
_PLUGINS: dict[Format, str] = {
    "jpeg": "PIL.JpegImagePlugin",
    "webp": "PIL.WebPImagePlugin",
    "avif": "PIL.AvifImagePlugin",
}
# Formats without gray images.
_COLOURS_ONLY = frozenset({"webp"})

MAX_SIDES: dict[Format, int] = {"webp": 16_383, "avif": 32_768}
"""Pixels a side that a format can have, if a JPEG can have more; for AVIF, that readers accept."""


def encode(
    image: Image.Image, rendition: Rendition, icc_profile: bytes, exif: bytes, file: BinaryIO
) -> None:
    """Writes an image as a file of the rendition's format.

    Args:
        image: an image of the rendition's size, in gray or RGB.
        rendition: the format and its settings.
        icc_profile: the colour profile of the pixels; empty for none.
        exif: EXIF data for the file, as a TIFF; empty for none.
        file: where it goes.

    Raises:
        InvalidSettings: this Pillow does not write the format.
    """
    if rendition.format == "png":
        metadata = PngMetadata(icc_profile, exif=exif)
        png_encoder.write(ImageRows(image), file, metadata, rendition.compression)
        return
    if image.mode == "L" and rendition.format in _COLOURS_ONLY:
        image, icc_profile = _in_colour(image, icc_profile), b""
    options = _OPTIONS[rendition.format]
    if rendition.format == "avif" and image.mode != "L":
        options = {**options, "subsampling": "4:4:4"}  # Pillow makes gray ones 4:0:0
    _load(rendition.format)
    if rendition.format == "webp":
        _clear_vector_registers()
    # Pillow keeps a profile for some formats and drops it for others unless it is passed.
    image.save(
        file,
        rendition.format.upper(),
        quality=rendition.quality,
        icc_profile=icc_profile or None,
        # Only in a JPEG, the data have a name before them.
        exif=b"Exif\0\0" + exif if exif and rendition.format == "jpeg" else exif,
        **options,
    )


def _load(image_format: Format) -> None:
    """Loads the encoder, which the layer has only if it was built for the format."""
    try:
        importlib.import_module(_PLUGINS[image_format])
        if image_format.upper() in Image.SAVE:
            return
    except ImportError:
        pass
    raise InvalidSettings(
        f"the layer does not write {image_format}: build it by `make package FORMATS=...`"
    )


def _clear_vector_registers() -> None:
    """Encodes a tiny JPEG, because libjpeg's code clears the processor's vector registers.

    ISA-L, which compresses PNGs, leaves their upper halves in use on x86-64. libwebp's code, which
    uses the lower halves, takes 1.6 times as long until they are cleared; this takes 0.03 ms.
    """
    Image.new("L", (8, 8)).save(io.BytesIO(), "JPEG")


def _in_colour(image: Image.Image, profile: bytes) -> Image.Image:
    if jpeg_metadata.is_valid_profile(profile, "L"):
        to_rgb, _ = cmyk.to_rgb(profile, "L")
        return to_rgb(image)
    return image.convert("RGB")
