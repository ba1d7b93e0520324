"""JPEG bytes in, PNG bytes out; knows nothing of AWS."""

import io
import warnings
from typing import BinaryIO

from PIL import Image, ImageOps, JpegImagePlugin, MpoImagePlugin, UnidentifiedImageError

from image_converter.conversion.model import Compression, Conversion, Limits
from image_converter.conversion.png import write_png
from image_converter.errors import DamagedImage, ImageTooLarge, UnsupportedImage

__all__ = ["Compression", "Conversion", "Limits", "convert"]

_FORMATS = (JpegImagePlugin.JpegImageFile.format, MpoImagePlugin.MpoImageFile.format)


def convert(
    jpeg: bytes, png: BinaryIO, limits: Limits, compression: Compression = "fast"
) -> Conversion:
    """Writes a JPEG's pixels, upright and in RGB or gray, as a PNG.

    Args:
        jpeg: the whole file.
        png: where the PNG goes; written from its current position on.
        limits: what is refused before any pixel is decoded.
        compression: "fast", or "smallest" for the smallest file at many times the time.

    Raises:
        DamagedImage: the JPEG is truncated or corrupt.
        ImageTooLarge: it passes one of the limits.
        UnsupportedImage: no JPEG, or a kind of JPEG that is not read here.
    """
    if len(jpeg) > limits.max_bytes:
        raise ImageTooLarge(
            f"The JPEG has {len(jpeg):,} bytes, the limit is {limits.max_bytes:,}."
        )
    if not jpeg.startswith(b"\xff\xd8\xff"):
        raise UnsupportedImage("The file does not start as a JPEG does (FF D8 FF).")
    start = png.tell()
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            source = Image.open(io.BytesIO(jpeg), formats=("JPEG", "MPO"))
        except UnidentifiedImageError as error:
            raise DamagedImage("The JPEG's header cannot be read.") from error
        if source.width * source.height > limits.max_pixels:
            raise ImageTooLarge(
                f"The JPEG has {source.width:,} x {source.height:,} pixels,"
                f" the limit is {limits.max_pixels:,} pixels."
            )
        source_mode = source.mode
        try:
            source.load()
        except OSError as error:
            raise DamagedImage(f"The JPEG's pixels cannot be decoded: {error}.") from error
    orientation = source.getexif().get(0x0112, 1)
    image = ImageOps.exif_transpose(source)
    if image.mode not in ("L", "RGB"):
        image = image.convert("RGB")
    if compression == "smallest":
        image.save(png, "PNG", optimize=True)
    else:
        write_png(image, png)
    return Conversion(
        width=image.width,
        height=image.height,
        mode=image.mode,
        size=png.tell() - start,
        source_mode=source_mode,
        orientation=orientation,
        icc=False,
    )
