"""Which invocations wait for others; with WARN, Lambda itself logs nothing of a good one."""

import json
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch_logs, lambda_svc

from scripts.local_aws.patches import lambda_

GROUP = "/aws/lambda/quiet"
OWN = '{"level":"INFO","message":"copied"}'


@pytest.fixture
def group() -> Iterator[None]:
    """A log group."""
    cloudwatch_logs._create_log_group({"logGroupName": GROUP})
    yield
    cloudwatch_logs._delete_log_group({"logGroupName": GROUP})


def logged(level: dict[str, str], error: bool) -> list[str]:
    """Return what is logged of an invocation."""
    config: dict[str, Any] = {
        "FunctionName": "quiet",
        "LoggingConfig": {"LogGroup": GROUP, **level},
    }
    emit = lambda_svc._emit_lambda_logs
    lambda_.emit_lambda_logs(emit, {"config": config}, "id", OWN, error, 5)
    _, _, body = cloudwatch_logs._filter_log_events({"logGroupName": GROUP})
    return [event["message"] for event in json.loads(body)["events"]]


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(
    ("level", "error", "whole"),
    [
        ({"LogFormat": "JSON", "SystemLogLevel": "WARN"}, False, False),
        ({"LogFormat": "JSON", "SystemLogLevel": "WARN"}, True, True),
        ({"LogFormat": "JSON", "SystemLogLevel": "INFO"}, False, True),
        ({"LogFormat": "Text"}, False, True),
    ],
)
def test_lambda_s_own_lines_are_logged_unless_they_need_not_be(
    level: dict[str, str], error: bool, whole: bool
) -> None:
    lines = logged(level, error)
    assert OWN in lines
    assert (len(lines) == 4) == whole
    assert (len(lines) == 1) != whole


def test_a_call_logs_its_lines_before_the_thread_has_read_them() -> None:
    """Else the next call would log them, when it may be about something else."""
    worker = lambda_.PythonWorker("printing", {}, b"")
    worker._proc = subprocess.Popen(["printf", "first\\nsecond\\nlast"], stdout=subprocess.PIPE)
    worker._proc.wait()
    assert worker._drain_stderr_bounded() == "first\nsecond"
    worker._pump_output(worker._proc.stdout, worker._stderr_queue)
    assert worker._drain_stderr_bounded() == "last"
    assert worker._proc.stdout.closed


class Calls:
    """Calls of a function that go on until they are ended."""

    def __init__(self, turns: lambda_.Turns, calls: int) -> None:
        """Make so many, each in a thread."""
        self.running = threading.Semaphore(0)
        self.end = threading.Event()
        self._turns = turns
        self.threads = [threading.Thread(target=self._call) for _ in range(calls)]
        for thread in self.threads:
            thread.start()

    def _call(self) -> None:
        with self._turns.turn("arn"):
            self.running.release()
            self.end.wait()

    def begin(self, calls: int, seconds: float) -> bool:
        """Return whether so many more begin within that time."""
        return all(self.running.acquire(timeout=seconds) for _ in range(calls))


def test_only_some_calls_of_a_burst_run_at_a_time_and_all_in_the_end() -> None:
    calls = Calls(lambda_.Turns(2, patience=60), 5)
    assert calls.begin(2, 60)
    assert not calls.begin(1, 0.1)
    calls.end.set()
    assert calls.begin(3, 60)
    for thread in calls.threads:
        thread.join()


def test_a_call_that_hangs_keeps_others_for_a_while_only() -> None:
    calls = Calls(lambda_.Turns(2, patience=0.01), 5)
    assert calls.begin(5, 60)
    calls.end.set()
    for thread in calls.threads:
        thread.join()


def test_calls_of_other_functions_do_not_wait() -> None:
    turns = lambda_.Turns(1, patience=60)
    with turns.turn("one"), turns.turn("other"):
        pass
