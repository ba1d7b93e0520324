"""The package is the same byte for byte on every build, and its functions run from it."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import marshal
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from elftools.elf.elffile import ELFFile

from image_converter.layer import MODULE as LAYER_MODULE
from scripts.lib.paths import REPOSITORY
from scripts.package import PackageError
from scripts.package import build as build_module
from scripts.package.__main__ import main
from scripts.package.build import build, stamp
from scripts.package.target import host_target

pytestmark = pytest.mark.package

# An invocation that ends before any request: the input is empty.
_INVOKE = """
import sys
sys.path[:0] = sys.argv[1:]
from image_converter.handlers import get_file_type
try:
    get_file_type.handler({}, None)
except Exception as error:
    print(type(error).__name__)
"""

FILES = ("functions.zip", "layer.zip", "manifest.json")


def content(package: Path) -> dict[str, bytes]:
    return {name: (package / name).read_bytes() for name in FILES}


def members(package: Path, name: str) -> dict[str, bytes]:
    with ZipFile(package / name) as archive:
        return {member: archive.read(member) for member in archive.namelist()}


@pytest.mark.usefixtures("built_layer")
def test_building_again_gives_the_same_bytes(host_package: Path, tmp_path: Path) -> None:
    """Building the layer takes seconds; it is built again for the next test."""
    build(host_target(), tmp_path / "elsewhere" / "again")

    assert content(tmp_path / "elsewhere" / "again") == content(host_package)
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["again"]


def test_a_changed_handler_changes_the_functions_and_not_the_layer(
    host_package: Path, changed_package: Path
) -> None:
    before, after = content(host_package), content(changed_package)

    assert before["functions.zip"] != after["functions.zip"]
    assert before["layer.zip"] == after["layer.zip"]


def test_code_and_layer_have_the_same_stamp(host_package: Path, lambda_package: Path) -> None:
    stamps = set()
    for package in (host_package, lambda_package):
        code = members(package, "functions.zip")["image_converter/built_with.py"].decode()
        layer = members(package, "layer.zip")[f"python/{LAYER_MODULE}.py"].decode()
        both = re.findall(r'"([0-9a-f]{16})"', code + layer)
        assert both == [both[0]] * 2
        stamps.add(both[0])
    assert len(stamps) == 2, "another layer has another stamp"


def test_a_stamp_depends_on_every_name_and_byte(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"xy")
    stamps = [stamp(tmp_path)]
    (tmp_path / "a").write_bytes(b"x")
    stamps.append(stamp(tmp_path))
    (tmp_path / "a").rename(tmp_path / "b")
    stamps.append(stamp(tmp_path))
    (tmp_path / "c").write_bytes(b"")
    stamps.append(stamp(tmp_path))

    assert len(set(stamps)) == len(stamps)
    assert all(re.fullmatch("[0-9a-f]{16}", stamp) for stamp in stamps)


@pytest.mark.parametrize("layer", ["same", "other"])
def test_packaged_functions_accept_the_layer_of_their_build_only(
    host_package: Path, tmp_path: Path, layer: str
) -> None:
    for name in ("functions", "layer"):
        with ZipFile(host_package / f"{name}.zip") as archive:
            archive.extractall(tmp_path / name)
    python = tmp_path / "layer" / "python"
    if layer == "other":
        shutil.rmtree(python / "__pycache__")
        (python / f"{LAYER_MODULE}.py").write_text('STAMP = "0123456789abcdef"\n')
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-c", _INVOKE, str(tmp_path / "functions"), str(python)],
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=True,
    )

    outcome = {"same": "InvalidRecord", "other": "LayerMismatch"}[layer]
    assert done.stdout.splitlines()[-1] == outcome


def test_the_manifest_describes_both_zips(host_package: Path) -> None:
    manifest = json.loads((host_package / "manifest.json").read_text())

    assert manifest["runtime"] == host_target().runtime
    assert manifest["architecture"] == host_target().architecture
    for name in ("functions", "layer"):
        artifact = manifest["artifacts"][name]
        data = (host_package / artifact["file"]).read_bytes()
        digest = hashlib.sha256(data).digest()
        assert artifact["sha256"] == digest.hex()
        assert artifact["sha256_base64"] == base64.b64encode(digest).decode()
        assert artifact["zipped_bytes"] == len(data)
        unzipped = sum(map(len, members(host_package, artifact["file"]).values()))
        assert artifact["unzipped_bytes"] == unzipped


def test_the_manifest_names_every_package_with_a_pinned_hash_and_a_licence(
    host_package: Path,
) -> None:
    manifest = json.loads((host_package / "manifest.json").read_text())
    packages = manifest["artifacts"]["layer"]["packages"]

    pins = (REPOSITORY / "requirements" / "layer.txt").read_text()
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", pins, re.MULTILINE))
    assert {package["name"]: package["version"] for package in packages} == pinned
    for package in packages:
        assert f"sha256:{package['sha256']}" in pins
        assert package["licence"] != "not stated"


def test_the_layer_carries_the_licence_of_each_package(host_package: Path) -> None:
    names = members(host_package, "layer.zip")
    infos = {name.split("/")[1] for name in names if ".dist-info/" in name}

    manifest = json.loads((host_package / "manifest.json").read_text())
    assert len(infos) == len(manifest["artifacts"]["layer"]["packages"])
    for info in infos:
        assert any(name.startswith(f"python/{info}/") and "LICENSE" in name for name in names)


def test_the_layer_says_nothing_of_the_machine_that_built_it(host_package: Path) -> None:
    layer = members(host_package, "layer.zip")

    notes = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}
    assert not [name for name in layer if Path(name).name in notes or name.startswith("python/bin")]
    assert not [name for name in layer if ".data/" in name], "nor would an import look there"


@pytest.mark.parametrize(
    ("name", "home"), [("functions.zip", "/var/task/"), ("layer.zip", "/opt/python/")]
)
def test_bytecode_names_its_sources_where_lambda_has_them(
    host_package: Path, name: str, home: str
) -> None:
    files = members(host_package, name)

    for source in [member for member in files if member.endswith(".py")]:
        code = marshal.loads(files[importlib.util.cache_from_source(source)][16:])  # noqa: S302 - our own
        assert code.co_filename == home + source.removeprefix("python/")


def test_functions_hold_the_package_and_nothing_that_lies_around(changed_package: Path) -> None:
    names = members(changed_package, "functions.zip")

    sourced = {name for name in names if "__pycache__" not in name}
    package = REPOSITORY / "lambda_src"
    assert sourced == {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    assert all("cpython-36" not in name for name in names)


def test_libraries_are_for_the_processor_of_the_target(lambda_package: Path) -> None:
    layer = members(lambda_package, "layer.zip")
    libraries = {name: data for name, data in layer.items() if data.startswith(b"\x7fELF")}

    assert any("_imaging." in name for name in libraries)
    for name, data in libraries.items():
        assert ELFFile(BytesIO(data))["e_machine"] == "EM_AARCH64", name


def test_what_the_pipeline_never_loads_is_trimmed(lambda_package: Path) -> None:
    names = " ".join(members(lambda_package, "layer.zip"))

    for gone in ("avif", "harfbuzz", "freetype", "webpmux", "_imagingft", "_imagingtk", ".pyi"):
        assert f"{gone}." not in names
        assert f"lib{gone}-" not in names
    for gone in ("botocore/docs/bcdoc", "botocore/data/ec2", ".json.gz", "GifImagePlugin"):
        assert gone not in names
    for kept in ("libjpeg-", "liblcms2-", "_imagingcms.", "PIL/TiffImagePlugin.py"):
        assert kept in names


@pytest.mark.parametrize("name", ["functions.zip", "layer.zip"])
def test_each_source_has_bytecode_of_the_targets_version(host_package: Path, name: str) -> None:
    files = members(host_package, name)
    sourced = [member for member in files if member.endswith(".py")]

    assert sourced
    for source in sourced:
        compiled = files[importlib.util.cache_from_source(source)]
        assert compiled[:4] == importlib.util.MAGIC_NUMBER
        # Hash-based, and not compared with the source.
        assert int.from_bytes(compiled[4:8], "little") == 0b01
    assert len([member for member in files if member.endswith(".pyc")]) == len(sourced)


def test_without_an_interpreter_of_the_version_there_is_no_bytecode_at_all(
    lambda_package: Path,
) -> None:
    for name in ("functions.zip", "layer.zip"):
        assert not [member for member in members(lambda_package, name) if member.endswith(".pyc")]
    bytecode = json.loads((lambda_package / "manifest.json").read_text())["bytecode"]
    assert bytecode["interpreter"] is None
    assert "python3.11" in bytecode["reason"]


@pytest.mark.usefixtures("built_layer")
def test_a_source_that_does_not_compile_is_named_and_leaves_no_package(
    sources: Path, tmp_path: Path
) -> None:
    (sources / "image_converter" / "keys.py").write_text("def broken(:\n")

    with pytest.raises(PackageError, match=r"keys\.py"):
        build(host_target(), tmp_path / "package", sources=sources)

    assert not list((tmp_path / "package").iterdir())


@pytest.mark.usefixtures("built_layer")
def test_a_package_over_lambdas_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "UNZIPPED_LIMIT", 1_000_000)

    with pytest.raises(PackageError, match="at most 1,000,000"):
        build(host_target(), tmp_path / "package")

    assert not list((tmp_path / "package").iterdir())


def test_sources_without_the_package_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="package image_converter is not in"):
        build(host_target(), tmp_path / "package", sources=tmp_path)


def test_formats_of_renditions_are_packaged_where_they_are_asked_for(
    host_package: Path, tmp_path: Path
) -> None:
    build(host_target(), tmp_path / "package", formats=("webp", "avif"))
    without, added = (
        {member for member in members(package, "layer.zip") if "__pycache__" not in member}
        for package in (host_package, tmp_path / "package")
    )
    new = sorted(re.sub(r"[.-].*", "", Path(member).name) for member in added - without)

    assert without <= added
    assert {"_avif", "_webp", "AvifImagePlugin", "WebPImagePlugin"} <= set(new)
    manifests = [
        json.loads((package / "manifest.json").read_text())
        for package in (host_package, tmp_path / "package")
    ]
    assert [manifest["formats"] for manifest in manifests] == [
        ["png", "jpeg"],
        ["png", "jpeg", "avif", "webp"],
    ]
    # AVIF brings the most: 1.8 MB.
    sizes = [manifest["artifacts"]["layer"]["zipped_bytes"] for manifest in manifests]
    assert 1_000_000 < sizes[1] - sizes[0] < 4_000_000


def test_a_format_that_no_layer_can_have(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", "--formats", "webp,gif"]) == 1
    assert "FORMATS has gif, but may only have webp, avif." in capsys.readouterr().err
