"""Peaks of processes that convert one image each, against what `limits.py` says."""

import io
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from image_converter.conversion import limits
from tests.support.images import jpeg
from tests.support.jpeg.editing import COM, END, insert, segment

MB = 1024**2
JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")

_CONVERT = """
import io, pathlib, resource, sys, time
from image_converter.conversion import Limits, convert
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


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


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
        ("RGB", {"exif": _exif(6)}),
        ("RGB", {"progressive": True, "subsampling": 0}),
        ("RGB", {"progressive": True, "subsampling": 0, "exif": _exif(6)}),
        ("CMYK", {}),
        ("CMYK", {"progressive": True, "exif": _exif(8)}),
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
    whole = jpeg(
        mode=seeded.choice(("L", "RGB", "CMYK")),
        progressive=seeded.choice((False, True)),
        restart_marker_blocks=seeded.choice((0, 1)),
    )
    at = seeded.randrange(2, len(whole))
    unit = b"".join(
        seeded.choice((b"\xff", b"\0", b"\xff\0", b"\xff\x01", b"\xff\xd1", segment(COM, b"")))
        for _ in range(seeded.randint(1, 4))
    )
    path = tmp_path / "bomb.jpg"
    path.write_bytes(whole[:at] + unit * (20_000_000 // len(unit)) + whole[at:])
    _keeps_the_limits(path, megapixels=0)


def _keeps_the_limits(path: Path, megapixels: float) -> None:
    size = path.stat().st_size
    peak, before, seconds = _measure(_CONVERT, path)
    # Pixels, the file, and the blocks of rows with what is loaded late; a child has its own.
    allowed = megapixels * 1e6 * limits.BYTES_PER_PIXEL + limits.COPIES * size + 24 * MB
    assert peak - before < allowed
    assert seconds < 2 * megapixels + 1


def test_the_smallest_file_takes_no_more(tmp_path: Path) -> None:
    path = _file(tmp_path, 2, exif=_exif(6))
    peak, before = _peak(_CONVERT, path, "smallest")
    assert peak - before < 2_000_000 * limits.BYTES_PER_PIXEL + 20 * MB


def test_24_megapixels(tmp_path: Path) -> None:
    path = _file(tmp_path, 24)
    ours, _ = _peak(_CONVERT, path)
    decoded, _ = _peak(_PILLOWS_DECODER, path)
    assert ours < 180 * MB
    assert ours < decoded  # and so below any encoder that takes a decoded image


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
