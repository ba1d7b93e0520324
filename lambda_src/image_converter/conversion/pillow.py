"""Decodes a JPEG whole with Pillow: those that libtiff does not read."""

import io

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from image_converter.errors import DamagedImage


def decode(jpeg: bytes, end: int) -> Image.Image:
    """Returns the image as it is stored, of mode L, RGB or CMYK.

    The plugin is called by its name: `Image.open` would choose one by what the bytes look like.

    Args:
        jpeg: the file.
        end: where the image ends in it.

    Raises:
        DamagedImage: it cannot be decoded.
    """
    try:
        image = JpegImageFile(io.BytesIO(memoryview(jpeg)[:end]))
        image.load()
    except (OSError, SyntaxError) as error:
        raise DamagedImage(f"The JPEG cannot be decoded: {error}.") from error
    return image
