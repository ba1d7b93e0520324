"""Which colour profiles count as whole and fit for the pixels."""

import struct
from collections.abc import Callable

import pytest

from image_converter.conversion.jpeg_metadata import is_valid_profile
from tests.support.jpeg import profiles
from tests.support.jpeg.editing import patch

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
