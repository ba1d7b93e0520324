"""One execution on each of the two interpreters, described in the same words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scripts.lib.functions import TASKS
from tests.aws_contract import scripted
from tests.support import workflow
from tests.support.asl import interpreter, rendering
from tests.support.emulator import Emulator

INPUT = {"s3": {"bucket": {"name": "source"}, "object": {"key": "1.jpg"}}}
SIDE_BY_SIDE = {"copy_file", "resize_image"}


@dataclass(frozen=True)
class Outcome:
    """The outcome of an execution.

    Attributes:
        output: its output, parsed; None of one that failed.
        cause: of its error, parsed where it is JSON.
        states: those that were entered, in order; those of the two branches sorted among them.
        attempts: how often each function was called.
    """

    status: str
    output: Any
    error: str | None
    cause: Any
    states: tuple[str, ...]
    attempts: Mapping[str, int]


def definition(arns: Mapping[str, str], **numbers: float) -> str:
    """Return the rendered state machine with these functions."""
    return rendering.filled(arns, **numbers)


def event(
    directory: Path, script: Mapping[str, list[str]], more: Mapping[str, Any] = INPUT
) -> dict[str, Any]:
    """Return an execution's input with the script and further fields."""
    return {**INPUT, **more, "run": {"directory": str(directory), "script": dict(script)}}


def attempts(directory: Path) -> dict[str, int]:
    """Return how often each function was called."""
    names = [file.name.partition(".")[0] for file in directory.iterdir()]
    return {name: names.count(name) for name in sorted(set(names))}


def on_moto(
    directory: Path,
    script: Mapping[str, list[str]],
    more: Mapping[str, Any] = INPUT,
    **numbers: float,
) -> Outcome:
    """Run an execution on moto's interpreter."""
    arns = {function: rendering.function_arn(function) for function in TASKS}
    functions: dict[str, interpreter.Function] = {
        arn: partial(_call, function) for function, arn in arns.items()
    }
    text = definition(arns, **numbers)
    result = interpreter.run(text, event(directory, script, more), functions)
    return Outcome(
        status=result.status,
        output=_without_run(result.output),
        error=result.error,
        cause=_parsed(result.cause),
        states=_states(result.states),
        attempts=attempts(directory),
    )


def _call(function: str, event: Any, _context: object) -> Any:
    return scripted.answer(function, event)


def on_emulator(emulator: Emulator, execution: str, directory: Path) -> Outcome:
    """Return the outcome of an execution on the emulator."""
    described = workflow.ended(emulator.clients, execution)
    pages = emulator.clients.stepfunctions.get_paginator("get_execution_history")
    events = [e for page in pages.paginate(executionArn=execution) for e in page["events"]]
    details = [e["stateEnteredEventDetails"] for e in events if "stateEnteredEventDetails" in e]
    succeeded = described["status"] == "SUCCEEDED"
    return Outcome(
        status=described["status"],
        output=_without_run(json.loads(described["output"])) if succeeded else None,
        error=described.get("error"),
        cause=_parsed(described.get("cause")),
        states=_states([entered["name"] for entered in details]),
        attempts=attempts(directory),
    )


def _states(entered: list[str]) -> tuple[str, ...]:
    """Return the states in order; those of the two parallel branches sorted."""
    branches = {"CopyToDestination", "QuitCopy", "ResizeImage", "QuitResize"}
    before = [name for name in entered if name not in branches]
    inside = sorted(name for name in entered if name in branches)
    if "ProcessFile" in before:
        place = before.index("ProcessFile") + 1
        before[place:place] = inside
    return tuple(before)


def _parsed(cause: str | None) -> Any:
    """Return a function's error without what differs from run to run."""
    if not cause:
        return None
    try:
        failure = json.loads(cause)
    except ValueError:
        return cause
    return {name: failure[name] for name in ("errorType", "errorMessage")}


def _without_run(output: Any) -> Any:
    """Return the output without the script and its directory."""
    if isinstance(output, dict):
        return {k: _without_run(v) for k, v in output.items() if k != "run"}
    if isinstance(output, list):
        return [_without_run(item) for item in output]
    return output
