"""What is converted and what is refused, with libjpeg-turbo's djpeg as the judge.

Files of many kinds are cut off at every byte and have bits flipped. Nothing may be converted that
`djpeg -strict` refuses, unless all that it minds lies outside the coded data: then the pixels have
to be those of the file without the fault.
"""

import multiprocessing
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from image_converter.conversion import jpeg_parser, jpeg_scans
from tests.durability.conversion import converter
from tests.support.images import picture, saved
from tests.support.jpeg import reference
from tests.support.jpeg.editing import END, find, insert, patch, segment, without

FLIPS = 300

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("cjpeg", "djpeg", "jpegtran"))),
    reason="Debian's libjpeg-turbo-progs is not installed",
)


def _run(command: str, stdin: bytes) -> bytes:
    return subprocess.run(command.split(), input=stdin, capture_output=True, check=True).stdout


def _photograph(mode: str = "RGB") -> Image.Image:
    """Return an image with detail in every block."""
    image = np.asarray(picture(32, 24, mode=mode))
    grain = np.random.default_rng(1).normal(0, 20, image.shape)
    return Image.fromarray(np.clip(image / 2 + 64 + grain, 0, 255).astype(np.uint8), mode)


def _by_cjpeg(options: str, mode: str = "RGB") -> bytes:
    return _run(f"cjpeg -quality 25 {options}", saved(_photograph(mode), "PPM"))


def _cmyk() -> bytes:
    return saved(_photograph("CMYK"), "JPEG", quality=25)


def _ycck(encoded: bytes) -> bytes:
    return patch(encoded, find(encoded, 0xEE) + 15, b"\x02")


def _ycck_420() -> bytes:
    samples = np.asarray(_photograph("CMYK"))
    return bytes(
        simplejpeg.encode_jpeg(samples, quality=25, colorspace="CMYK", colorsubsampling="420")
    )


def _rgb(sampling: str) -> bytes:
    """Return a JPEG whose three components are red, green and blue."""
    plain = without(_by_cjpeg(f"-sample {sampling}"), 0xE0)
    return insert(plain, segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"))


_SOURCES: dict[str, Callable[[], bytes]] = {
    "gray": lambda: _by_cjpeg("-grayscale", "L"),
    "ycc 1x1": lambda: _by_cjpeg("-sample 1x1"),
    "ycc 2x1": lambda: _by_cjpeg("-sample 2x1"),
    "ycc 2x2": lambda: _by_cjpeg("-sample 2x2"),
    "ycc 2x2,1x2,1x2": lambda: _by_cjpeg("-sample 2x2,1x2,1x2"),
    "ycc 1x2,1x2,1x2": lambda: _by_cjpeg("-sample 1x2,1x2,1x2"),
    "ycc 2x1,2x1,2x1": lambda: _by_cjpeg("-sample 2x1,2x1,2x1"),
    "ycc 2x1,1x2,1x1": lambda: _by_cjpeg("-sample 2x1,1x2,1x1"),
    "ycc 3x1,1x1,1x1": lambda: _by_cjpeg("-sample 3x1,1x1,1x1"),
    "ycc 1x1,1x1,2x1": lambda: _by_cjpeg("-sample 1x1,1x1,2x1"),
    "rgb 1x1": lambda: _rgb("1x1"),
    "rgb 2x2": lambda: _rgb("2x2"),
    "cmyk": _cmyk,
    "ycck": lambda: _ycck(_cmyk()),
    "ycck 4:2:0": _ycck_420,
}
_VARIANTS = {
    "": "-optimize",
    "restarts": "-optimize -restart 2B",
    "progressive": "-progressive",
    "progressive, restarts": "-progressive -restart 2B",
}
# Every source in one variant, and each variant with both decoders.
KINDS = [
    *((source, variant) for source in ("gray", "ycc 2x2", "ycck 4:2:0") for variant in _VARIANTS),
    *(
        (source, list(_VARIANTS)[number % len(_VARIANTS)])
        for number, source in enumerate(_SOURCES)
        if source not in ("gray", "ycc 2x2", "ycck 4:2:0")
    ),
]


@cache
def _make(source: str, variant: str) -> bytes:
    transformed = _run(f"jpegtran -copy all {_VARIANTS[variant]}", _SOURCES[source]())
    assert _djpeg_accepts(transformed)
    return transformed


def _djpeg_accepts(encoded: bytes) -> bool:
    done = subprocess.run(
        ["djpeg", "-strict", "-outfile", "/dev/null"],
        input=encoded,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


Convert = Callable[[list[bytes]], list[reference.Pixels | None]]


@pytest.fixture(scope="module")
def converted() -> Iterator[Convert]:
    """Converts files in a process that is small."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:

        def run(files: list[bytes]) -> list[reference.Pixels | None]:
            pngs = pool.submit(converter.pngs, files).result()
            return [None if png is None else reference.decode_png(png) for png in pngs]

        yield run


@pytest.mark.parametrize(("source", "variant"), KINDS)
def test_a_cut_is_converted_only_if_no_more_than_the_end_marker_is_missing(
    converted: Convert, source: str, variant: str
) -> None:
    image = _make(source, variant)
    cuts = [(size, ending) for size in range(len(image)) for ending in (b"", END)]
    expected, *all_pixels = converted([image, *(image[:size] + ending for size, ending in cuts)])
    assert expected is not None
    for (size, ending), pixels in zip(cuts, all_pixels, strict=True):
        if pixels is not None:
            assert _djpeg_accepts(image[:size] + END), (size, ending)
            assert np.array_equal(pixels, expected), (size, ending)


@pytest.mark.parametrize(("source", "variant"), KINDS)
def test_flipped_bits_are_refused_where_djpeg_refuses_them(
    converted: Convert, source: str, variant: str
) -> None:
    image = _make(source, variant)
    seeded = random.Random(f"{source}/{variant}")  # noqa: S311 - no secret
    all_flips = [
        [(seeded.randrange(len(image)), seeded.randrange(8)) for _ in range(2)]
        for _ in range(FLIPS)
    ]
    for flips, pixels in zip(
        all_flips, converted([_flip(image, flips) for flips in all_flips]), strict=True
    ):
        if pixels is None or _djpeg_accepts(_flip(image, flips)):
            continue
        assert any(
            _djpeg_accepts(better) and _is_same(pixels, converted([better])[0])
            for better in _without_what_lies_outside(image, flips)
        ), flips


def _flip(image: bytes, flips: list[tuple[int, int]]) -> bytes:
    spoiled = bytearray(image)
    for byte, bit in flips:
        spoiled[byte] ^= 1 << bit
    return bytes(spoiled)


def _is_same(pixels: reference.Pixels, better: reference.Pixels | None) -> bool:
    return better is not None and np.array_equal(pixels, better)


def _without_what_lies_outside(image: bytes, flips: list[tuple[int, int]]) -> Iterator[bytes]:
    """Yield the file with fewer of its flips; also without what follows its last row."""
    yield image
    for flip in flips:
        yield _flip(image, [flip])
    for remaining in (flips, flips[:1], flips[1:]):
        # A height that is said to be lower leaves restart markers after the last row.
        spoiled = _flip(image, remaining)
        end = jpeg_scans.check_scans(spoiled, jpeg_parser.read_header(spoiled)).data[-1][1]
        yield spoiled[:end] + END


def test_there_are_enough_kinds() -> None:
    assert len(set(KINDS)) >= 16
    assert {source for source, _ in KINDS} == set(_SOURCES)
    assert all(earlier != later for earlier, later in pairwise(sorted(KINDS)))
