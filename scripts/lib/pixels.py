"""The one comparison of a PNG's pixels with those of its JPEG, decoded once more by Pillow."""

import io
from functools import lru_cache

from PIL import Image, ImageChops, ImageOps

# A CMYK image is converted through its profile, which two decoders do not do in the same way.
_COMPARED_MODES = ("L", "RGB")


@lru_cache(maxsize=2048)
def difference(jpeg: bytes, png: bytes) -> str:
    """Return how a PNG differs from its upright JPEG, to be read after "it"; empty if equal."""
    try:
        with Image.open(io.BytesIO(jpeg)) as source, Image.open(io.BytesIO(png)) as converted:
            upright = ImageOps.exif_transpose(source)
            converted.load()
            if converted.format != "PNG":
                return "is not a PNG"
            if converted.size != upright.size:
                return f"is {converted.size}, its JPEG {upright.size}"
            if upright.mode in _COMPARED_MODES and not _equal(converted, upright):
                return "does not have the pixels of its JPEG"
    except OSError as error:
        return f"cannot be compared with its JPEG: {error}"
    return ""


def _equal(first: Image.Image, second: Image.Image) -> bool:
    return first.mode == second.mode and ImageChops.difference(first, second).getbbox() is None
