"""Peaks of processes that convert one image each, against what `limits.py` says."""

import io
import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from image_converter import renditions
from image_converter.conversion import Limits, limits
from image_converter.conversion import renditions as conversion_renditions
from image_converter.errors import ImageTooLarge
from image_converter.renditions import Format
from tests.support.images import jpeg, turned
from tests.support.jpeg.editing import COM, END, insert, segment

MB = 1024**2
JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")

_CONVERT = """
import io, pathlib, resource, sys, time
from image_converter import renditions
from image_converter.conversion import Limits, convert, convert_all
from image_converter.errors import ConversionError

def status(name):
    line = next(l for l in open("/proc/self/status") if l.startswith(name))
    return int(line.split()[1]) * 1024

jpeg = pathlib.Path(sys.argv[1]).read_bytes()
before = status("VmRSS") - len(jpeg)
start = time.process_time()
try:
    convert(jpeg, io.BytesIO(), Limits(10**9, 10**9), sys.argv[2])
except ConversionError as error:
    print(type(error).__name__, file=sys.stderr)
children = resource.getrusage(resource.RUSAGE_CHILDREN)
# A child process has all that this one had before, and its own.
child = max(0, children.ru_maxrss * 1024 - before - len(jpeg))
seconds = time.process_time() - start + children.ru_utime + children.ru_stime
print(status("VmHWM") + child, before, seconds)
"""

# The same with all renditions in a JSON list.
_RENDER = _CONVERT.replace(
    "convert(jpeg, io.BytesIO(), Limits(10**9, 10**9), sys.argv[2])",
    "convert_all(jpeg, [(each, io.BytesIO()) for each in renditions.parse(sys.argv[2])],"
    " Limits(10**9, 10**9))",
)

_ENCODE = """
import io, json, pathlib, random, sys
from PIL import Image
from image_converter import renditions
from image_converter.conversion import encoders

def status(name):
    line = next(l for l in open("/proc/self/status") if l.startswith(name))
    return int(line.split()[1]) * 1024

name, side = sys.argv[1], int(sys.argv[2])
quality = {} if name == "png" else {"quality": 100}
[wanted] = renditions.parse(json.dumps([{"name": "a", "format": name, **quality}]))
noise = random.Random(1).randbytes(side * side * 3)
image = Image.frombytes("RGB", (side, side), noise)
pathlib.Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
before = status("VmRSS")
encoders.encode(image, wanted, b"", b"", io.BytesIO())
print(status("VmHWM") - before)
"""

_PILLOWS_DECODER = """
import pathlib, sys
from PIL import Image
Image.open(pathlib.Path(sys.argv[1])).load()
line = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
print(int(line.split()[1]) * 1024, 0, 0)
"""

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="peaks are read from Linux's /proc"
)


def _file(folder: Path, megapixels: int, mode: str = "RGB", **options: Any) -> Path:
    """Write a JPEG with some grain, as photographs have it."""
    grain = Image.effect_noise((1000, 1000), 12)
    tile = Image.merge(mode, [grain] * len(mode)) if len(mode) > 1 else grain
    image = Image.new(mode, (1000, 1000 * megapixels))
    for top in range(0, image.height, 1000):
        image.paste(tile, (0, top))
    path = folder / "image.jpg"
    image.save(path, "JPEG", quality=85, **options)
    return path


def _measure(script: str, path: Path, compression: str = "fast") -> tuple[int, int, float]:
    """Return the peak, what there was before, both in bytes, and seconds of processor time."""
    answer = subprocess.run(
        [sys.executable, "-c", script, path, compression],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "lambda_src"},
    )
    peak, before, seconds = answer.stdout.split()
    return int(peak), int(before), float(seconds)


def _peak(script: str, path: Path, compression: str = "fast") -> tuple[int, int]:
    return _measure(script, path, compression)[:2]


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("L", {}),
        ("RGB", {}),
        ("RGB", {"exif": turned(6)}),
        ("RGB", {"progressive": True, "subsampling": 0}),
        ("RGB", {"progressive": True, "subsampling": 0, "exif": turned(6)}),
        ("CMYK", {}),
        ("CMYK", {"progressive": True, "exif": turned(8)}),
        ("CMYK", {"restart_marker_blocks": 1}),
    ],
)
def test_no_kind_takes_more_than_the_limits_allow_for(
    tmp_path: Path, mode: str, options: dict[str, Any]
) -> None:
    path = _file(tmp_path, 8, mode, **options)
    allowed = 8_000_000 * limits.BYTES_PER_PIXEL + limits.COPIES * path.stat().st_size
    peak, before = _peak(_CONVERT, path)
    assert (
        peak - before < allowed + 12 * MB
    )  # the blocks of rows, and libraries that are loaded late


_MILLIONS = 9_000_000
BOMBS: dict[str, Callable[[], bytes]] = {
    "TEM markers": lambda: insert(jpeg(), b"\xff\x01" * _MILLIONS),
    "comments": lambda: insert(jpeg(), segment(COM, b"") * _MILLIONS),
    "empty tables": lambda: insert(jpeg(), segment(0xC4, b"") * _MILLIONS),
    "fill bytes": lambda: insert(jpeg(), b"\xff" * _MILLIONS),
    "stray zeros": lambda: insert(jpeg(), JFIF + bytes(_MILLIONS)),
    "restart markers": lambda: jpeg()[:-2] + b"\xff\xd0" * _MILLIONS + END,
    "restart markers, CMYK": lambda: jpeg(mode="CMYK")[:-2] + b"\xff\xd0" * _MILLIONS + END,
    "restart markers where there are some": lambda: (
        jpeg(mode="CMYK", restart_marker_blocks=1)[:-2] + b"\xff\xd0" * _MILLIONS + END
    ),
    "a filler": lambda: jpeg()[:-2] + bytes(4 * _MILLIONS) + END,
    "end markers": lambda: jpeg() + END * _MILLIONS,
    "profiles": lambda: insert(jpeg(), *[segment(0xE2, b"ICC_PROFILE\0\1\1")] * 9_000),
    "parts of a profile": lambda: insert(
        jpeg(),
        *(
            segment(0xE2, b"ICC_PROFILE\0" + bytes((n % 255 + 1, 255, *[n % 256] * 9)))
            for n in range(9_000)
        ),
    ),
    "EXIF data": lambda: insert(jpeg(), *[segment(0xE1, b"Exif\0\0" + bytes(65_000))] * 500),
    "a narrow image": lambda: jpeg(1, 65_500, mode="CMYK", progressive=True),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_no_bomb_takes_more_memory_or_time_than_its_size_allows(tmp_path: Path, bomb: str) -> None:
    path = tmp_path / "bomb.jpg"
    path.write_bytes(BOMBS[bomb]())
    _keeps_the_limits(path, megapixels=0.07)


@pytest.mark.parametrize("seed", range(8))
def test_no_random_bomb_takes_more(tmp_path: Path, seed: int) -> None:
    """Bytes that a parser may stumble over, millions of them, in a JPEG at a random place."""
    seeded = random.Random(seed)  # noqa: S311 - no secret
    image = jpeg(
        mode=seeded.choice(("L", "RGB", "CMYK")),
        progressive=seeded.choice((False, True)),
        restart_marker_blocks=seeded.choice((0, 1)),
    )
    at = seeded.randrange(2, len(image))
    unit = b"".join(
        seeded.choice((b"\xff", b"\0", b"\xff\0", b"\xff\x01", b"\xff\xd1", segment(COM, b"")))
        for _ in range(seeded.randint(1, 4))
    )
    path = tmp_path / "bomb.jpg"
    path.write_bytes(image[:at] + unit * (20_000_000 // len(unit)) + image[at:])
    _keeps_the_limits(path, megapixels=0)


def _keeps_the_limits(path: Path, megapixels: float) -> None:
    size = path.stat().st_size
    peak, before, seconds = _measure(_CONVERT, path)
    # Pixels, the file, and the blocks of rows with what is loaded late; a child has its own.
    allowed = megapixels * 1e6 * limits.BYTES_PER_PIXEL + limits.COPIES * size + 24 * MB
    assert peak - before < allowed
    assert seconds < 2 * megapixels + 1


def test_the_smallest_file_takes_no_more(tmp_path: Path) -> None:
    path = _file(tmp_path, 2, exif=turned(6))
    peak, before = _peak(_CONVERT, path, "smallest")
    assert peak - before < 2_000_000 * limits.BYTES_PER_PIXEL + 20 * MB


def test_24_megapixels(tmp_path: Path) -> None:
    path = _file(tmp_path, 24)
    converted, _ = _peak(_CONVERT, path)
    decoded, _ = _peak(_PILLOWS_DECODER, path)
    assert converted < 180 * MB
    assert converted < decoded  # and so below any encoder that takes a decoded image


def test_an_upright_baseline_image_is_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    path = _file(tmp_path, 24, "L")
    peak, before = _peak(_CONVERT.replace("io.BytesIO()", 'open("/dev/null", "wb")'), path)
    assert peak - before < 24_000_000


def test_limits_follow_from_memory() -> None:
    small, large = limits.for_memory(512 * MB), limits.for_memory(1769 * MB)
    assert small.max_bytes == 32 * MB
    assert small.max_pixels < large.max_pixels
    for size, allowed in ((512, small), (1769, large)):
        needed = allowed.max_pixels * limits.BYTES_PER_PIXEL + allowed.max_bytes * limits.COPIES
        assert needed + limits.OVERHEAD_BYTES <= size * MB
    assert limits.for_memory(128 * MB).max_pixels == 0


def test_the_encoder_needs_no_seekable_file(tmp_path: Path) -> None:
    target = tmp_path / "image.png"
    script = (
        "import sys; from image_converter.conversion import Limits, convert;"
        "from tests.support.images import jpeg;"
        "convert(jpeg(), sys.stdout.buffer, Limits(10**6, 10**6))"
    )
    with target.open("wb") as png:
        subprocess.run(
            [sys.executable, "-c", script],
            stdout=png,
            check=True,
            env={"PYTHONPATH": "lambda_src:."},
        )
    assert Image.open(io.BytesIO(target.read_bytes())).size == (24, 16)


_WHOLE_PNG = {"name": "png", "format": "png"}
_SMALL = [
    {"name": f"w{side}", "format": "webp", "max_width": side, "max_height": side}
    for side in (1280, 320)
]


def _needed(entries: list[dict[str, Any]], width: int, height: int) -> int:
    """Return what the conversion itself allows for, by refusing to do with one byte less."""
    wanted = renditions.parse(json.dumps(entries))
    work = conversion_renditions.plan(wanted, (width, height))
    with pytest.raises(ImageTooLarge) as caught:
        conversion_renditions.refuse_too_large(work, Limits(10**9, 1))
    message = re.search(r"([\d,]+) bytes of memory", str(caught.value))
    assert message
    return int(message[1].replace(",", ""))


@pytest.mark.parametrize("image_format", limits.ENCODER_BYTES_PER_PIXEL)
def test_no_encoder_takes_more_than_is_allowed_for(image_format: Format) -> None:
    """Noise in the best quality is the worst that there is."""
    side = 1500
    answer = subprocess.run(
        [sys.executable, "-c", _ENCODE, image_format, str(side)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "lambda_src"},
    )
    # With the file, which is counted apart.
    per_pixel = limits.ENCODER_BYTES_PER_PIXEL[image_format] + limits.IMAGE_BYTES_PER_PIXEL
    assert int(answer.stdout) < side**2 * per_pixel + limits.ENCODER_BYTES


@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {}), ("CMYK", {"progressive": True, "exif": turned(8)})],
    ids=["usual", "worst"],
)
def test_renditions_take_no_more_than_the_limits_allow_for(
    tmp_path: Path, mode: str, options: dict[str, Any]
) -> None:
    entries: list[dict[str, Any]] = [
        _WHOLE_PNG,
        {"name": "avif", "format": "avif", "quality": 100},
        *_SMALL,
    ]
    path = _file(tmp_path, 2, mode, **options)
    allowed = _needed(entries, 1000, 2000) + limits.COPIES * path.stat().st_size
    peak, before = _peak(_RENDER, path, json.dumps(entries))
    assert peak - before < allowed


def test_two_webps_of_24_megapixels(tmp_path: Path) -> None:
    path = tmp_path / "image.jpg"
    _file(tmp_path, 6).replace(path)
    image = Image.open(path).resize((6000, 4000))
    image.save(path, quality=85)
    peak, before = _peak(_RENDER, path, json.dumps([_WHOLE_PNG, *_SMALL]))
    assert peak - before < 150 * MB
