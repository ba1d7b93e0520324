"""An interpreter of the target's version is found wherever it is, and no other is taken."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import pytest

from scripts.package import interpreters

# A version that this interpreter is not, so that only what a test puts on PATH can answer for it.
RUNTIME = "python3.98"


def put(folder: Path, script: str) -> Path:
    folder.mkdir(parents=True)
    program = folder / RUNTIME
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


def claim(name: str = "cpython", runtime: str = RUNTIME, level: str = "final") -> str:
    return f"echo '{json.dumps([name, runtime, level, '3.98.0', 'sparc'])}'"


@pytest.fixture(autouse=True)
def _nothing_else_at_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path / "versions" / "running"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))


def test_the_running_interpreter_serves_its_own_version() -> None:
    interpreter = interpreters.find("python{}.{}".format(*sys.version_info))

    assert interpreter is not None
    assert interpreter.executable == Path(sys.executable)
    assert interpreter.version == platform.python_version()
    assert interpreter.run("-c", "print(6 * 7)").stdout == "42\n"


def test_where_there_is_none_none_is_returned() -> None:
    assert interpreters.find(RUNTIME) is None


def test_a_shim_that_fails_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "shims", "echo 'pyenv: command not found' >&2; exit 127")
    good = put(tmp_path / "good", claim())
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:{tmp_path / 'good'}")

    interpreter = interpreters.find(RUNTIME)

    assert interpreter is not None
    assert interpreter.executable == good


@pytest.mark.parametrize(
    "script",
    [
        claim(runtime="python3.97"),
        claim(level="candidate"),
        claim(name="pypy"),
        "echo hello",
        "exit 0",
    ],
    ids=["another version", "not released", "not CPython", "not Python", "silent"],
)
def test_what_is_not_a_released_cpython_of_the_version_is_passed_over(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "bin", script)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    assert interpreters.find(RUNTIME) is None


def test_versions_side_by_side_with_the_running_one_are_found(tmp_path: Path) -> None:
    neighbour = put(tmp_path / "versions" / "3.98.0" / "bin", claim())

    interpreter = interpreters.find(RUNTIME)

    assert interpreter is not None
    assert interpreter.executable == neighbour


def test_pyenvs_versions_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "pyenv"
    program = put(root / "versions" / "3.98.0" / "bin", claim())
    (root / "bin").mkdir()
    (root / "bin" / "pyenv").write_text(f"#!/bin/sh\necho {root}\n")
    (root / "bin" / "pyenv").chmod(0o755)
    monkeypatch.setenv("PATH", str(root / "bin"))

    interpreter = interpreters.find(RUNTIME)

    assert interpreter is not None
    assert interpreter.executable == program
