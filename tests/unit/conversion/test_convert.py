"""Each good, odd and bad JPEG becomes a PNG with a second decoder's pixels, or the right error."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from image_converter.conversion import convert
from image_converter.errors import ConversionError
from tests.scripts.dev.docs import bad_images
from tests.support.jpeg import profiles, reference
from tests.support.jpeg.corpus import CASES, LIMITS, Case
from tests.support.jpeg.editing import PROFILE, without_all

GOOD = [case for case in CASES if case.error is None]
BAD = [case for case in CASES if case.error is not None]


def _by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", GOOD, ids=_by_name)
def test_good_images_keep_their_pixels(case: Case) -> None:
    encoded = case.make()
    png = io.BytesIO()
    made = convert(encoded, png, LIMITS)
    written = reference.decode_png(png.getvalue())
    plain = case.plain() if case.plain else encoded
    # The reference would complain about a broken profile.
    plain = without_all(plain, PROFILE) if case.icc == "dropped" else plain
    expected = reference.decode_jpeg(plain, case.orientation)
    if made.source_mode == "CMYK":
        expected = _to_rgb(expected, case)
    assert np.array_equal(written, expected)
    assert (made.height, made.width) == written.shape[:2]
    assert made.mode == {1: "L", 3: "RGB"}[written.shape[2]]
    assert (made.orientation, made.icc) == (case.orientation, case.icc)
    assert made.size == len(png.getvalue())
    assert made.skipped_bytes == case.skipped


@pytest.mark.parametrize("case", BAD, ids=_by_name)
def test_bad_images_are_refused_by_name_and_in_a_sentence(case: Case) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(case.make(), io.BytesIO(), LIMITS)
    assert type(caught.value) is case.error
    message = str(caught.value)
    assert message[0].isupper()
    assert message.endswith(".")


def test_names_are_unique() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_page_about_bad_images_is_up_to_date() -> None:
    page = Path(bad_images.PAGE)
    assert page.read_text(encoding="utf-8") == bad_images.render(), "write it again: make docs"


def _to_rgb(stored: reference.Pixels, case: Case) -> reference.Pixels:
    if case.icc != "applied":
        return reference.cmyk_to_rgb(stored)
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profiles.cmyk())),
        ImageCms.createProfile("sRGB"),
        "CMYK",
        "RGB",
    )
    height, width = stored.shape[:2]
    inks = Image.frombytes("CMYK", (width, height), (255 - stored).tobytes())
    return np.asarray(transform.apply(inks))
