"""Step Functions: executions are logged at the state machine's level.

Sources: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html,
https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html
"""

import json
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from ministack.services import cloudwatch_logs, stepfunctions

from scripts.local_aws.patches.answers import Response

# What each level logs; ALL logs everything.
_FATAL = {"ExecutionAborted", "ExecutionFailed", "ExecutionTimedOut"}
_ERROR = _FATAL | {
    "FailStateEntered",
    "LambdaFunctionFailed",
    "LambdaFunctionScheduleFailed",
    "LambdaFunctionStartFailed",
    "LambdaFunctionTimedOut",
    "MapIterationAborted",
    "MapIterationFailed",
    "MapStateAborted",
    "MapStateFailed",
    "ParallelStateAborted",
    "ParallelStateFailed",
    "TaskFailed",
    "TaskStartFailed",
    "TaskStateAborted",
    "TaskSubmitFailed",
    "TaskTimedOut",
    "WaitStateAborted",
}
_LEVELS = {"ERROR": _ERROR, "FATAL": _FATAL}
_DATA = ("input", "output", "error", "cause")
_START_IS_LOGGED = "startIsLogged"  # of the emulator's execution, beside what AWS answers
_STARTING = threading.Lock()
_LONGEST = 248 * 1024  # characters of an input or output, as it is escaped in the line


def install() -> None:
    """Log what executions write into their histories; called after these are as on AWS."""
    _log_starts()
    _log_events()


def _log_starts() -> None:
    start = stepfunctions._start_execution

    def start_and_log(data: dict[str, Any]) -> Response:
        response: Response = start(data)
        if response[0] == HTTPStatus.OK:
            arn = json.loads(response[2])["executionArn"]
            name = arn.replace(":express:", ":execution:")  # which it has until it runs
            execution = stepfunctions._executions.get(name) or stepfunctions._executions.get(arn)
            if execution:
                _log_start(execution, arn)
        return response

    stepfunctions._start_execution = start_and_log


def _log_events() -> None:
    add_event = stepfunctions._add_event

    def add_and_log_event(
        execution: dict[str, Any], event_type: str, details: Mapping[str, Any] | None = None
    ) -> None:
        before = len(execution["events"])
        _log_start(execution, execution["executionArn"])
        add_event(execution, event_type, details)
        _log(execution, execution["executionArn"], execution["events"][before:])

    stepfunctions._add_event = add_and_log_event


def _log_start(execution: dict[str, Any], arn: str) -> None:
    """Log the event that the emulator itself writes, ExecutionStarted, unless that is done.

    The execution's own thread may run before StartExecution has answered: whichever comes first
    logs it.
    """
    with _STARTING:
        if not execution.setdefault(_START_IS_LOGGED, False):
            execution[_START_IS_LOGGED] = True
            _log(execution, arn, execution["events"][:1])


def _log(execution: Mapping[str, Any], arn: str, events: Iterable[Mapping[str, Any]]) -> None:
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
    configured = machine.get("loggingConfiguration") or {}
    for event in events:
        if is_logged(configured, event["type"]):
            _write(configured, line(arn, event, configured))


def is_logged(configured: Mapping[str, Any], kind: str) -> bool:
    """Tell whether a state machine logs events of that type."""
    level = configured.get("level", "OFF")
    return level == "ALL" or kind in _LEVELS.get(level, ())


def line(
    execution_arn: str, event: Mapping[str, Any], configured: Mapping[str, Any]
) -> dict[str, Any]:
    """Return an event of a history as it is logged."""
    of_type = [value for name, value in event.items() if name.endswith("EventDetails")]
    details = dict(of_type[0]) if of_type else {}
    if not configured.get("includeExecutionData"):
        details = {name: value for name, value in details.items() if name not in _DATA}
    for name in ("input", "output"):
        if name in details:
            details[name], truncated = _cut(details[name])
            details[f"{name}Details"] = {"truncated": truncated}
    at = datetime.fromisoformat(event["timestamp"])
    return {
        "id": str(event["id"]),
        "type": event["type"],
        "details": details,
        "previous_event_id": str(event.get("previousEventId", 0)),
        "event_timestamp": str(int(at.timestamp() * 1000)),
        "execution_arn": execution_arn,
        "redrive_count": "0",
    }


def _cut(value: str) -> tuple[str, bool]:
    """Return an input or output as far as it fits into a line, and whether that is not all."""
    if len(json.dumps(value)) <= _LONGEST:
        return value, False
    kept = value[:_LONGEST]
    while (length := len(json.dumps(kept))) > _LONGEST:
        kept = kept[: -max(1, (length - _LONGEST) // 6)]  # an escaped character has six at most
    return kept, True


def _write(configured: Mapping[str, Any], logged: Mapping[str, Any]) -> None:
    for destination in configured.get("destinations", []):
        arn = destination["cloudWatchLogsLogGroup"]["logGroupArn"]
        place = {
            "logGroupName": arn.split(":log-group:")[1].removesuffix(":*"),
            "logStreamName": "states/executions",
        }
        cloudwatch_logs._create_log_stream(place)  # answers that there is one, from the second on
        entry = {"timestamp": int(logged["event_timestamp"]), "message": json.dumps(logged)}
        cloudwatch_logs._put_log_events({**place, "logEvents": [entry]})
