"""Packages that several tests look at, built once.

They are compressed little: no test depends on how well, and it takes half of a build's time.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from image_converter.layer import MODULE as LAYER_MODULE
from scripts.lib.paths import REPOSITORY
from scripts.package import archive, interpreters
from scripts.package import build as build_module
from scripts.package.archive import Artifact
from scripts.package.build import build
from scripts.package.target import Target, host_target


@pytest.fixture(scope="session", autouse=True)
def _little_compression() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive, "LEVEL", 1)
        yield


@pytest.fixture(scope="session")
def host_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package for this machine."""
    output = tmp_path_factory.mktemp("host") / "package"
    build(host_target(), output)
    return output


@pytest.fixture(scope="session")
def lambda_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package for AWS, on the oldest system and the processor that differs from most laptops'.

    The machine that builds it has no interpreter of its version.
    """
    output = tmp_path_factory.mktemp("lambda") / "package"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreters, "find", lambda _runtime: None)
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
        with ZipFile(host_package / "layer.zip") as layer:
            module = layer.read(f"python/{LAYER_MODULE}.py").decode()
        return Artifact(**manifest["artifacts"]["layer"]), module.split('"')[-2]

    monkeypatch.setattr(build_module, "_layer", take)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the functions' sources, to change."""
    return shutil.copytree(REPOSITORY / "lambda_src", tmp_path / "lambda_src")


@pytest.fixture(scope="session")
def unpacked_layer(host_package: Path) -> Path:
    """The packages of the layer for this machine, unpacked."""
    with ZipFile(host_package / "layer.zip") as layer:
        layer.extractall(host_package.parent / "layer")
    return host_package.parent / "layer" / "python"


@pytest.fixture
def host_layer(unpacked_layer: Path, tmp_path: Path) -> Path:
    """The same, to remove files from. They are hard links: do not write into them."""
    return shutil.copytree(unpacked_layer, tmp_path / "layer", copy_function=os.link)
