"""Step Functions: execution histories read as AWS writes them.

The emulator calls every invocation of a function a task, names no previous event, and writes
nothing about the states in branches.
Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import json
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from copy import deepcopy
from typing import Any

from ministack.services import stepfunctions

from scripts.local_aws.patches.answers import Call, Json
from scripts.local_aws.patches.around import around

Details = Mapping[str, Any]

_ENDS = {f"Execution{end}" for end in ("Aborted", "Failed", "Succeeded", "TimedOut")}
_WITH_EXECUTION = {"Task", "Parallel", "Map"}  # states whose functions are given the execution
_WRITING = threading.Lock()  # branches write at the same time, and an event's id is its place

# The event that the next one in this context follows.
_PREVIOUS_EVENT: ContextVar[int] = ContextVar("previous_event", default=0)
# The input of the task that this context came to last.
_TASK_INPUT: ContextVar[object] = ContextVar("task_input", default=None)


@around(stepfunctions._add_event)
def add_event(add: Call, execution: Json, event_type: str, details: Details | None = None) -> None:
    """Write the events that AWS would write, each with the one that it follows."""
    for kind, written in as_on_aws(event_type, details or {}):
        with _WRITING:
            events = execution["events"]
            if events and events[-1]["type"] in _ENDS:
                return  # a branch or a function that ends later
            joined = kind in ("ParallelStateSucceeded", "ParallelStateFailed")
            previous = len(events) if joined else _PREVIOUS_EVENT.get()
            event = add(execution, kind, {**written, "previousEventId": previous})
        _PREVIOUS_EVENT.set(event["id"])


@around(stepfunctions._apply_parameters)
def apply_parameters(apply: Call, state: Json, data: object, ctx: Json | None = None) -> object:
    """Note the input of a task for the event that reports it."""
    effective = apply(state, data, ctx)
    _TASK_INPUT.set(effective)
    return effective


@around(stepfunctions._run_parallel_branches)
def run_parallel_branches(
    run: Call, state: Json, raw_input: object, execution: Json, ctx: Json
) -> object:
    """Write that a Parallel state failed."""
    try:
        return run(state, raw_input, execution, ctx)
    except stepfunctions._ExecutionError:
        stepfunctions._add_event(execution, "ParallelStateFailed")
        raise


@around(stepfunctions._run_sub_machine)
def run_branch(
    _original: Call, states: Json, start_at: str, input_data: object, execution: Json, ctx: Json
) -> object:
    """Run a branch as the emulator runs the states outside of one, and write its events."""
    write = stepfunctions._add_event
    name: str | None = start_at
    data: Any = deepcopy(input_data)
    while name:
        state, kind = states[name], states[name]["Type"]
        here = {"Name": name, "EnteredTime": stepfunctions.now_iso(), "RetryCount": 0}
        ctx = {**ctx, "State": here}  # each branch is in a state of its own
        if kind == "Succeed":
            data = stepfunctions._apply_input_path(state, data, ctx)
            return stepfunctions._apply_output_path(state, data, ctx)
        entered = {"name": name} if data is None else {"name": name, "input": json.dumps(data)}
        write(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
        if kind == "Fail":
            raise stepfunctions._ExecutionError(*stepfunctions._fail_state_error(state, data, ctx))
        execute = getattr(stepfunctions, f"_execute_{kind.lower()}")
        context = (execution, ctx) if kind in _WITH_EXECUTION else (ctx,)
        data, next_name = execute(state, data, *context)
        exited = {"name": name, "output": json.dumps(data)}
        write(execution, f"{kind}StateExited", {"stateExitedEventDetails": exited})
        name = next_name
    return data


def as_on_aws(kind: str, details: Details) -> list[tuple[str, Details]]:
    """Return the events that AWS would write for one of the emulator's.

    Parameters:
        kind: the emulator's type of the event.
        details: the fields of the event other than its type, id and time.
    """
    if kind == "ParallelStateEntered":
        return [(kind, details), ("ParallelStateStarted", {})]
    if kind == "ParallelStateExited":
        return [("ParallelStateSucceeded", {}), (kind, details)]
    fields: Mapping[str, str] = next(iter(details.values()), {})
    return _of_function(kind, fields) if _is_function(fields) else [(kind, details)]


def _of_function(kind: str, fields: Mapping[str, str]) -> list[tuple[str, Details]]:
    if kind == "TaskScheduled":
        task_input = json.dumps(_TASK_INPUT.get())
        scheduled = _details("Scheduled", input=task_input, resource=fields["resource"])
        return [scheduled, ("LambdaFunctionStarted", {})]
    if kind == "TaskSucceeded":
        return [_details("Succeeded", output=fields["output"])]
    ending = "TimedOut" if fields["error"] == "States.Timeout" else "Failed"
    return [_details(ending, error=fields["error"], cause=fields["cause"])]


def _is_function(fields: object) -> bool:
    if not isinstance(fields, Mapping):
        return False
    parts = str(fields.get("resource", "")).split(":")
    return parts[2:3] == ["lambda"] and "function" in parts


def _details(ending: str, **fields: str) -> tuple[str, Details]:
    kind = f"LambdaFunction{ending}"
    return kind, {f"l{kind[1:]}EventDetails": fields}
