from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.package import elf, interpreters, proof, trim, wheels
from scripts.package.build import Inputs
from scripts.package.errors import PackageError
from scripts.package.target import Target, host_target

pytestmark = pytest.mark.package


def running() -> interpreters.Interpreter:
    found = interpreters.find(sys.version_info[:2])
    assert found is not None
    return found


def test_the_trimmed_layer_works(host_layer: Path) -> None:
    proof.check(running(), host_layer)


@pytest.mark.parametrize(
    "pattern",
    [
        "PIL/_imagingcms.*",
        "pillow.libs/liblcms2-*",
        "isal/isal_zlib.*.so",
        "wrapt/*.py",
        "botocore/data/endpoints.json",
        "botocore/data/dynamodb/*/service-2.json",
        "six.py",
    ],
)
def test_a_layer_that_was_trimmed_too_far_is_not_shipped(host_layer: Path, pattern: str) -> None:
    for file in host_layer.glob(pattern):
        file.unlink()

    with pytest.raises(PackageError, match="The layer does not work"):
        proof.check(running(), host_layer)


def test_each_bundled_library_that_is_loaded_is_there_and_no_other(host_layer: Path) -> None:
    libraries = {path.name: elf.read(path) for path in host_layer.rglob("*.so*")}
    needed = {name for library in libraries.values() if library for name in library.needed}

    bundled = {path.name for path in host_layer.glob("*.libs/*")}
    assert bundled
    assert bundled <= needed
    # The names that auditwheel gives end in a hash; others are the system's.
    assert {name for name in needed if "-" in name and "ld-linux" not in name} <= bundled


def test_a_library_for_another_processor_is_refused(host_layer: Path) -> None:
    other = {"arm64": "x86_64", "x86_64": "arm64"}[host_target().architecture]

    with pytest.raises(PackageError, match=r"\.so is for .*, and python3\.13 on .* needs"):
        trim.check(host_layer, Target("python3.13", other))


def test_a_library_for_a_newer_system_is_refused(tmp_path: Path) -> None:
    """Pillow as a whole asks for glibc 2.27, python3.11's Amazon Linux 2 has 2.26."""
    target = Target("python3.11", "arm64")
    inputs = Inputs()
    downloads = wheels.fetch(target, inputs.requirements, inputs.cache)
    wheels.unpack(target, inputs.requirements, downloads, tmp_path)

    with pytest.raises(PackageError, match=r"needs glibc 2\.27, and python3\.11 .* has 2\.26"):
        trim.check(tmp_path, target)

    trim.trim(tmp_path)
    trim.check(tmp_path, target)


def test_a_file_that_is_no_library_is_told_from_one(tmp_path: Path) -> None:
    (tmp_path / "empty.so").write_bytes(b"")
    (tmp_path / "text.so").write_text("GROUP ( libc.so.6 )")

    assert elf.read(tmp_path / "empty.so") is None
    assert elf.read(tmp_path / "text.so") is None
