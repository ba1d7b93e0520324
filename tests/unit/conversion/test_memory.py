"""Peaks of processes that convert one image each, against what `limits.py` says."""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from image_converter.conversion import limits

MB = 1024**2

_CONVERT = """
import io, pathlib, sys
from image_converter.conversion import Limits, convert

def status(name):
    line = next(l for l in open("/proc/self/status") if l.startswith(name))
    return int(line.split()[1]) * 1024

jpeg = pathlib.Path(sys.argv[1]).read_bytes()
before = status("VmRSS") - len(jpeg)
convert(jpeg, io.BytesIO(), Limits(10**9, 10**9), sys.argv[2])
print(status("VmHWM"), before)
"""

_PILLOWS_DECODER = """
import pathlib, sys
from PIL import Image
Image.open(pathlib.Path(sys.argv[1])).load()
line = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
print(int(line.split()[1]) * 1024, 0)
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


def _peak(script: str, path: Path, compression: str = "fast") -> tuple[int, int]:
    answer = subprocess.run(
        [sys.executable, "-c", script, path, compression],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "lambda_src"},
    )
    peak, before = map(int, answer.stdout.split())
    return peak, before


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
        "from tests.images import jpeg; convert(jpeg(), sys.stdout.buffer, Limits(10**6, 10**6))"
    )
    with target.open("wb") as png:
        subprocess.run(
            [sys.executable, "-c", script],
            stdout=png,
            check=True,
            env={"PYTHONPATH": "lambda_src:."},
        )
    assert Image.open(io.BytesIO(target.read_bytes())).size == (24, 16)
