"""Finds an interpreter of a given version, to compile with and to try a layer in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ABOUT: Final = """
import json, platform, sys
print(json.dumps([
    sys.implementation.name, sys.version_info[:2], sys.version_info.releaselevel,
    platform.python_version(), platform.machine(), sys.platform,
]))
"""
_SECONDS_TO_ANSWER: Final = 30


@dataclass(frozen=True)
class Interpreter:
    """A CPython on this machine.

    Parameters:
        executable: its path.
        version: its full version, such as 3.13.0.
        machine: the processor it was built for, such as aarch64.
        system: its operating system, as in sys.platform.
    """

    executable: Path
    version: str
    machine: str
    system: str

    def run(self, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run code in it, apart from the environment, site packages and current folder."""
        return subprocess.run(
            [str(self.executable), "-s", "-S", "-P", "-B", "-c", code, *arguments],
            # The order of sets must not differ from one compilation to the next.
            env={"PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )


def find(python: tuple[int, int]) -> Interpreter | None:
    """Return a released CPython of a version, or None if there is none on this machine.

    The running interpreter comes first, then PATH, then the folders in which version managers keep
    interpreters side by side.

    Parameters:
        python: major and minor version.
    """
    seen: set[Path] = set()
    for candidate in _candidates(python):
        if candidate in seen or not os.access(candidate, os.X_OK):
            continue
        seen.add(candidate)
        interpreter = _ask(candidate, python)
        if interpreter:
            return interpreter
    return None


def _candidates(python: tuple[int, int]) -> Iterator[Path]:
    name = "python{}.{}".format(*python)
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        yield Path(folder, name)
    # Side by side: ~/.pyenv/versions/3.12.1, /opt/python/cp312-cp312, and the like.
    homes = [Path(sys.base_prefix).parent]
    pyenv = shutil.which("pyenv")
    if pyenv:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        homes.append(Path(root.stdout.strip(), "versions"))
    for home in homes:
        yield from sorted(home.glob(f"*/bin/{name}"))


def _ask(executable: Path, python: tuple[int, int]) -> Interpreter | None:
    try:
        answer = subprocess.run(
            [str(executable), "-I", "-c", _ABOUT],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS_TO_ANSWER,
        )
        name, version, level, full, machine, system = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        # Such as a version manager's shim for a version that is not switched on.
        return None
    if name != "cpython" or tuple(version) != python or level != "final":
        return None
    return Interpreter(executable, full, machine, system)
