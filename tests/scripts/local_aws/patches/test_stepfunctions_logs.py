"""The lines that the local AWS logs of executions are those of AWS."""

import json
import threading
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from ministack.services import stepfunctions as emulated

from scripts.local_aws.patches import stepfunctions, stepfunctions_logs
from tests.support.fake_cloud import recorded

AWS = recorded("step_functions_logged")
ALL = {"level": "ALL", "includeExecutionData": True}
# How the emulator has the same events in its history.
HISTORIES = {
    "ExecutionStarted": "executionStartedEventDetails",
    "ChoiceStateEntered": "stateEnteredEventDetails",
    "ChoiceStateExited": "stateExitedEventDetails",
    "ExecutionFailed": "executionFailedEventDetails",
}


@pytest.mark.parametrize("expected", [*AWS["express"], *AWS["started"]])
def test_a_line_is_as_aws_writes_it(expected: dict[str, Any]) -> None:
    details = {n: v for n, v in expected["details"].items() if not n.endswith("Details")}
    at = int(expected["event_timestamp"])
    event = {
        "id": int(expected["id"]),
        "type": expected["type"],
        "timestamp": _iso(at),
        "previousEventId": int(expected["previous_event_id"]),
        HISTORIES[expected["type"]]: details,
    }

    line = stepfunctions_logs.line(expected["execution_arn"], event, ALL)

    assert line == {**expected, "redrive_count": "0"}


def test_the_start_is_logged_before_whatever_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its first line, nobody who reads the log lists the execution."""
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(stepfunctions_logs, "_write", lambda _, line: lines.append(line))
    machine = {"name": "m", "roleArn": "", "loggingConfiguration": ALL}
    monkeypatch.setitem(emulated._state_machines, "machine", machine)
    started = threading.Event()

    def run(arn: str) -> None:
        for kind in ("TaskStateEntered", "TaskStateExited"):
            stepfunctions_logs.add_event(add_event, emulated._executions[arn], kind)
        started.set()

    add_event, emit = emulated._add_event, stepfunctions_logs.emit_execution_status_event
    monkeypatch.setattr(emulated, "_run_execution", run)
    monkeypatch.setattr(emulated, "_emit_execution_status_event", partial(emit, lambda _: None))
    emulated._start_execution({"stateMachineArn": "machine"})
    assert started.wait(60)

    assert [line["id"] for line in lines] == ["1", "2", "3"]
    assert lines[0]["type"] == "ExecutionStarted"


def _iso(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


@pytest.mark.parametrize("level", ["ALL", "ERROR", "FATAL", "OFF"])
def test_each_level_logs_what_the_documentation_says(level: str) -> None:
    everything = {kind for kinds in AWS["levels"].values() for kind in kinds}
    expected = {"ALL": everything, "OFF": set()}.get(level) or set(AWS["levels"].get(level, ()))

    logged = {kind for kind in everything if stepfunctions_logs.is_logged({"level": level}, kind)}

    assert logged == expected


@pytest.mark.parametrize("character", ["x", '"', "ü", "\n"])
def test_what_is_longer_than_a_line_may_be_is_cut(character: str) -> None:
    entered = {"id": 2, "type": "TaskStateEntered", "timestamp": _iso(0)}

    def logged(value: str) -> dict[str, Any]:
        event = entered | {"stateEnteredEventDetails": {"name": "A", "input": value}}
        details: dict[str, Any] = stepfunctions_logs.line("arn", event, ALL)["details"]
        return details

    whole, long = logged("short"), logged(character * 300_000)
    assert whole["inputDetails"] == {"truncated": False}
    assert long["inputDetails"] == {"truncated": True}
    size = len(json.dumps(long["input"]))
    assert 248 * 1024 - 12 < size <= 248 * 1024
    assert set(long["input"]) == {character}


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("STANDARD", None, None),
        ("STANDARD", 3600, 3600),
        ("EXPRESS", None, 300),
        ("EXPRESS", 3600, 300),
        ("EXPRESS", 60, 60),
    ],
)
def test_an_express_execution_takes_five_minutes_at_most(
    kind: str, given: int | None, expected: int | None
) -> None:
    definition = {"StartAt": "A", "States": {}} | ({"TimeoutSeconds": given} if given else {})
    machine = {"type": kind, "definition": json.dumps(definition)}

    assert stepfunctions.longest_seconds(machine) == expected
