"""Which of libjpeg's warnings are about the coded data, and which about a filler after it."""

import pytest

from image_converter.conversion.complaints import Complaints
from image_converter.conversion.jpeg_parser import read_header
from image_converter.conversion.jpeg_scans import check_scans
from image_converter.errors import DamagedImage
from tests.support.images import jpeg
from tests.support.jpeg.editing import END

ZEROS = 100


def _complaints(filler: bytes) -> Complaints:
    """Return those of a JPEG with a filler between its last row and its end."""
    encoded = jpeg().removesuffix(END) + filler + END
    return Complaints(encoded, check_scans(encoded, read_header(encoded)))


def test_zeros_before_the_end_are_a_filler() -> None:
    complaints = _complaints(bytes(ZEROS))
    complaints.add(f"Corrupt JPEG data: {ZEROS} extraneous bytes before marker 0xd9")
    complaints.refuse_damage(0)
    assert complaints.skipped == ZEROS


@pytest.mark.parametrize(
    "message",
    [
        "Premature end of JPEG file",
        f"Corrupt JPEG data: {ZEROS} extraneous bytes before marker 0xd0",
        f"Corrupt JPEG data: {ZEROS} extraneous bytes before marker 0xd7",
        f"Corrupt JPEG data: {10 * ZEROS} extraneous bytes before marker 0xd9",
    ],
)
def test_everything_else_is_damage_whatever_the_filler(message: str) -> None:
    complaints = _complaints(bytes(ZEROS))
    complaints.add(message)
    with pytest.raises(DamagedImage, match=message):
        complaints.refuse_damage(0)


def test_left_over_data_are_damage() -> None:
    complaints = _complaints(b"\x11" * ZEROS)
    complaints.add(f"Corrupt JPEG data: {ZEROS} extraneous bytes before marker 0xd9")
    with pytest.raises(DamagedImage, match="extraneous"):
        complaints.refuse_damage(0)
