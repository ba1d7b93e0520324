"""What a JPEG's application segments say: colours, profile, orientation, density, copyright."""

import logging
import struct
import warnings
from collections.abc import Iterator
from typing import Literal, NamedTuple, Self

from PIL import Image

from image_converter.conversion.jpeg_parser import Header
from image_converter.errors import DamagedImage

Colours = Literal["gray", "rgb", "ycc", "cmyk", "ycck"]

_LOGGER = logging.getLogger(__name__)

_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_CMYK = 4
_ADOBE_SIZE, _ADOBE_TRANSFORM = 12, 11  # of Adobe's segment, and where the code is in it
_JFIF = b"JFIF\0"
_EXIF = b"Exif\0\0"
_JFIF_SIZE = 9  # without its name
_JFIF_DENSITY, _JFIF_DENSITY_AT = struct.Struct(">BHH"), 2

_ARTIST, _COPYRIGHT = 0x013B, 0x8298
_MAX_TEXT = 4096
_ORIENTATION, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 0x0112, 0x011A, 0x011B, 0x0128
_ORIENTATIONS = range(1, 9)
_EXIF_UNITS_PER_METRE = {2: 1 / 0.0254, 3: 100.0}
_JFIF_UNITS_PER_METRE = {1: 1 / 0.0254, 2: 100.0}
_MAX_UINT31 = 2**31 - 1

_ICC_PART_HEAD = 2  # a part's number and how many there are
_ICC_HEADER = 128
_ICC_TAG = struct.Struct(">4sII")
_ICC_COLOURS = {"L": b"GRAY", "RGB": b"RGB ", "CMYK": b"CMYK"}


class Density(NamedTuple):
    """How densely the pixels lie, as PNG's pHYs has it.

    Attributes:
        x: pixels per unit across.
        y: pixels per unit down.
        unit: 1 for metres, 0 if only the ratio is known.
    """

    x: int
    y: int
    unit: int

    def swapped(self) -> Self:
        """Returns the density of the image turned by 90 degrees."""
        return self._replace(x=self.y, y=self.x)


def colours(jpeg: bytes, header: Header) -> Colours:
    """Returns the colours that the components stand for, by libjpeg's rules (its jdapimin.c).

    Raises:
        DamagedImage: the segment that says so is broken.
    """
    if len(header.components) == 1:
        return "gray"
    transform = _adobe_transform(jpeg, header)
    if len(header.components) == _CMYK:
        return _by_transform(transform, {None: "cmyk", 0: "cmyk", 2: "ycck"})
    if any(len(payload) >= _JFIF_SIZE for payload in header.payloads(jpeg, _APP0, _JFIF)):
        return "ycc"
    names = bytes(component.name for component in header.components)
    by_names: Colours = "rgb" if names == b"RGB" else "ycc"
    return _by_transform(transform, {None: by_names, 0: "rgb", 1: "ycc"})


def _adobe_transform(jpeg: bytes, header: Header) -> int | None:
    """Returns Adobe's code of how colours became components; None if there is none."""
    payloads = list(header.payloads(jpeg, _APP14, b""))
    if header.skipped and any(len(payload) < _ADOBE_SIZE for payload in payloads):
        raise DamagedImage(
            "The JPEG has bytes that belong to no segment, and Adobe's segment is too short: which"
            " colours its components stand for is unknown."
        )
    codes = [
        payload[_ADOBE_TRANSFORM]
        for payload in payloads
        if payload.startswith(b"Adobe") and len(payload) >= _ADOBE_SIZE
    ]
    return codes[-1] if codes else None


def _by_transform(transform: int | None, colours_of: dict[int | None, Colours]) -> Colours:
    if transform not in colours_of:
        raise DamagedImage(
            f"The JPEG's Adobe segment names transform {transform}, which does not exist for its"
            " number of components: which colours they stand for is unknown."
        )
    return colours_of[transform]


def read_exif(jpeg: bytes, header: Header) -> Image.Exif:
    """Returns the EXIF data: empty if there is none or it is broken.

    A photograph with broken EXIF data is whole all the same, so this is not an error. Data with a
    second name before them count as broken: Pillow skips that name, but browsers, libvips,
    ImageMagick and exiftool do not read such data.
    """
    exif = Image.Exif()
    for payload in header.payloads(jpeg, _APP1, _EXIF):
        if payload.startswith(_EXIF):
            break
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
    """Returns the EXIF orientation, 1 (upright) to 8; 1 if it is invalid.

    It should be a short integer. libvips, ImageMagick and exiftool accept a byte, too; browsers do
    not.
    """
    value = exif.get(_ORIENTATION)
    if isinstance(value, bytes) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, int) and value in _ORIENTATIONS else 1


def copyright_exif(exif: Image.Exif) -> bytes:
    """Returns EXIF data with the copyright and the artist only, as a TIFF; empty without either."""
    kept = Image.Exif()
    for tag in (_ARTIST, _COPYRIGHT):
        text = _text(exif, tag)
        if text:
            # The bytes as they are: Pillow takes them for Latin-1, and most writers mean UTF-8.
            kept[tag] = text.encode("latin-1", "replace")
    return kept.tobytes().removeprefix(_EXIF) if kept else b""


def _text(exif: Image.Exif, tag: int) -> str:
    try:
        text = exif.get(tag)
    except Exception:  # noqa: BLE001 - whatever it is that the parser trips over
        return ""
    return text if isinstance(text, str) and len(text) <= _MAX_TEXT else ""


def density(jpeg: bytes, header: Header, exif: Image.Exif) -> Density | None:
    """Returns the density of the image as it is stored, from JFIF or else EXIF."""
    for payload in header.payloads(jpeg, _APP0, _JFIF):
        if len(payload) >= _JFIF_SIZE:
            unit, across, down = _JFIF_DENSITY.unpack_from(payload, _JFIF_DENSITY_AT)
            if unit in _JFIF_UNITS_PER_METRE:
                return _per_metre(across, down, _JFIF_UNITS_PER_METRE[unit])
            if unit == 0 and across != down:
                return Density(across, down, 0) if across and down else None
    try:
        per_metre = _EXIF_UNITS_PER_METRE[exif.get(_RESOLUTION_UNIT, 2)]
        return _per_metre(float(exif[_X_RESOLUTION]), float(exif[_Y_RESOLUTION]), per_metre)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def icc_profile(jpeg: bytes, header: Header) -> bytes:
    """Returns the colour profile, put together from its segments; empty if there is none.

    Each segment has its number and how many there are (ICC.1:2022, B.4). Some writers store the
    profile twice, or pad it. The first complete profile counts, up to the length that it declares.
    If none is complete, an incomplete one is returned, which `is_valid_profile` refuses.
    """
    profiles = list(_profiles(jpeg, header))
    complete = (parts for count, parts in profiles if len(parts) == count)
    parts_by_number = next(complete, profiles[0][1] if profiles else {})
    profile = b"".join(part for _, part in sorted(parts_by_number.items()))
    return profile[: max(_ICC_HEADER, int.from_bytes(profile[:4]))]


def _profiles(jpeg: bytes, header: Header) -> Iterator[tuple[int, dict[int, bytes]]]:
    """Yields how many parts a profile has, and those that are there by their number."""
    counted: dict[int, dict[int, bytes]] = {}
    for payload in header.payloads(jpeg, _APP2, b"ICC_PROFILE\0"):
        if len(payload) >= _ICC_PART_HEAD:
            number, count = payload[0], payload[1]
            counted.setdefault(count, {}).setdefault(number, payload[_ICC_PART_HEAD:])
    yield from counted.items()


def is_valid_profile(profile: bytes, mode: str) -> bool:
    """Whether a colour profile is complete and is for pixels of this mode.

    The rules are the first of libpng's for iCCP: readers drop a profile that breaks them, or even
    the image. A profile that breaks libpng's other rules (class, connection space, alignment) is
    only dropped.
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
    return Density(round(across * factor), round(down * factor), 1)
