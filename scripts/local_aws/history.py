"""Execution histories as Step Functions writes them, from the events that the emulator writes.

The emulator calls every invocation of a function a task, and names no previous event.
Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from collections.abc import Mapping
from typing import Any

Details = Mapping[str, Any]


def as_on_aws(kind: str, details: Details) -> list[tuple[str, Details]]:
    """Return the events that AWS would write for one of the emulator's.

    Parameters:
        kind: the emulator's type of the event.
        details: what the event tells beside its type, id and time.
    """
    if kind == "ParallelStateEntered":
        return [(kind, details), ("ParallelStateStarted", {})]
    if kind == "ParallelStateExited":
        return [("ParallelStateSucceeded", {}), (kind, details)]
    told: Mapping[str, str] = next(iter(details.values()), {})
    return _of_function(kind, told) if _is_function(told) else [(kind, details)]


def _of_function(kind: str, told: Mapping[str, str]) -> list[tuple[str, Details]]:
    if kind == "TaskScheduled":
        scheduled = _details("Scheduled", resource=told["resource"])
        return [scheduled, ("LambdaFunctionStarted", {})]
    if kind == "TaskSucceeded":
        return [_details("Succeeded", output=told["output"])]
    ending = "TimedOut" if told["error"] == "States.Timeout" else "Failed"
    return [_details(ending, error=told["error"], cause=told["cause"])]


def _is_function(told: object) -> bool:
    if not isinstance(told, Mapping):
        return False
    parts = str(told.get("resource", "")).split(":")
    return parts[2:3] == ["lambda"] and "function" in parts


def _details(ending: str, **told: str) -> tuple[str, Details]:
    kind = f"LambdaFunction{ending}"
    return kind, {f"l{kind[1:]}EventDetails": told}
