"""The PNG encoder: exact pixels at any width, valid chunks, and the filter that suits the image."""

import io
import logging
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_converter.conversion import Conversion, Limits, convert
from image_converter.conversion import png_encoder as png_module
from image_converter.conversion.model import Compression
from image_converter.errors import DamagedImage
from tests.support import images
from tests.support.images import jpeg
from tests.support.jpeg import profiles, reference
from tests.support.jpeg.editing import END, cut

LIMITS = Limits(max_bytes=100_000_000, max_pixels=100_000_000)
MODES = ("L", "RGB")


def _convert(encoded: bytes, compression: Compression = "fast") -> tuple[bytes, Conversion]:
    png = io.BytesIO()
    conversion = convert(encoded, png, LIMITS, compression)
    return png.getvalue(), conversion


def _assert_same(png: bytes, encoded: bytes) -> None:
    assert np.array_equal(reference.decode_png(png), reference.decode_jpeg(encoded))


def _filtered_rows(png: bytes) -> bytes:
    return zlib.decompress(b"".join(data for name, data in images.chunks(png) if name == b"IDAT"))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("width", range(1, 71))
def test_every_width(width: int, mode: str) -> None:
    encoded = jpeg(width, 71 - width, seed=width, mode=mode)
    png, _ = _convert(encoded)
    _assert_same(png, encoded)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("width", "height"),
    [
        (1, 1),
        (1, 1000),
        (1000, 1),
        # A block has 4 rows (gray: 13), every sixth is sampled: on its borders and next to them.
        *((60_001, height) for height in (3, 4, 5, 8, 9, 12, 13, 14, 24, 25, 79)),
    ],
)
def test_borders_of_blocks(width: int, height: int, mode: str) -> None:
    encoded = jpeg(width, height, mode=mode)
    png, _ = _convert(encoded)
    _assert_same(png, encoded)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("number", range(3))
def test_every_way_to_compress_is_exact(
    number: int, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(png_module, "_STRATEGIES", (png_module._STRATEGIES[number],))
    for width, height in ((1, 1), (1, 40), (2, 3), (333, 222), (60_001, 9)):
        encoded = jpeg(width, height, mode=mode)
        png, _ = _convert(encoded)
        _assert_same(png, encoded)


@pytest.mark.parametrize(
    ("image", "filter_type"),
    [
        (Image.effect_noise((600, 400), 8), 3),  # the average
        (Image.linear_gradient("L"), 2),  # up
    ],
    ids=["grain", "smooth"],
)
def test_the_filter_is_the_one_that_suits(image: Image.Image, filter_type: int) -> None:
    png, _ = _convert(images.saved(image, "JPEG", quality=100))
    data = _filtered_rows(png)
    assert set(data[:: image.width + 1]) == {filter_type}


def test_repeats_from_afar_are_found_where_there_are_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tile = Image.effect_noise((512, 8), 40)
    image = Image.new("L", (512, 512))
    for top in range(0, image.height, tile.height):
        image.paste(tile, (0, top))
    encoded = images.saved(image, "JPEG", quality=100)
    png, _ = _convert(encoded)
    monkeypatch.setattr(png_module, "_STRATEGIES", png_module._STRATEGIES[:1])
    near, _ = _convert(encoded)
    assert len(png) < 0.6 * len(near)


@pytest.mark.parametrize("compression", ["fast", "smallest"])
@pytest.mark.parametrize("mode", MODES)
def test_a_strict_checker_has_nothing_to_say(
    tmp_path: Path, mode: str, compression: Compression
) -> None:
    checker = shutil.which("pngcheck")
    if checker is None:
        pytest.skip("pngcheck is not installed: make system-packages")
    profile = profiles.gray() if mode == "L" else profiles.srgb()
    names = []
    for width, height in ((1, 1), (70, 51), (640, 480), (3, 400), (5000, 3)):
        png, _ = _convert(
            jpeg(width, height, mode=mode, icc_profile=profile, dpi=(300, 300)), compression
        )
        names.append(tmp_path / f"{width}x{height}.png")
        names[-1].write_bytes(png)
    answer = subprocess.run([checker, "-v", *names], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.count("No errors detected") == len(names)
    assert "pHYs" in answer.stdout
    assert "iCCP" in answer.stdout


def test_filter_types_are_in_front_of_the_rows() -> None:
    png, _ = _convert(jpeg(50, 300))
    data = _filtered_rows(png)
    assert len(data) == 300 * 151
    assert set(data[::151]) == {2}


@pytest.mark.parametrize("compression", ["fast", "smallest"])
def test_profile_and_density_are_kept(compression: Compression) -> None:
    profile = profiles.srgb()
    png, _ = _convert(jpeg(icc_profile=profile, dpi=(300, 150)), compression)
    info = Image.open(io.BytesIO(png)).info
    assert info["icc_profile"] == profile
    assert info["dpi"] == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("mode", MODES)
def test_smallest_is_smaller_and_as_exact(mode: str) -> None:
    encoded = jpeg(300, 200, mode=mode)
    fast, _ = _convert(encoded)
    smallest, conversion = _convert(encoded, "smallest")
    _assert_same(smallest, encoded)
    assert len(smallest) < len(fast)
    assert conversion.size == len(smallest)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("height", [1, 4, 5, 30])
def test_two_processors_make_the_same_png_as_one(mode: str, height: int) -> None:
    encoded = jpeg(60_001, height, mode=mode)
    parallel, serial = images.png(encoded, parallel=True), images.png(encoded)
    assert images.digests(parallel) == images.digests(serial)


def test_damage_is_also_reported_by_the_other_processor() -> None:
    with pytest.raises(DamagedImage):
        images.png(cut(jpeg(500, 500), 0.9) + END, parallel=True)


def test_without_isal_it_takes_zlib_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    encoded = jpeg(300, 200)
    with caplog.at_level(logging.WARNING):
        png, _ = _convert(encoded)
    _assert_same(png, encoded)
    assert [record.message for record in caplog.records if "isal" in record.message]


def test_it_writes_from_the_current_position_on() -> None:
    png = io.BytesIO()
    png.write(b"before")
    conversion = convert(jpeg(), png, LIMITS)
    content = png.getvalue()
    assert content.startswith(b"before\x89PNG")
    assert conversion.size == len(content) - len(b"before")
