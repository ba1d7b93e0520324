"""CMYK, and gray for formats without it, to RGB."""

import io
from collections.abc import Callable

from PIL import Image, ImageCms

from image_converter.conversion.jpeg_metadata import is_valid_profile

Convert = Callable[[Image.Image], Image.Image]


def to_rgb(profile: bytes, mode: str = "CMYK") -> tuple[Convert, bool]:
    """Returns a function that converts an image to sRGB, and whether it uses the profile.

    Without a profile, or with one that is broken or not for the image's mode, the function is
    Pillow's plain arithmetic.
    """
    if is_valid_profile(profile, mode):
        try:
            transform = ImageCms.buildTransform(
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                mode,
                "RGB",
            )
        except (ImageCms.PyCMSError, OSError):
            pass
        else:
            return lambda strip: _apply(strip, transform), True
    return lambda strip: strip.convert("RGB"), False


def _apply(strip: Image.Image, transform: ImageCms.ImageCmsTransform) -> Image.Image:
    return transform.apply(strip)
