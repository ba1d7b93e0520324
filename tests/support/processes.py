"""Which processes belong to a directory: those that work in it, or are given its path."""

import json
import os
import subprocess
import sys
from pathlib import Path

from scripts.lib.paths import REPOSITORY

_OWNER = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
from scripts.local_aws import LocalAws
with LocalAws(pathlib.Path(sys.argv[1])) as aws:
    print(aws.endpoint, flush=True)
    sys.stdin.read()
"""


def belonging_to(directory: Path) -> list[int]:
    """Return the ids of the processes of a local AWS, a Terraform or a demonstration in there."""
    return [
        int(process.name) for process in Path("/proc").glob("[0-9]*") if _names(process, directory)
    ]


def _names(process: Path, directory: Path) -> bool:
    try:
        start_values = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        works_there = (process / "cwd").readlink().is_relative_to(directory)
        return works_there or str(directory).encode() in start_values
    except OSError:  # it has ended, or is another user's
        return False


def server_of(directory: Path) -> int:
    """Return the id of the process that serves."""
    state = json.loads((directory / "local-aws.json").read_text(encoding="utf-8"))
    (child,) = Path(f"/proc/{state['pid']}/task/{state['pid']}/children").read_text().split()
    return int(child)


def start_owner(directory: Path) -> subprocess.Popen[str]:
    """Start a process that owns a local AWS, and return it once the local AWS answers."""
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(directory)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    assert owner.stdout.readline()
    return owner
