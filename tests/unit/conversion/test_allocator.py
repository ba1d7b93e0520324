"""Freed memory is kept from one image to the next, counted by the pages that the system gives."""

import subprocess
import sys
from pathlib import Path

import pytest

from image_converter.conversion.allocator import keep_freed_memory
from tests.support.images import jpeg

_FAULTS = """
import io, pathlib, resource, sys
from image_converter.conversion import Limits, convert

jpeg = pathlib.Path(sys.argv[1]).read_bytes()
png = io.BytesIO(bytes(4_000_000))
for _ in range(5):
    png.seek(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    convert(jpeg, png, Limits(10**9, 10**9))
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_the_next_image_takes_hardly_a_page_from_the_system(tmp_path: Path) -> None:
    if not keep_freed_memory():
        pytest.skip("this C library's allocator is not glibc's")
    path = tmp_path / "image.jpg"
    path.write_bytes(jpeg(1000, 800))
    done = subprocess.run(
        [sys.executable, "-c", _FAULTS, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "lambda_src"},
    )
    assert int(done.stdout) < 100
