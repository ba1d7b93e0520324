"""Without libtiff, what is converted and what is refused stays the same."""

import logging
import re

import pytest

from image_converter.conversion import bundled, libtiff_decoder
from tests.support.images import digests, png
from tests.support.jpeg.corpus import CASES, Case

HALF = re.compile("ended|cut|colour|corrupt|progressive (cut|ended|first|half|a scan)")


@pytest.fixture
def only_libjpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libtiff_decoder, "_library", lambda: None)


@pytest.mark.usefixtures("only_libjpeg")
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.error is None], ids=lambda case: case.name
)
def test_without_libtiff_good_images_are_converted_all_the_same(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = case.make()  # once: profiles have a time in them
    alone = digests(png(encoded))
    monkeypatch.undo()
    assert alone == digests(png(encoded))


@pytest.mark.usefixtures("only_libjpeg")
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if HALF.match(case.name)],
    ids=lambda case: case.name,
)
def test_without_libtiff_half_an_image_is_refused_all_the_same(case: Case) -> None:
    assert case.error
    with pytest.raises(case.error):
        png(case.make())


def test_a_missing_libtiff_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    libtiff_decoder._library.cache_clear()
    monkeypatch.setattr(bundled, "_PLACES", ())
    with caplog.at_level(logging.WARNING):
        assert libtiff_decoder._library() is None
    libtiff_decoder._library.cache_clear()
    assert "libtiff" in caplog.text
