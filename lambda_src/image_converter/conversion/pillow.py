"""Decodes a JPEG whole with Pillow: what libtiff does not read."""

import hashlib
import io
import re
import warnings

from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from image_converter.conversion.structure import Scans
from image_converter.errors import DamagedImage

_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
# Ones, which are no code in any table; libjpeg makes up zeros.
_OTHER_ENDING = b"\xff\x00" * 16
_ROWS = 64


def decode(jpeg: bytes, scans: Scans) -> Image.Image:
    """Returns the image as it is stored, of mode L, RGB or CMYK.

    The one plugin is called by its name: `Image.open` would choose among all of them.

    Raises:
        DamagedImage: it cannot be decoded.
    """
    return _decode(jpeg[: scans.end])


def decode_strictly(jpeg: bytes, scans: Scans) -> Image.Image:
    """Returns the image as `decode` does, unless a part of its data is missing.

    libjpeg makes up what is missing, and Pillow does not tell. So the image is decoded twice, once
    with further bytes after all data: they change nothing, unless some of them are needed.

    Raises:
        DamagedImage: it cannot be decoded, or only in part.
    """
    expected = _digest(_decode(_with_other_endings(jpeg, scans)))
    image = decode(jpeg, scans)
    if _digest(image) != expected:
        raise DamagedImage("The JPEG is damaged: a part of its data is missing.")
    return image


def _decode(jpeg: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings(action="ignore"):  # about EXIF data, which are read elsewhere
            image = JpegImageFile(io.BytesIO(jpeg))
        image.load()
    except (OSError, SyntaxError) as error:
        raise DamagedImage(f"The JPEG cannot be decoded: {error}.") from error
    return image


def _with_other_endings(jpeg: bytes, scans: Scans) -> bytes:
    """Puts further data in front of each marker that ends data."""
    parts, at = [], 0
    for start, end in scans.data:
        data = _RESTART.sub(lambda marker: _OTHER_ENDING + marker[0], jpeg[start:end])
        parts += [jpeg[at:start], data, _OTHER_ENDING]
        at = end
    return b"".join([*parts, jpeg[at : scans.end]])


def _digest(image: Image.Image) -> bytes:
    """Returns a digest of the pixels, so that two images need not be in memory at once."""
    digest = hashlib.blake2b()
    for top in range(0, image.height, _ROWS):
        bottom = min(top + _ROWS, image.height)
        digest.update(image.crop((0, top, image.width, bottom)).tobytes())
    return digest.digest()
