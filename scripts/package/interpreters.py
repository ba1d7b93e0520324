"""Finds an interpreter of a given version, to compile with and to try a layer in."""

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
    sys.implementation.name, "python{}.{}".format(*sys.version_info), sys.version_info.releaselevel,
    platform.python_version(), platform.machine(),
]))
"""
_SECONDS_TO_ANSWER: Final = 30


@dataclass(frozen=True)
class Interpreter:
    """A CPython on this machine.

    Attributes:
        executable: its path.
        version: its full version, such as 3.13.0.
        machine: the processor it was built for, such as aarch64.
    """

    executable: Path
    version: str
    machine: str

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it apart from the environment, site packages and current folder."""
        return subprocess.run(
            [str(self.executable), "-s", "-S", "-P", "-B", *arguments],
            # The order of sets must not differ from one compilation to the next.
            env={"PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=False,
        )


def find(runtime: str) -> Interpreter | None:
    """Return a released CPython of a version, or None if there is none on this machine.

    The running interpreter comes first, then PATH, then the folders in which version managers keep
    interpreters side by side.

    Parameters:
        runtime: Lambda's name of the version, which is the executable's, too: python3.13.
    """
    answers = (_ask(executable, runtime) for executable in _candidates(runtime))
    return next(filter(None, answers), None)


def _candidates(runtime: str) -> Iterator[Path]:
    yield Path(sys.executable)
    for folder in os.get_exec_path():
        yield Path(folder, runtime)
    # Side by side: ~/.pyenv/versions/3.12.1, /opt/python/cp312-cp312, and the like.
    homes = [Path(sys.base_prefix).parent]
    if pyenv := shutil.which("pyenv"):
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False)
        homes.append(Path(root.stdout.strip(), "versions"))
    for home in homes:
        yield from sorted(home.glob(f"*/bin/{runtime}"))


def _ask(executable: Path, runtime: str) -> Interpreter | None:
    try:
        answer = subprocess.run(
            [str(executable), "-I", "-c", _ABOUT],
            capture_output=True,
            text=True,
            check=True,
            timeout=_SECONDS_TO_ANSWER,
        )
        *identity, version, machine = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        # There is none, or only a version manager's shim for a version that is not switched on.
        return None
    is_wanted = identity == ["cpython", runtime, "final"]
    return Interpreter(executable, version, machine) if is_wanted else None
