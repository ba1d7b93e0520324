"""Renditions: the right part of the image in the right size, with pixels near to Lanczos alone."""

import io
import json
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from image_converter import renditions
from image_converter.conversion import Limits, convert_all, encoders, limits, reduction
from image_converter.conversion import renditions as conversion_renditions
from image_converter.conversion.reduction import Plan
from image_converter.errors import ConversionError, DamagedImage, ImageTooLarge, InvalidSettings
from scripts.lib import photographs
from tests.support.images import digests, jpeg, pixels, png, saved, turned
from tests.support.jpeg import profiles
from tests.support.jpeg.editing import END, cut

FORMATS = ("png", "jpeg", "webp", "avif")
LIMITS = Limits(max_bytes=10**8, max_pixels=10**8)
PNG = {"name": "png", "format": "png"}


def make(encoded: bytes, *entries: dict[str, Any], allowed: Limits = LIMITS) -> list[bytes]:
    wanted = renditions.parse(json.dumps([{"name": str(n), **e} for n, e in enumerate(entries)]))
    files = [io.BytesIO() for _ in wanted]
    conversions = convert_all(encoded, list(zip(wanted, files, strict=True)), allowed)
    for file, (width, height, size) in zip(files, conversions.encoded, strict=True):
        assert Image.open(file).size == (width, height)
        assert len(file.getvalue()) == size
    return [file.getvalue() for file in files]


def opened(encoded: bytes, mode: str = "RGB") -> Image.Image:
    image = Image.open(io.BytesIO(encoded))
    assert image.getexif() == {}
    return image.convert(mode)


def psnr(first: Image.Image, second: Image.Image) -> float:
    difference = np.asarray(first, dtype=float) - np.asarray(second, dtype=float)
    return float(10 * np.log10(255**2 / max(1e-9, np.mean(difference**2))))


@pytest.fixture(scope="module")
def photograph() -> Image.Image:
    """A photograph with an odd size, so that squares are cut off at its edges."""
    return photographs.draw(photographs.SCENES[0]).resize((1201, 803))


def encoded(image: Image.Image, **options: Any) -> bytes:
    return saved(image, "JPEG", **{"quality": 92, **options})


@pytest.fixture(params=[1, 10**9], ids=["shrunk", "reduced"])
def least_shrunk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """From how many pixels on an image is decoded in a fraction of its size: always, or never."""
    monkeypatch.setattr(conversion_renditions, "_WORTH_SHRINKING", request.param)
    return int(request.param)


@pytest.mark.usefixtures("least_shrunk")
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("width", [1201, 1200, 700, 401, 384, 300, 120, 33])
def test_a_reduced_image_is_within_50_db_of_lanczos(
    photograph: Image.Image, width: int, mode: str
) -> None:
    source = encoded(photograph.convert(mode))
    (reduced,) = make(source, {"format": "png", "max_width": width})
    full = Image.open(io.BytesIO(source))
    image = opened(reduced, mode)
    assert psnr(image, full.resize(image.size, Image.Resampling.LANCZOS)) > 50


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_every_format_and_mode(photograph: Image.Image, image_format: str, mode: str) -> None:
    source = encoded(photograph.convert(mode))
    quality = {} if image_format == "png" else {"quality": 95}
    (whole, rendition) = make(
        source, {"format": "png"}, {"format": image_format, "max_width": 300, **quality}
    )
    assert digests(whole) == digests(png(source))
    full = Image.open(io.BytesIO(whole))
    stored = Image.open(io.BytesIO(rendition))
    is_gray = mode == "L" and image_format in ("png", "jpeg", "avif")
    assert stored.format == image_format.upper()
    assert (stored.mode == "L") == is_gray
    expected = full.resize(stored.size, Image.Resampling.LANCZOS).convert("RGB")
    assert psnr(opened(rendition), expected) > 35


@pytest.mark.usefixtures("least_shrunk")
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("fit", ["inside", "cover"])
def test_every_orientation(photograph: Image.Image, orientation: int, fit: str) -> None:
    source = encoded(photograph, exif=turned(orientation))
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(source)))
    assert upright is not None
    box = {"max_width": 200, "max_height": 100, "fit": fit}
    (rendition,) = make(source, {"format": "png", **box})
    image = opened(rendition)
    if fit == "cover":
        assert image.size == (200, 100)
        expected = ImageOps.fit(upright, (200, 100), Image.Resampling.LANCZOS)
    else:
        expected = upright.resize(image.size, Image.Resampling.LANCZOS)
    assert psnr(image, expected) > 45


@pytest.mark.parametrize(
    ("size", "options", "plan"),
    [
        ((400, 300), {}, Plan((0, 0, 400, 300), (400, 300))),
        ((400, 300), {"max_width": 200}, Plan((0, 0, 400, 300), (200, 150))),
        ((400, 300), {"max_height": 100}, Plan((0, 0, 400, 300), (133, 100))),
        ((400, 300), {"max_width": 100, "max_height": 100}, Plan((0, 0, 400, 300), (100, 75))),
        ((400, 300), {"max_width": 900, "max_height": 900}, Plan((0, 0, 400, 300), (400, 300))),
        ((1, 1000), {"max_width": 100, "max_height": 100}, Plan((0, 0, 1, 1000), (1, 100))),
        ((1000, 1), {"max_width": 100}, Plan((0, 0, 1000, 1), (100, 1))),
    ],
)
def test_inside(size: tuple[int, int], options: dict[str, Any], plan: Plan) -> None:
    (rendition,) = renditions.parse(json.dumps([{**PNG, **options}]))
    assert reduction.plan(rendition, *size) == plan


@pytest.mark.parametrize(
    ("size", "box", "plan"),
    [
        ((400, 300), (100, 100), Plan((50, 0, 350, 300), (100, 100))),
        ((400, 300), (100, 20), Plan((0, 110, 400, 190), (100, 20))),
        ((400, 300), (400, 300), Plan((0, 0, 400, 300), (400, 300))),
        # What would have to be enlarged is only cropped to the box's ratio.
        ((80, 60), (100, 100), Plan((10, 0, 70, 60), (60, 60))),
        ((1000, 100), (300, 300), Plan((450, 0, 550, 100), (100, 100))),
        ((1, 1000), (300, 100), Plan((0, 499, 1, 500), (1, 1))),
    ],
)
def test_cover(size: tuple[int, int], box: tuple[int, int], plan: Plan) -> None:
    options = {"max_width": box[0], "max_height": box[1], "fit": "cover"}
    (rendition,) = renditions.parse(json.dumps([{**PNG, **options}]))
    assert reduction.plan(rendition, *size) == plan


def test_a_part_that_is_not_reduced_keeps_its_pixels() -> None:
    source = jpeg(80, 61, quality=100)
    (rendition,) = make(
        source, {"format": "png", "max_width": 90, "max_height": 90, "fit": "cover"}
    )
    assert pixels(rendition)[1] == Image.open(io.BytesIO(source)).crop((9, 0, 70, 61)).tobytes()


@pytest.mark.parametrize("image_format", FORMATS)
def test_the_profile_is_kept(image_format: str) -> None:
    source = jpeg(60, 40, icc_profile=profiles.display_p3())
    (rendition,) = make(source, {"format": image_format, "max_width": 20})
    assert Image.open(io.BytesIO(rendition)).info["icc_profile"] == profiles.display_p3()


def test_the_profile_of_these_tests_is_wider_than_srgb() -> None:
    p3, srgb = (
        ImageCms.ImageCmsProfile(io.BytesIO(profile))
        for profile in (profiles.display_p3(), profiles.srgb())
    )
    red = Image.new("RGB", (1, 1), (200, 30, 30))
    seen = ImageCms.profileToProfile(red, p3, srgb)
    assert seen is not None
    in_srgb = seen.getpixel((0, 0))
    assert isinstance(in_srgb, tuple)
    assert in_srgb[0] > 210  # the same numbers are a stronger red
    gray = ImageCms.profileToProfile(Image.new("RGB", (1, 1), (128, 128, 128)), p3, srgb)
    assert gray is not None
    assert np.abs(np.asarray(gray, dtype=int) - 128).max() <= 1


def test_gray_goes_through_its_profile_where_a_format_has_no_gray() -> None:
    source = jpeg(60, 40, mode="L", icc_profile=profiles.gray())
    plain, through = (
        make(jpeg(60, 40, mode="L"), {"format": "webp"})[0],
        make(source, {"format": "webp"})[0],
    )
    image = Image.open(io.BytesIO(through))
    assert "icc_profile" not in image.info
    # A gamma of 1.8 is lighter than sRGB's.
    assert np.asarray(image).mean() > np.asarray(Image.open(io.BytesIO(plain))).mean() + 2


@pytest.mark.parametrize("image_format", FORMATS)
def test_nothing_but_the_copyright_is_kept_and_only_if_wanted(image_format: str) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    exif[0x8298], exif[0x013B] = "© Ann".encode(), "Ann"
    exif.get_ifd(0x8825)[1] = "N"
    source = jpeg(60, 40, exif=exif, comment=b"here")
    without, rendition = make(
        source,
        {"format": image_format, "max_width": 20},
        {
            "format": image_format,
            "max_width": 20,
            "metadata": "copyright",
            "key": "c/{dir}{stem}.{ext}",
        },
    )
    assert Image.open(io.BytesIO(without)).getexif() == {}
    kept = Image.open(io.BytesIO(rendition)).getexif()
    assert kept[0x8298].encode("latin-1").decode() == "© Ann"
    assert kept[0x013B] == "Ann"
    assert kept.keys() - {0x8298, 0x013B} == set()


@pytest.mark.parametrize(
    ("size", "shrink", "factor"),
    [((999, 1000), 1, 9), ((1000, 1000), 8, 1), ((500, 2000), 4, 1), ((2500, 2500), 8, 3)],
)
def test_large_images_are_decoded_in_a_fraction_of_their_size(
    size: tuple[int, int], shrink: int, factor: int
) -> None:
    (small,) = renditions.parse(json.dumps([{**PNG, "max_width": 50}]))
    work = conversion_renditions.plan([small], size)
    assert (work.shrink, work.factor) == (shrink, factor)
    (whole_png,) = renditions.parse("")
    assert conversion_renditions.plan([whole_png, small], size).shrink == 1


@pytest.mark.usefixtures("least_shrunk")
@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
@pytest.mark.parametrize("image_format", FORMATS)
def test_no_damaged_image_passes(image_format: str, mode: str) -> None:
    damaged = cut(jpeg(200, 200, mode=mode), 0.9) + END
    with pytest.raises(DamagedImage):
        make(damaged, {"format": image_format, "max_width": 20})


def test_each_image_is_decoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from image_converter.conversion import libtiff_decoder  # noqa: PLC0415 - as convert does

    opened_images = []
    original = libtiff_decoder.JpegRows.__init__

    def observe(self: Any, *arguments: Any) -> None:
        opened_images.append(self)
        original(self, *arguments)

    monkeypatch.setattr(libtiff_decoder.JpegRows, "__init__", observe)
    make(jpeg(60, 40), {"format": "png"}, {"format": "jpeg"}, {"format": "webp", "max_width": 9})
    assert len(opened_images) == 1


def test_smaller_pngs_are_compressed_as_the_whole_one() -> None:
    fast, small = (
        renditions.parse(json.dumps([{**PNG, "max_width": 300}]), compression)
        for compression in ("fast", "smallest")
    )
    sizes = []
    for wanted in (fast, small):
        conversions = convert_all(jpeg(600, 400), [(wanted[0], io.BytesIO())], LIMITS)
        sizes.append(conversions.encoded[0].size)
    assert sizes[1] < sizes[0]


class TestLimits:
    @pytest.mark.parametrize(("image_format", "most"), [("webp", 16_383), ("avif", 32_768)])
    def test_a_side_that_the_format_does_not_have(self, image_format: str, most: int) -> None:
        source = jpeg(most + 1, 2)
        (rendition,) = make(source, {"format": image_format, "max_width": most})
        Image.open(io.BytesIO(rendition)).load()
        with pytest.raises(ImageTooLarge, match=f"{most:,} a side"):
            make(source, {"format": image_format})

    @pytest.mark.parametrize("image_format", FORMATS)
    def test_memory(self, image_format: str) -> None:
        source = jpeg(1000, 1000)
        entries = ({"format": "png"}, {"format": image_format, "key": "b/{dir}{stem}.{ext}"})
        output = [(image_format, 1_000_000)]
        needed = limits.bytes_for_renditions(1_000_000, 1, output, with_png=True)  # type: ignore[arg-type]
        enough = -(-needed // limits.BYTES_PER_PIXEL)
        make(source, *entries, allowed=Limits(10**9, enough))
        with pytest.raises(ImageTooLarge, match=f"{needed:,} bytes of memory"):
            make(source, *entries, allowed=Limits(10**9, enough - 1))

    def test_the_png_alone_has_the_limit_that_it_always_had(self) -> None:
        make(jpeg(20, 10), {"format": "png"}, allowed=Limits(10**9, 200))
        with pytest.raises(ConversionError, match=r"20 x 10 pixels; the limit is 199"):
            make(jpeg(20, 10), {"format": "png"}, allowed=Limits(10**9, 199))


def test_a_format_that_the_layer_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(encoders._PLUGINS, "avif", "PIL.NoSuchPlugin")
    with pytest.raises(InvalidSettings, match="avif"):
        make(jpeg(), {"format": "avif"})


def test_a_format_whose_library_the_layer_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow's module is there, and says by not registering that it cannot write."""
    make(jpeg(), {"format": "avif"})
    monkeypatch.delitem(Image.SAVE, "AVIF")
    with pytest.raises(InvalidSettings, match="avif"):
        make(jpeg(), {"format": "avif"})


_DEFAULT = """
import io, sys
from image_converter import renditions
from image_converter.conversion import Limits, convert_all
from image_converter.handlers import resize_image
from tests.support.images import jpeg
convert_all(jpeg(), [(renditions.parse("")[0], io.BytesIO())], Limits(10**6, 10**6))
print(*sorted(sys.modules))
"""


def test_the_png_alone_loads_no_other_encoder() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _DEFAULT],
        env={"PYTHONPATH": "lambda_src:.", "AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "image_converter.conversion.png_encoder" in loaded
    further = ("encoders", "limits", "reduction", "renditions", "cmyk")
    assert not loaded & {f"image_converter.conversion.{name}" for name in further}
    assert not loaded & {"PIL.WebPImagePlugin", "PIL.AvifImagePlugin"}
