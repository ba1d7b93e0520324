"""What a JPEG's application segments tell: colours, profile, orientation, density."""

import logging
import struct
import warnings
from typing import Literal

from PIL import Image

from image_converter.conversion.structure import Header

Colours = Literal["gray", "rgb", "ycc", "cmyk", "ycck"]
Density = tuple[int, int, int]
"""Pixels per unit across and down, and PNG's unit: 1 for metres, 0 if only the ratio is known."""

_LOGGER = logging.getLogger(__name__)

_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_CMYK = 4
_ADOBE_TRANSFORM = 6  # where it stands in Adobe's segment, after its name
_JFIF = b"JFIF\0"
_JFIF_SIZE = 9  # without its name
_JFIF_DENSITY, _JFIF_DENSITY_AT = struct.Struct(">BHH"), 2

_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_ORIENTATIONS = range(1, 9)
_EXIF_UNITS_PER_METRE = {2: 1 / 0.0254, 3: 100.0}
_JFIF_UNITS_PER_METRE = {1: 1 / 0.0254, 2: 100.0}
_MAX_UINT31 = 2**31 - 1

_ICC_HEADER = 128
_ICC_TAG = struct.Struct(">4sII")
_ICC_COLOURS = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}


def colours(jpeg: bytes, header: Header) -> Colours:
    """Returns the colours that the components stand for, by libjpeg's rules (its jdapimin.c)."""
    if len(header.components) == 1:
        return "gray"
    transform = None
    for payload in header.payloads(jpeg, _APP14, b"Adobe"):
        if len(payload) > _ADOBE_TRANSFORM:
            transform = payload[_ADOBE_TRANSFORM]
    if len(header.components) == _CMYK:
        return "cmyk" if transform in (None, 0) else "ycck"
    if any(len(payload) >= _JFIF_SIZE for payload in header.payloads(jpeg, _APP0, _JFIF)):
        return "ycc"
    names = bytes(component.name for component in header.components)
    return "rgb" if transform == 0 or (transform is None and names == b"RGB") else "ycc"


def read_exif(jpeg: bytes, header: Header) -> Image.Exif:
    """Returns the EXIF data: empty where there is none, or where it is broken.

    A photograph with broken EXIF data is whole all the same, so this is no error.
    """
    exif = Image.Exif()
    for payload in header.payloads(jpeg, _APP1, b"Exif\0\0"):
        try:
            with warnings.catch_warnings(action="ignore"):
                exif.load(payload)
                exif.get(_ORIENTATION)
        except Exception as error:  # noqa: BLE001 - whatever it is that the parser trips over
            _LOGGER.warning("EXIF data that cannot be read is ignored: %s", error)
            return Image.Exif()
        break
    return exif


def orientation(exif: Image.Exif) -> int:
    """Returns the EXIF orientation, 1 (upright) to 8; 1 too where it makes no sense."""
    value = exif.get(_ORIENTATION)
    return value if isinstance(value, int) and value in _ORIENTATIONS else 1


def density(jpeg: bytes, header: Header, exif: Image.Exif) -> Density | None:
    """Returns the density of pixels, from JFIF or else EXIF, of the image as it is stored."""
    for payload in header.payloads(jpeg, _APP0, _JFIF):
        if len(payload) >= _JFIF_SIZE:
            unit, across, down = _JFIF_DENSITY.unpack_from(payload, _JFIF_DENSITY_AT)
            if unit in _JFIF_UNITS_PER_METRE:
                return _per_metre(across, down, _JFIF_UNITS_PER_METRE[unit])
            if unit == 0 and across != down:
                return (across, down, 0) if across and down else None
    try:
        per_metre = _EXIF_UNITS_PER_METRE[exif.get(_RESOLUTION_UNIT, 2)]
        return _per_metre(float(exif[_X_RESOLUTION]), float(exif[_Y_RESOLUTION]), per_metre)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def icc_profile(jpeg: bytes, header: Header) -> bytes:
    """Returns the colour profile, put together from its segments; empty where there is none.

    A profile with a missing segment comes back as far as it goes: `usable` refuses it.
    """
    parts = sorted(header.payloads(jpeg, _APP2, b"ICC_PROFILE\0"))
    return b"".join(part[2:] for part in parts)


def usable(profile: bytes, mode: str) -> bool:
    """Whether a colour profile is whole and is one for pixels of this mode.

    The rules are the first of libpng's for iCCP: readers drop a profile that breaks them, or the
    image with it. Its further ones (class, connection space, alignment) cost a profile at most.
    """
    if len(profile) < _ICC_HEADER + 4 or int.from_bytes(profile[:4]) != len(profile):
        return False
    if profile[36:40] != b"acsp" or profile[16:20] != _ICC_COLOURS[mode]:
        return False
    first, count = _ICC_HEADER + 4, int.from_bytes(profile[_ICC_HEADER : _ICC_HEADER + 4])
    if first + count * _ICC_TAG.size > len(profile):
        return False
    tags = _ICC_TAG.iter_unpack(profile[first : first + count * _ICC_TAG.size])
    return all(start + length <= len(profile) for _, start, length in tags)


def _per_metre(across: float, down: float, factor: float) -> Density | None:
    if not (0 < across * factor <= _MAX_UINT31 and 0 < down * factor <= _MAX_UINT31):
        return None
    return round(across * factor), round(down * factor), 1
