"""Wheels are fetched by their hashes, once, and what cannot be had is explained."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.package import PackageError, wheels
from scripts.package.__main__ import main
from scripts.package.build import CACHE, build
from scripts.package.target import Target, host_target

pytestmark = pytest.mark.package

# Wheels for this machine, and a target whose processor is another one.
FOREIGN = Target("python3.13", {"arm64": "x86_64", "x86_64": "arm64"}[host_target().architecture])


@pytest.fixture
def only_host_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only wheels that pip can find are those for this machine."""
    folder = shutil.copytree(wheels.fetch(host_target(), CACHE), tmp_path / "index")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def empty_cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.mark.usefixtures("only_host_wheels")
def test_a_wheel_that_the_target_lacks_is_named_and_the_last_package_stays(
    empty_cache: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out" / "package"
    output.mkdir(parents=True)
    for name in ("functions.zip", "layer.zip", "manifest.json"):
        (output / name).write_text("of the last build")

    with pytest.raises(PackageError, match=r" has no wheel for .*make requirements") as caught:
        build(FOREIGN, output, cache=empty_cache)

    assert str(FOREIGN) in str(caught.value)
    assert {file.read_text() for file in output.iterdir()} == {"of the last build"}
    assert [path.name for path in output.parent.iterdir()] == ["package"]
    assert not list(empty_cache.iterdir())


def test_a_wheel_with_another_hash_is_refused(
    only_host_wheels: Path, empty_cache: Path, tmp_path: Path
) -> None:
    [wheel] = only_host_wheels.glob("wrapt-*.whl")
    with wheel.open("ab") as file:
        file.write(b"something else")

    with pytest.raises(PackageError, match=r"not the one that .* pins"):
        build(host_target(), tmp_path / "package", cache=empty_cache)

    assert not list((tmp_path / "package").iterdir())


def test_a_cached_wheel_that_was_changed_is_refused(only_host_wheels: Path, tmp_path: Path) -> None:
    with (only_host_wheels / "six-0-py3-none-any.whl").open("wb") as file:
        file.write(b"something else")

    with pytest.raises(PackageError, match=r"six-0-py3-none-any\.whl is not what .* pins"):
        wheels.unpack(only_host_wheels, tmp_path / "layer")


def test_an_index_out_of_reach_is_distinguished_from_a_missing_wheel(
    empty_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing listens on port 1.
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)

    with pytest.raises(PackageError, match="cannot reach its package index"):
        build(FOREIGN, tmp_path / "package", cache=empty_cache)


def test_wheels_are_fetched_once(
    only_host_wheels: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = wheels.fetch(host_target(), empty_cache)
    shutil.rmtree(only_host_wheels)
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    assert wheels.fetch(host_target(), empty_cache) == first
    pins = wheels.PINS.read_text().count("==")
    assert len(list(first.glob("*.whl"))) == pins


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--runtime", "python2.7"], "The runtime is 'python2.7', but must be one of python3.11"),
        (["--runtime", "3.13"], "must be one of python3.11, python3.12, python3.13"),
        (["--architecture", "amd64"], "'amd64', but must be one of arm64, x86_64"),
        (["--host", "--runtime", "python3.13"], "--host cannot be combined"),
        (["--output", "/dev/null/package"], "The packages cannot be written to /dev/null/package"),
    ],
)
def test_a_wrong_command_line_ends_in_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--output", str(tmp_path / "package"), *arguments]) == 1

    captured = capsys.readouterr()
    assert sentence in captured.err
    assert "Traceback" not in captured.err
    assert not (tmp_path / "package").exists()
