"""Builds both zips for a target and the manifest that describes them."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import tomllib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from scripts.lib.paths import REPOSITORY
from scripts.package import (
    PackageError,
    archive,
    bytecode,
    interpreters,
    smoke_test,
    stamp,
    trim,
    wheels,
)
from scripts.package.archive import Archive
from scripts.package.interpreters import Interpreter
from scripts.package.target import Target
from scripts.package.wheels import Package

# Lambda's limit on a function with its layers, unzipped, in bytes ("Lambda quotas": 250 MB).
UNZIPPED_LIMIT: Final = 250 * 1024 * 1024

# Where Lambda unpacks functions and layers.
_FUNCTION_HOME: Final = "/var/task"
_LAYER_HOME: Final = "/opt/python"

PINS: Final = REPOSITORY / "requirements" / "layer.txt"
_PROJECT: Final = REPOSITORY / "pyproject.toml"
_NOT_DEPLOYED: Final = shutil.ignore_patterns("__pycache__", "*.py[co]", "*~", ".*")


@dataclass(frozen=True)
class Inputs:
    """What a build reads.

    Parameters:
        sources: the folder with the package image_converter.
        cache: the folder where wheels are kept.
        formats: what the layer writes besides PNG and JPEG, of `trim.FORMATS`.
    """

    sources: Path = REPOSITORY / "lambda_src"
    cache: Path = REPOSITORY / "build" / "wheels"
    formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class Artifact:
    """A zip with what is in it."""

    archive: Archive
    packages: list[Package]

    def as_json(self) -> dict[str, Any]:
        """Return it as the manifest has it."""
        return {
            "file": self.archive.path.name,
            "sha256": self.archive.sha256,
            "sha256_base64": self.archive.sha256_base64,
            "zipped_bytes": self.archive.zipped,
            "unzipped_bytes": self.archive.unzipped,
            "packages": [asdict(package) for package in self.packages],
        }


@dataclass(frozen=True)
class Build:
    """What was built.

    Parameters:
        target: what it is for.
        formats: what renditions its layer writes.
        functions: the zip that all functions share.
        layer: the zip of their layer.
        interpreter: what compiled the bytecode; None if there is none.
    """

    target: Target
    formats: tuple[str, ...]
    functions: Artifact
    layer: Artifact
    interpreter: Interpreter | None = field(default=None)

    @property
    def unzipped(self) -> int:
        """What counts against Lambda's limit, in bytes."""
        return self.functions.archive.unzipped + self.layer.archive.unzipped

    def bytecode(self) -> dict[str, str | None]:
        """Return which interpreter compiled the bytecode, or why there is none."""
        if self.interpreter:
            return {"interpreter": f"CPython {self.interpreter.version}", "reason": None}
        reason = f"the machine that built the package has no {self.target.runtime}"
        return {"interpreter": None, "reason": reason}

    def manifest(self) -> dict[str, Any]:
        """Return the manifest, which Terraform reads."""
        return {
            "runtime": self.target.runtime,
            "architecture": self.target.architecture,
            "formats": list(self.formats),
            "bytecode": self.bytecode(),
            "artifacts": {"functions": self.functions.as_json(), "layer": self.layer.as_json()},
        }


def build(target: Target, output: Path, inputs: Inputs | None = None) -> Build:
    """Build functions.zip, layer.zip and manifest.json.

    Nothing in the output folder changes before everything is built and checked.

    Parameters:
        target: what to build for.
        output: the folder to put the three files in.
        inputs: what to build from; default is this repository.

    Raises:
        PackageError: it cannot be built.
    """
    inputs = inputs or Inputs()
    package = _package(inputs)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PackageError(
            f"The packages cannot be written to {output}: {error.strerror}."
        ) from error
    interpreter = interpreters.find(target.python)
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
        staging = Path(scratch)
        layer, layer_stamp = _layer(target, inputs, interpreter, staging)
        functions = _functions(package, interpreter, staging, layer_stamp)
        formats = ("png", "jpeg", *sorted(inputs.formats))
        built = Build(target, formats, functions, layer, interpreter)
        _check_size(built)
        manifest = staging / "manifest.json"
        manifest.write_text(json.dumps(built.manifest(), indent=2) + "\n", encoding="utf-8")
        for file in (built.functions.archive.path, built.layer.archive.path, manifest):
            _publish(file, output / file.name)
    return built


def _package(inputs: Inputs) -> Path:
    package = inputs.sources / "image_converter"
    if not (package / "__init__.py").is_file():
        raise PackageError(f"The package image_converter is not in {inputs.sources}.")
    return package


def _functions(
    package: Path, interpreter: Interpreter | None, staging: Path, layer_stamp: str
) -> Artifact:
    tree = staging / "functions"
    shutil.copytree(package, tree / package.name, ignore=_NOT_DEPLOYED)
    stamp.write_to_code(tree, layer_stamp)
    if interpreter:
        bytecode.compile_tree(interpreter, tree, _FUNCTION_HOME)
    project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
    own = Package(project["name"], project["version"], project["license"], sha256=None)
    return Artifact(archive.write(tree, staging / "functions.zip"), [own])


def _layer(
    target: Target, inputs: Inputs, interpreter: Interpreter | None, staging: Path
) -> tuple[Artifact, str]:
    """Build the layer; return it with its stamp."""
    downloads = wheels.fetch(target, PINS, inputs.cache)
    tree = staging / "layer"
    python = tree / "python"
    wheels.unpack(target, PINS, downloads, python)
    trim.trim(python, inputs.formats)
    trim.check(python, target)
    layer_stamp = stamp.of(python)
    stamp.write_to_layer(python, layer_stamp)
    if interpreter:
        if _runs_here(target, interpreter):
            smoke_test.check(interpreter, python, inputs.formats)
        bytecode.compile_tree(interpreter, python, _LAYER_HOME)
    packages = wheels.contents(python, downloads)
    return Artifact(archive.write(tree, staging / "layer.zip"), packages), layer_stamp


def _runs_here(target: Target, interpreter: Interpreter) -> bool:
    """Whether what is built for the target can be loaded by the interpreter at hand."""
    return target.host or (
        platform.system() == "Linux"
        and platform.libc_ver()[0] == "glibc"
        and interpreter.machine == target.machine
    )


def _check_size(built: Build) -> None:
    if built.unzipped > UNZIPPED_LIMIT:
        raise PackageError(
            f"Functions and layer are {built.unzipped:,} bytes unzipped, and Lambda allows at "
            f"most {UNZIPPED_LIMIT:,}. Remove something from requirements/layer.in."
        )


def _publish(staged: Path, final: Path) -> None:
    """Put a file in its place at once; leave one with the same bytes, and its time, alone."""
    if final.is_file() and final.read_bytes() == staged.read_bytes():
        return
    staged.replace(final)
