"""A command is asked to end once, and has the time that it was given."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.lib import supervisor, wait

# Writes a line for each request to end, and ends when the file `go` is there.
COMMAND = """
import pathlib, signal, sys, time
folder = pathlib.Path(sys.argv[1])
signal.signal(signal.SIGINT, lambda *_: (folder / "asked").open("a").write("asked\\n"))
(folder / "asked").touch()
while not (folder / "go").exists():
    time.sleep(0.01)
"""


@contextmanager
def started(folder: Path, grace: int | None) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the keeper of a command that has been asked to end, and end it afterwards."""
    command = [sys.executable, "-c", COMMAND, str(folder)]
    keeper = supervisor.start(
        command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, grace=grace
    )
    try:
        wait.until("the command to begin", (folder / "asked").exists)
        keeper.terminate()
        wait.until("it to be asked", (folder / "asked").read_text)
        yield keeper
    finally:
        (folder / "go").touch()
        supervisor.stop(keeper)


def has_no_pending_signal(process_id: int) -> bool:
    status = Path(f"/proc/{process_id}/status").read_text(encoding="utf-8")
    return "ShdPnd:\t0000000000000000" in status


def test_a_second_request_is_not_passed_on(tmp_path: Path) -> None:
    """Terraform would leave its state unwritten."""
    with started(tmp_path, None) as keeper:
        keeper.terminate()
        wait.until("the second request", lambda: has_no_pending_signal(keeper.pid))
    assert keeper.returncode == 0
    assert (tmp_path / "asked").read_text(encoding="utf-8") == "asked\n"


@pytest.mark.parametrize("grace", [0, 1])
def test_what_takes_longer_than_its_grace_is_killed(grace: int, tmp_path: Path) -> None:
    with started(tmp_path, grace) as keeper:
        assert keeper.wait(60) == 128 + signal.SIGKILL


def test_what_has_no_limit_can_be_killed(tmp_path: Path) -> None:
    with started(tmp_path, None) as keeper:
        keeper.send_signal(signal.SIGQUIT)
        assert keeper.wait(60) == 128 + signal.SIGKILL
