"""Small versions of images, for a page that carries all it shows."""

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
_END_OF_IMAGE = b"\xff\xd9"
_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
_FORMATS = (
    JpegImagePlugin.JpegImageFile.format,
    PngImagePlugin.PngImageFile.format,
    WebPImagePlugin.WebPImageFile.format,
    AvifImagePlugin.AvifImageFile.format,
)


def with_preview(picture: Picture, content: bytes) -> Picture:
    """Return the picture with its dimensions and a small version, or with the reason for none.

    Of a JPEG that is cut off, the small version has what can be read.
    """
    try:
        return _shown(picture, content)
    except UnidentifiedImageError:
        return replace(picture, note="It is not an image that can be shown.")
    except _UNREADABLE as error:
        problem = f"It cannot be shown: {error}."
    try:
        # With an end, the decoder leaves what is missing grey instead of waiting for more.
        return damaged(_shown(picture, content + _END_OF_IMAGE))
    except _UNREADABLE:
        return replace(picture, note=problem)


def damaged(picture: Picture) -> Picture:
    """Return the picture with a remark that its preview is of a damaged image."""
    note = "The image is damaged; this is what can be read of it."
    return replace(picture, note=" ".join(filter(None, [note, picture.note])), damaged=True)


def _shown(picture: Picture, content: bytes) -> Picture:
    image = Image.open(io.BytesIO(content), formats=_FORMATS)
    width, height = image.size
    image.draft("RGB", (EDGE * 2, EDGE * 2))
    shown = ImageOps.exif_transpose(image)
    turned = (image.width < image.height) != (shown.width < shown.height)
    shown.thumbnail((EDGE, EDGE))
    small = io.BytesIO()
    shown.convert("RGB").save(small, "JPEG", quality=_QUALITY, progressive=True, optimize=True)
    notes = ["The camera was rotated; the image is shown upright."] if turned else []
    if max(width, height) > EDGE:
        notes.append(f"The preview has {shown.width} by {shown.height} pixels.")
    preview = f"data:image/jpeg;base64,{base64.b64encode(small.getvalue()).decode()}"
    return replace(picture, width=width, height=height, preview=preview, note=" ".join(notes))
