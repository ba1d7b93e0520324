"""Small versions of images, for a page that carries all it shows."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

# The plugins by name: Pillow's own search for them is not made for threads.
from PIL import (
    AvifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from scripts.lib.executions.run import Picture

EDGE = 640  # pixels of the longer edge
_QUALITY = 78
_FORMATS = (
    JpegImagePlugin.JpegImageFile.format,
    PngImagePlugin.PngImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    AvifImagePlugin.AvifImageFile.format,
)


def with_preview(picture: Picture, content: bytes) -> Picture:
    """Return the picture with its dimensions and a small version, or with the reason for none."""
    try:
        image = Image.open(io.BytesIO(content), formats=_FORMATS)
        known = replace(picture, width=image.width, height=image.height)
        return _previewed(known, image)
    except UnidentifiedImageError:
        return replace(picture, note="It is not an image that can be shown.")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return replace(picture, note=f"It cannot be shown: {error}.")


def _previewed(picture: Picture, image: Image.Image) -> Picture:
    try:
        image.draft("RGB", (EDGE * 2, EDGE * 2))
        shown = ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        return replace(picture, note=f"It cannot be shown: {error}.")
    turned = (image.width < image.height) != (shown.width < shown.height)
    reduced = max(picture.width, picture.height) > EDGE
    shown.thumbnail((EDGE, EDGE))
    small = io.BytesIO()
    shown.convert("RGB").save(small, "JPEG", quality=_QUALITY, progressive=True, optimize=True)
    notes = ["The camera was rotated; the image is shown upright."] if turned else []
    notes += [f"The preview has {shown.width} by {shown.height} pixels."] if reduced else []
    encoded = base64.b64encode(small.getvalue()).decode()
    return replace(picture, preview=f"data:image/jpeg;base64,{encoded}", note=" ".join(notes))
