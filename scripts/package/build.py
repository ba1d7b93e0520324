"""Builds both zips for a target and the manifest that describes them."""

import filecmp
import hashlib
import json
import platform
import shutil
import tempfile
import tomllib
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from image_converter.layer import MODULE as LAYER_MODULE
from scripts.lib.paths import REPOSITORY
from scripts.package import PackageError, archive, interpreters, smoke_test, trim, wheels
from scripts.package.archive import Artifact
from scripts.package.interpreters import Interpreter
from scripts.package.target import Target
from scripts.package.wheels import Package

SOURCES: Final = REPOSITORY / "lambda_src"  # the folder with the package image_converter
CACHE: Final = REPOSITORY / "build" / "wheels"

# Lambda's limit on a function with its layers, unzipped, in bytes ("Lambda quotas": 250 MB).
UNZIPPED_LIMIT: Final = 250 * 1024 * 1024

# Where Lambda unpacks functions and layers.
_FUNCTION_HOME: Final = "/var/task"
_LAYER_HOME: Final = "/opt/python"

# The modules by which the functions recognise the layer that they were built with.
_LAYER_STAMP: Final = '"""The stamp of this layer."""\n\nSTAMP = "{}"\n'
_CODE_STAMP: Final = '"""The stamp of the layer that this code was built with."""\n\nLAYER = "{}"\n'
_STAMP_DIGITS: Final = 16

_PROJECT: Final = REPOSITORY / "pyproject.toml"
_NOT_DEPLOYED: Final = shutil.ignore_patterns("__pycache__", "*.py[co]", "*~", ".*")


@dataclass(frozen=True)
class Build:
    """What was built, as manifest.json describes it. Terraform reads that.

    Attributes:
        runtime: Lambda's name of the Python it is for.
        architecture: Lambda's name of the processor it is for.
        formats: what renditions the layer writes.
        bytecode: the interpreter that compiled it, or the reason why there is none.
        artifacts: the zip that all functions share, and the zip of their layer.
    """

    runtime: str
    architecture: str
    formats: tuple[str, ...]
    bytecode: dict[str, str | None]
    artifacts: dict[str, Artifact]

    @property
    def unzipped(self) -> int:
        """What counts against Lambda's limit, in bytes."""
        return sum(artifact.unzipped_bytes for artifact in self.artifacts.values())


def build(
    target: Target,
    output: Path,
    *,
    formats: Collection[str] = (),
    sources: Path = SOURCES,
    cache: Path = CACHE,
) -> Build:
    """Build functions.zip, layer.zip and manifest.json.

    Nothing in the output folder changes before everything is built and checked.

    Parameters:
        target: what to build for.
        output: the folder to put the three files in.
        formats: what the layer writes besides PNG and JPEG, of `trim.FORMATS`.
        sources: the folder with the package image_converter.
        cache: the folder where wheels are kept.

    Raises:
        PackageError: it cannot be built.
    """
    if not (sources / "image_converter" / "__init__.py").is_file():
        raise PackageError(f"The package image_converter is not in {sources}.")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PackageError(
            f"The packages cannot be written to {output}: {error.strerror}."
        ) from error
    interpreter = interpreters.find(target.runtime)
    reason = f"the machine that built the package has no {target.runtime}"
    bytecode = {
        "interpreter": f"CPython {interpreter.version}" if interpreter else None,
        "reason": None if interpreter else reason,
    }
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-") as scratch:
        staging = Path(scratch)
        layer, layer_stamp = _layer(target, formats, cache, interpreter, staging)
        functions = _functions(sources, interpreter, staging, layer_stamp)
        built = Build(
            target.runtime,
            target.architecture,
            ("png", "jpeg", *sorted(formats)),
            bytecode,
            {"functions": functions, "layer": layer},
        )
        if built.unzipped > UNZIPPED_LIMIT:
            raise PackageError(
                f"Functions and layer are {built.unzipped:,} bytes unzipped, and Lambda allows at "
                f"most {UNZIPPED_LIMIT:,}. Remove something from requirements/layer.in."
            )
        manifest = staging / "manifest.json"
        manifest.write_text(json.dumps(asdict(built), indent=2) + "\n", encoding="utf-8")
        for file in (functions.file, layer.file, manifest.name):
            staged, final = staging / file, output / file
            # A file with the same bytes keeps its time.
            if not (final.is_file() and filecmp.cmp(staged, final, shallow=False)):
                staged.replace(final)
    return built


def _functions(
    sources: Path, interpreter: Interpreter | None, staging: Path, layer_stamp: str
) -> Artifact:
    tree = staging / "functions"
    package = tree / "image_converter"
    shutil.copytree(sources / package.name, package, ignore=_NOT_DEPLOYED)
    (package / "built_with.py").write_text(_CODE_STAMP.format(layer_stamp), encoding="utf-8")
    if interpreter:
        _compile(interpreter, tree, _FUNCTION_HOME)
    project = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]
    own = Package(project["name"], project["version"], project["license"], sha256=None)
    return archive.write(tree, staging / "functions.zip", [own])


def _layer(
    target: Target,
    formats: Collection[str],
    cache: Path,
    interpreter: Interpreter | None,
    staging: Path,
) -> tuple[Artifact, str]:
    """Build the layer; return it with its stamp."""
    tree = staging / "layer"
    python = tree / "python"
    packages = wheels.unpack(wheels.fetch(target, cache), python)
    trim.trim(python, formats)
    trim.check(python, target)
    layer_stamp = stamp(python)
    module = python / f"{LAYER_MODULE}.py"
    module.write_text(_LAYER_STAMP.format(layer_stamp), encoding="utf-8")
    if interpreter:
        is_glibc = platform.libc_ver()[0] == "glibc"
        if target.host or (is_glibc and interpreter.machine == target.machine):
            smoke_test.check(interpreter, python, formats)
        _compile(interpreter, python, _LAYER_HOME)
    return archive.write(tree, staging / "layer.zip", packages), layer_stamp


def stamp(tree: Path) -> str:
    """Return the stamp of a folder: another name or byte in it gives another one."""
    digest = hashlib.sha256()
    for file in sorted(path for path in tree.rglob("*") if path.is_file()):
        name, data = file.relative_to(tree).as_posix().encode(), file.read_bytes()
        digest.update(b"%d %d " % (len(name), len(data)) + name + data)
    return digest.hexdigest()[:_STAMP_DIGITS]


def _compile(interpreter: Interpreter, tree: Path, home: str) -> None:
    """Put bytecode next to each source in a folder, which will be at home on Lambda.

    Without bytecode in the package each cold start compiles everything again, for Lambda's file
    system is read-only. Bytecode of another version would be dead weight, so it is never made.
    """
    # Unchecked: the loader compares the bytecode neither with the time nor the text of the source,
    # for in a package the source cannot change.
    options = ("-q", "-f", "--invalidation-mode=unchecked-hash", "-d", home)
    done = interpreter.run("-m", "compileall", *options, str(tree))
    if done.returncode:
        messages = (done.stdout + done.stderr).strip()
        raise PackageError(f"Python {interpreter.version} cannot compile the sources:\n{messages}")
