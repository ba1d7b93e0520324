"""Packages that several tests look at, built once."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.lib.paths import REPOSITORY
from scripts.package import build as build_module
from scripts.package.archive import Artifact
from scripts.package.build import build
from scripts.package.target import Target, host_target


@pytest.fixture(scope="session")
def host_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package for this machine."""
    output = tmp_path_factory.mktemp("host") / "package"
    build(host_target(), output)
    return output


@pytest.fixture(scope="session")
def lambda_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package for AWS, on the oldest system and the processor that differs from most laptops'."""
    output = tmp_path_factory.mktemp("lambda") / "package"
    build(Target("python3.11", "arm64"), output)
    return output


@pytest.fixture(scope="session")
def changed_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package for this machine, of sources with a changed handler and with what editors leave."""
    root = tmp_path_factory.mktemp("changed")
    sources = shutil.copytree(REPOSITORY / "lambda_src", root / "lambda_src")
    package = sources / "image_converter"
    with (package / "handlers" / "copy_file.py").open("a") as handler:
        handler.write("\nCHANGED = True\n")
    (package / "__pycache__").mkdir(exist_ok=True)
    for name in (".secret", "notes.py~", "old.pyc", "__pycache__/keys.cpython-36.pyc"):
        (package / name).write_text("left behind")
    build(host_target(), root / "package", sources=sources)
    return root / "package"


@pytest.fixture
def built_layer(host_package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have builds take the layer of `host_package`, instead of making the same for seconds."""

    def take(*arguments: object) -> tuple[Artifact, str]:
        *_, staging = arguments
        shutil.copy(host_package / "layer.zip", str(staging))
        manifest = json.loads((host_package / "manifest.json").read_text(encoding="utf-8"))
        return Artifact(**manifest["artifacts"]["layer"]), "0" * 16

    monkeypatch.setattr(build_module, "_layer", take)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the functions' sources, to change."""
    return shutil.copytree(REPOSITORY / "lambda_src", tmp_path / "lambda_src")


@pytest.fixture
def host_layer(host_package: Path, tmp_path: Path) -> Path:
    """The packages of the layer for this machine, unpacked, to break."""
    with ZipFile(host_package / "layer.zip") as archive:
        archive.extractall(tmp_path / "layer")
    return tmp_path / "layer" / "python"
