"""Step Functions: executions are logged at the state machine's level.

What is logged are the events of the histories, which are put in before.
Sources: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html,
https://docs.aws.amazon.com/step-functions/latest/dg/cloudwatch-log-level.html
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ministack.services import stepfunctions

from scripts.lib.executions import events
from scripts.local_aws.patches import logs, stepfunctions_history  # noqa: F401 - comes before this
from scripts.local_aws.patches.answers import Call, Json
from scripts.local_aws.patches.around import around

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
_LONGEST = 248 * 1024  # characters of an input or output, as it is escaped in the line


@around(stepfunctions._emit_execution_status_event)
def emit_execution_status_event(emit: Call, execution: Json) -> None:
    """Log the start of an execution, which the emulator reports before anything of it runs."""
    if execution["status"] == "RUNNING":
        _log(execution, execution["events"])
    emit(execution)


@around(stepfunctions._add_event)
def add_event(
    add: Call, execution: Json, event_type: str, details: Mapping[str, Any] | None = None
) -> None:
    """Log an event that is written into a history."""
    before = len(execution["events"])
    add(execution, event_type, details)
    _log(execution, execution["events"][before:])


def _log(execution: Mapping[str, Any], written: Iterable[Mapping[str, Any]]) -> None:
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
    logging, arn = machine.get("loggingConfiguration") or {}, execution["executionArn"]
    if machine.get("type") == "EXPRESS":
        arn = arn.replace(":execution:", ":express:")  # which it gets when it runs
    for event in written:
        if is_logged(logging, event["type"]):
            _write(logging, line(arn, event, logging))


def is_logged(logging: Mapping[str, Any], kind: str) -> bool:
    """Return whether a state machine logs events of that type."""
    level = logging.get("level", "OFF")
    return level == "ALL" or kind in _LEVELS.get(level, ())


def line(execution_arn: str, event: Mapping[str, Any], logging: Mapping[str, Any]) -> Json:
    """Return an event of a history as it is logged."""
    [written] = events.read([event])
    logged = written.logged(execution_arn, with_data=bool(logging.get("includeExecutionData")))
    details = logged["details"]
    for name in details.keys() & {"input", "output"}:
        details[name], details[f"{name}Details"]["truncated"] = _cut(details[name])
    return logged


def _cut(value: str) -> tuple[str, bool]:
    """Return an input or output as far as it fits into a line, and whether that is not all."""
    if len(json.dumps(value)) <= _LONGEST:
        return value, False
    kept = value[:_LONGEST]
    while (length := len(json.dumps(kept))) > _LONGEST:
        kept = kept[: -max(1, (length - _LONGEST) // 6)]  # an escaped character has six at most
    return kept, True


def _write(logging: Mapping[str, Any], logged: Mapping[str, Any]) -> None:
    for destination in logging.get("destinations", []):
        arn = destination["cloudWatchLogsLogGroup"]["logGroupArn"]
        group = arn.split(":log-group:")[1].removesuffix(":*")
        at = int(logged["event_timestamp"])
        logs.append(group, "states/executions", at, [json.dumps(logged)])
