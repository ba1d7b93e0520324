"""Colours as libjpeg sees them in a JPEG's segments, density, and which profiles are whole."""

import struct
from collections.abc import Callable

import numpy as np
import pytest

from image_converter.conversion.jpeg_metadata import is_valid_profile
from tests.support.images import exif, jpeg, png, turned
from tests.support.jpeg import profiles, reference
from tests.support.jpeg.editing import frame, insert, patch, segment, without

JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
# libjpeg wants all of it: a shorter segment is none.
SHORT_JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0")
ADOBES = [
    b"",
    *(segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform])) for transform in (0, 1)),
]
SHORT_ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0")
NAMES = [b"\1\2\3", b"RGB", b"\0\1\2", b"rgb"]


def _named(encoded: bytes, names: bytes) -> bytes:
    """Give the three components other names, in the frame and in the scan."""
    for index, name in enumerate(names):
        encoded = patch(encoded, frame(encoded) + 10 + 3 * index, bytes([name]))
    scan = encoded.index(b"\xff\xda")
    for index, name in enumerate(names):
        encoded = patch(encoded, scan + 5 + 2 * index, bytes([name]))
    return encoded


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("adobe", [*ADOBES, SHORT_ADOBE])
@pytest.mark.parametrize("jfif", [b"", JFIF, SHORT_JFIF])
def test_colours_are_those_that_libjpeg_sees(
    jfif: bytes, adobe: bytes, names: bytes, subsampling: str
) -> None:
    plain = _named(without(jpeg(33, 21, subsampling=subsampling), 0xE0), names)
    encoded = insert(plain, *filter(None, (jfif, adobe)))
    assert np.array_equal(reference.decode_png(png(encoded)), reference.decode_jpeg(encoded))


def _density(encoded: bytes) -> tuple[int, ...] | None:
    content = png(encoded)
    at = content.find(b"pHYs")
    return struct.unpack_from(">IIB", content, at + 4) if at > 0 else None


class TestDensity:
    def _jfif(self, unit: int, across: int, down: int) -> bytes:
        payload = b"JFIF\0\1\1" + struct.pack(">BHHBB", unit, across, down, 0, 0)
        return insert(without(jpeg(), 0xE0), segment(0xE0, payload))

    def test_jfif_per_inch(self) -> None:
        assert _density(self._jfif(1, 300, 72)) == (11811, 2835, 1)

    def test_jfif_per_centimetre(self) -> None:
        assert _density(self._jfif(2, 100, 50)) == (10000, 5000, 1)

    def test_jfif_ratio(self) -> None:
        assert _density(self._jfif(0, 2, 1)) == (2, 1, 0)

    @pytest.mark.parametrize(("unit", "across"), [(0, 1), (1, 0), (2, 0), (0, 0), (7, 300)])
    def test_jfif_of_no_use(self, unit: int, across: int) -> None:
        assert _density(self._jfif(unit, across, 1)) is None

    def test_exif(self) -> None:
        tags = {0x011A: 240.0, 0x011B: 120.0, 0x0128: 2}
        assert _density(jpeg(exif=exif(tags))) == (9449, 4724, 1)

    @pytest.mark.parametrize("across", [(0, 1), (1, 0), (0, 0), (2**32 - 1, 1)])
    @pytest.mark.parametrize("unit", [2, 3, 0])
    def test_exif_of_no_use(self, across: tuple[int, int], unit: int) -> None:
        directory = struct.pack("<H", 3)
        directory += struct.pack("<HHII", 0x011A, 5, 1, 50)
        directory += struct.pack("<HHII", 0x011B, 5, 1, 58)
        directory += struct.pack("<HHII", 0x0128, 3, 1, unit) + bytes(4)
        unusable = b"Exif\0\0II*\0\x08\0\0\0" + directory + struct.pack("<4I", *across, 72, 1)
        assert _density(jpeg(exif=unusable)) is None

    def test_it_turns_with_the_image(self) -> None:
        upright = insert(self._jfif(1, 300, 72), segment(0xE1, turned(6)))
        assert _density(upright) == (2835, 11811, 1)


TAG_TABLE = 128
TAG_SIZE = 12

SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "a header only": lambda profile: _declared(profile[:TAG_TABLE]),
    "cut off": lambda profile: profile[:-1],
    "one byte more than declared": lambda profile: profile + b"\0",
    "no signature": lambda profile: patch(profile, 36, b"none"),
    "a profile for other pixels": lambda profile: patch(profile, 16, b"CMYK"),
    # As many whole tags as fit follow, and each of them is sound.
    "a tag table that passes the end": lambda profile: _declared(
        patch(profile[: TAG_TABLE + 4 + TAG_SIZE], TAG_TABLE + 8, struct.pack(">II", 0, 4))
    ),
    "a tag that passes the end": lambda profile: patch(
        profile, TAG_TABLE + 8, struct.pack(">II", len(profile) - 3, 4)
    ),
}


def _declared(profile: bytes) -> bytes:
    """Return the profile with its own length in its header."""
    return patch(profile, 0, len(profile).to_bytes(4))


@pytest.mark.parametrize(
    ("profile", "mode"),
    [(profiles.srgb(), "RGB"), (profiles.gray(), "L"), (profiles.cmyk(), "CMYK")],
)
def test_a_whole_profile_for_these_pixels_is_valid(profile: bytes, mode: str) -> None:
    assert is_valid_profile(profile, mode)


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
def test_a_profile_that_readers_would_refuse_is_not(spoil: Callable[[bytes], bytes]) -> None:
    assert not is_valid_profile(spoil(profiles.srgb()), "RGB")


def test_a_tag_may_reach_to_the_very_end() -> None:
    profile = profiles.srgb()
    last = struct.pack(">II", len(profile) - 4, 4)
    assert is_valid_profile(patch(profile, TAG_TABLE + 8, last), "RGB")
