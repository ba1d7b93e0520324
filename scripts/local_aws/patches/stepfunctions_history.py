"""Step Functions: execution histories read as AWS writes them.

The emulator calls every invocation of a function a task, names no previous event, and writes
nothing about the states in branches.
Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

import json
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from ministack.services import stepfunctions

Details = Mapping[str, Any]

# The execution whose branch runs in this context, and the event that the next one follows.
_BRANCH_OF: ContextVar[Any] = ContextVar("branch_of", default=None)
_PREVIOUS_EVENT: ContextVar[int] = ContextVar("previous_event", default=0)
# What the Fail state was given that this context came to last.
_FAILED_WITH: ContextVar[object] = ContextVar("failed_with", default=None)
# What the task is given that this context came to last.
_TASK_INPUT: ContextVar[object] = ContextVar("task_input", default=None)


def install() -> None:
    """Write every event that AWS would write."""
    _write_events_as_on_aws()
    _note_inputs_of_tasks()
    _write_failed_parallels()
    _write_fail_states_in_branches()
    for kind in ("Choice", "Map", "Parallel", "Pass", "Task", "Wait"):
        name = f"_execute_{kind.lower()}"
        setattr(stepfunctions, name, _writing_in_branches(kind, getattr(stepfunctions, name)))


def _write_events_as_on_aws() -> None:
    add_event = stepfunctions._add_event
    lock = threading.Lock()  # branches write at the same time, and an event's id is its place

    def add_event_as_on_aws(
        execution: dict[str, Any], event_type: str, details: Details | None = None
    ) -> None:
        for kind, written in as_on_aws(event_type, details or {}):
            with lock:
                joined = kind in ("ParallelStateSucceeded", "ParallelStateFailed")
                previous = len(execution["events"]) if joined else _PREVIOUS_EVENT.get()
                event = add_event(execution, kind, {**written, "previousEventId": previous})
            _PREVIOUS_EVENT.set(event["id"])

    stepfunctions._add_event = add_event_as_on_aws


def _note_inputs_of_tasks() -> None:
    apply_parameters = stepfunctions._apply_parameters

    def apply(state_def: object, data: object, ctx: object = None) -> object:
        effective = apply_parameters(state_def, data, ctx)
        _TASK_INPUT.set(effective)
        return effective

    stepfunctions._apply_parameters = apply


def _write_failed_parallels() -> None:
    run_parallel_branches = stepfunctions._run_parallel_branches

    def run_branches(
        state_def: object, raw_input: object, execution: dict[str, Any], ctx: object
    ) -> object:
        try:
            return run_parallel_branches(state_def, raw_input, execution, ctx)
        except stepfunctions._ExecutionError:
            stepfunctions._add_event(execution, "ParallelStateFailed")
            raise

    stepfunctions._run_parallel_branches = run_branches


def _write_fail_states_in_branches() -> None:
    run_sub_machine = stepfunctions._run_sub_machine
    fail_state_error = stepfunctions._fail_state_error

    def note_input(state_def: object, raw_input: object, ctx: dict[str, Any]) -> object:
        _FAILED_WITH.set(raw_input)
        return fail_state_error(state_def, raw_input, ctx)

    def run_branch(
        states: dict[str, Any],
        start_at: str,
        input_data: object,
        execution: dict[str, Any],
        ctx: dict[str, Any],
    ) -> object:
        own = dict(ctx)  # each branch is in a state of its own
        outer = _BRANCH_OF.set(execution)
        try:
            return run_sub_machine(states, start_at, input_data, execution, own)
        except stepfunctions._ExecutionError:
            name = own["State"]["Name"]
            if states[name]["Type"] == "Fail":
                stepfunctions._add_event(
                    execution, "FailStateEntered", _entered(name, _FAILED_WITH.get())
                )
            raise
        finally:
            _BRANCH_OF.reset(outer)

    stepfunctions._fail_state_error = note_input
    stepfunctions._run_sub_machine = run_branch


def _writing_in_branches(kind: str, execute: Callable[..., Any]) -> Callable[..., Any]:
    """Have a state in a branch write that it is entered and left, as it does outside of one."""

    def execute_and_write(state_def: object, raw_input: object, *rest: Any) -> Any:
        execution, name = _BRANCH_OF.get(), rest[-1]["State"]["Name"]
        if execution is None:
            return execute(state_def, raw_input, *rest)
        write = stepfunctions._add_event
        write(execution, f"{kind}StateEntered", _entered(name, raw_input))
        output, next_state = execute(state_def, raw_input, *rest)
        details = {"stateExitedEventDetails": {"name": name, "output": json.dumps(output)}}
        write(execution, f"{kind}StateExited", details)
        return output, next_state

    return execute_and_write


def _entered(name: str, state_input: object) -> Details:
    entered = {"name": name}
    if state_input is not None:
        entered["input"] = json.dumps(state_input)
    return {"stateEnteredEventDetails": entered}


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
        given = json.dumps(_TASK_INPUT.get())
        scheduled = _details("Scheduled", input=given, resource=fields["resource"])
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
