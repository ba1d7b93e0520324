"""A local AWS that keeps its state has the time to save it, and says if it could not."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from scripts.commands import local
from scripts.lib import supervisor, wait
from scripts.lib.aws import Clients
from scripts.lib.paths import REPOSITORY
from scripts.lib.ports import listening
from scripts.local_aws import LocalAws, Options, kept
from tests.support import processes, workflow

pytestmark = pytest.mark.e2e

KEEPING = Options(persist=True)
NOT_SAVED = "was not saved"


def _in_the_way(directory: Path) -> Path:
    """Return the file that the emulator writes first when it saves the state of S3."""
    return directory / "state" / "s3.json.tmp"


def test_a_slow_end_is_waited_for_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Saving hangs until something reads the pipe in its way."""
    monkeypatch.setattr(supervisor, "GRACE", 1)
    monkeypatch.setattr(kept, "_REPORT_SECONDS", 0.2)
    aws = LocalAws(tmp_path, KEEPING)
    aws.start()
    Clients(aws.env).s3.create_bucket(Bucket="kept")
    os.mkfifo(_in_the_way(tmp_path))
    reported = ""

    def is_reported_after_the_usual_grace() -> bool:
        nonlocal reported
        reported += capsys.readouterr().err
        return "after 3 seconds" in reported

    stopping = threading.Thread(target=aws.stop)
    stopping.start()
    wait.until("the progress to be reported", is_reported_after_the_usual_grace)
    saved = _in_the_way(tmp_path).read_text(encoding="utf-8")
    stopping.join()

    assert "kept" in json.dumps(json.loads(saved)["payload"])
    assert "The local AWS is saving its state: " in reported
    assert NOT_SAVED not in capsys.readouterr().err
    assert processes.belonging_to(tmp_path) == []


def test_a_thread_that_runs_on_does_not_delay_the_end(tmp_path: Path) -> None:
    """A Wait state in a Map ends long after the state has been saved."""
    waiting = {"W": {"Type": "Wait", "Seconds": 600, "End": True}}
    each = {"Type": "Map", "ItemProcessor": {"StartAt": "W", "States": waiting}, "End": True}
    definition = {"StartAt": "Each", "States": {"Each": each}}
    with LocalAws(tmp_path, KEEPING) as aws:
        clients = Clients(aws.env)
        machine = workflow.made(clients, "m", json.dumps(definition))
        arn = workflow.started(clients, machine, [1])

        def is_waiting() -> bool:
            events = clients.stepfunctions.get_execution_history(executionArn=arn)["events"]
            return events[-1]["type"] == "WaitStateEntered"

        wait.until("the Wait state", is_waiting)
        began = time.monotonic()
    assert time.monotonic() - began < 60
    assert not kept.KeptState(tmp_path).loss


def test_what_is_lost_is_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with LocalAws(tmp_path, KEEPING):
        os.kill(processes.server_of(tmp_path), signal.SIGKILL)
    assert NOT_SAVED in capfd.readouterr().err

    with LocalAws(tmp_path, KEEPING):
        assert NOT_SAVED in capfd.readouterr().err
    assert NOT_SAVED not in capfd.readouterr().err


def test_down_says_where_the_state_is_or_that_it_is_lost(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.commands.cli", "local", "--directory"]
        return subprocess.run(
            [*command, str(tmp_path), *arguments],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )

    with listening(None) as probe:  # tests of the usual port may run at the same time
        port = f"--port={probe.getsockname()[1]}"
    assert run("up", "--persist", port).returncode == 0
    _in_the_way(tmp_path).mkdir()
    down = run("down")
    assert down.returncode == 1
    assert NOT_SAVED in down.stderr

    _in_the_way(tmp_path).rmdir()
    assert NOT_SAVED in run("up", "--persist", port).stderr
    down = run("down")
    assert down.returncode == 0
    assert f"its state is in {tmp_path / 'state'}" in down.stdout


def test_persist_reaches_make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a clone, make builds the zips first and then starts the local AWS."""
    real_make = shutil.which("make") or ""
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/arguments\n', encoding="utf-8")
    make.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    local.command.main(["up", "--persist"], standalone_mode=False)
    assert (tmp_path / "arguments").read_text().split()[-2:] == ["local-up", "PERSIST=1"]

    dry = [real_make, "-n", "-C", str(REPOSITORY), "local-up"]
    for variables, persists in (["PERSIST=1"], True), ([], False):
        done = subprocess.run([*dry, *variables], capture_output=True, text=True, check=True)
        assert ("--auth  --persist" in done.stdout) == persists
