"""What is trimmed from the layer is never loaded, and what is left suits the target."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

from scripts.package import PackageError, interpreters, smoke_test, trim, wheels
from scripts.package.build import CACHE
from scripts.package.target import Target, host_target

pytestmark = pytest.mark.package


def running() -> interpreters.Interpreter:
    interpreter = interpreters.find(host_target().runtime)
    assert interpreter is not None
    return interpreter


def test_the_trimmed_layer_works(host_layer: Path) -> None:
    smoke_test.check(running(), host_layer)


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
        smoke_test.check(running(), host_layer)


def imported_names(package: str, folder: str) -> set[tuple[str, str]]:
    """Return (module, name) of all that modules of a package import out of a folder of it."""
    root = Path(importlib.import_module(package).__file__ or "").parent
    imported: set[tuple[str, str]] = set()
    for file in root.rglob("*.py"):
        if file.is_relative_to(root / folder):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                module = node.module if node.level == 0 else f"{package}.{node.module}"
                if f"{module}.".startswith(f"{package}.{folder}."):
                    imported |= {(module, alias.name) for alias in node.names}
    return imported


@pytest.mark.parametrize(("package", "folder"), [("botocore", "docs"), ("urllib3", "http2")])
def test_the_stand_ins_have_all_that_is_imported_from_them(
    host_layer: Path, package: str, folder: str
) -> None:
    names = imported_names(package, folder)
    code = "; ".join(f"from {module} import {name}" for module, name in sorted(names))

    assert names
    done = running().run(
        "-c", f"import sys; sys.path.insert(0, sys.argv[1]); {code}", str(host_layer)
    )
    assert done.stderr == ""


def test_what_a_new_version_no_longer_has_is_named(host_layer: Path) -> None:
    (host_layer / "botocore" / "docs" / "utils.py").unlink()

    with pytest.raises(PackageError, match=r"have no botocore/docs/utils\.py"):
        trim._put_stubs(host_layer)


def test_each_bundled_library_that_is_loaded_is_there_and_no_other(host_layer: Path) -> None:
    libraries = {path.name: trim.read_library(path) for path in host_layer.rglob("*.so*")}
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
    wheels.unpack(wheels.fetch(target, CACHE), tmp_path)

    with pytest.raises(PackageError, match=r"needs glibc 2\.27, but python3\.11 .* has 2\.26"):
        trim.check(tmp_path, target)

    trim.trim(tmp_path)
    trim.check(tmp_path, target)


def test_a_file_that_is_not_a_library_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "empty.so").write_bytes(b"")
    (tmp_path / "text.so").write_text("GROUP ( libc.so.6 )")

    assert trim.read_library(tmp_path / "empty.so") is None
    assert trim.read_library(tmp_path / "text.so") is None
