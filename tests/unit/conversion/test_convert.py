"""Each good, odd and bad JPEG becomes a PNG with a second decoder's pixels, or the right error."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from image_converter.conversion import Limits, convert, libjpeg_decoder, libtiff_decoder
from image_converter.errors import ConversionError, DamagedImage, ImageTooLarge
from tests.scripts.dev.docs import bad_images
from tests.support.images import jpeg
from tests.support.jpeg import profiles, reference
from tests.support.jpeg.corpus import CASES, LIMITS, Case
from tests.support.jpeg.editing import (
    END,
    PROFILE,
    cut,
    resize,
    without_all,
)

GOOD = [case for case in CASES if case.error is None]
BAD = [case for case in CASES if case.error is not None]


def _by_name(case: Case) -> str:
    return case.name


@pytest.mark.parametrize("case", GOOD, ids=_by_name)
def test_good_images_keep_their_pixels(case: Case) -> None:
    encoded = case.make()
    png = io.BytesIO()
    conversion = convert(encoded, png, LIMITS)
    written = reference.decode_png(png.getvalue())
    plain = case.plain() if case.plain else encoded
    # The reference would complain about a broken profile.
    plain = without_all(plain, PROFILE) if case.icc == "dropped" else plain
    expected = reference.decode_jpeg(plain, case.orientation)
    if conversion.source_mode == "CMYK":
        expected = _to_rgb(expected, case)
    assert np.array_equal(written, expected)
    assert (conversion.height, conversion.width) == written.shape[:2]
    assert conversion.mode == {1: "L", 3: "RGB"}[written.shape[2]]
    assert (conversion.orientation, conversion.icc) == (case.orientation, case.icc)
    assert conversion.size == len(png.getvalue())
    assert conversion.skipped_bytes == case.skipped


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


def _children() -> set[str]:
    """Return the processes that this thread has started, such as an emulator for other tests."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_no_file_and_no_process_stays(mode: str) -> None:
    encoded = jpeg(300, 200, mode=mode)
    children = _children()
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        convert(encoded, io.BytesIO(), LIMITS)
        with pytest.raises(DamagedImage):
            convert(cut(encoded, 0.5) + END, io.BytesIO(), LIMITS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert _children() == children


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_damage_is_reported_with_its_place(mode: str) -> None:
    with pytest.raises(DamagedImage, match=r"near row \d+: .*premature end of data segment"):
        convert(cut(jpeg(200, 200, mode=mode), 0.5) + END, io.BytesIO(), LIMITS)


@pytest.mark.parametrize("share", [number / 20 for number in range(20)])
@pytest.mark.parametrize("options", [{}, {"mode": "L"}, {"mode": "CMYK"}, {"progressive": True}])
def test_no_cut_passes(options: dict[str, object], share: float) -> None:
    encoded = jpeg(120, 80, **options)  # type: ignore[arg-type]
    with pytest.raises(ConversionError):
        convert(cut(encoded, share, nth=-1) + END, io.BytesIO(), LIMITS)


class TestLimits:
    def test_bytes(self) -> None:
        encoded = jpeg()
        convert(encoded, io.BytesIO(), Limits(len(encoded), LIMITS.max_pixels))
        with pytest.raises(ImageTooLarge, match=f"{len(encoded):,} bytes"):
            convert(encoded, io.BytesIO(), Limits(len(encoded) - 1, LIMITS.max_pixels))

    def test_pixels(self) -> None:
        encoded = jpeg(20, 10)
        convert(encoded, io.BytesIO(), Limits(LIMITS.max_bytes, 200))
        with pytest.raises(ImageTooLarge, match="20 x 10 pixels"):
            convert(encoded, io.BytesIO(), Limits(LIMITS.max_bytes, 199))

    @pytest.mark.parametrize("options", [{}, {"mode": "CMYK"}, {"progressive": True}])
    def test_nothing_is_decoded_over_a_limit(
        self, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("decoded")

        monkeypatch.setattr(libtiff_decoder.JpegRows, "__init__", refuse)
        monkeypatch.setattr(libjpeg_decoder.JpegRows, "__init__", refuse)
        bomb = resize(jpeg(**options), 65_000, 65_000)  # type: ignore[arg-type]
        with pytest.raises(ImageTooLarge):
            convert(bomb, io.BytesIO(), LIMITS)

    def test_no_other_format_is_looked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("opened")

        monkeypatch.setattr(Image, "open", refuse)
        for encoded in (jpeg(), jpeg(mode="CMYK")):
            convert(encoded, io.BytesIO(), LIMITS)

    def test_more_pixels_than_pillow_thinks_wise_are_fine(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        for encoded in (jpeg(50, 50), jpeg(50, 50, mode="CMYK")):
            convert(encoded, io.BytesIO(), LIMITS)
