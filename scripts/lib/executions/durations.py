"""Where the time of executions goes: how long each state takes, and its function in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from scripts.lib.executions.run import Run


@dataclass(frozen=True)
class StateTime:
    """How long a state takes.

    Attributes:
        state: its name.
        kind: Task, Parallel, ...
        ms: the median from entering to leaving it.
        function_ms: the median of what its function took, as Lambda or the function says it; None
            where it calls no function, or nothing was logged.
    """

    state: str
    kind: str
    ms: float
    function_ms: float | None


def by_state(runs: Sequence[Run]) -> tuple[StateTime, ...]:
    """Return the times of the states that were passed, in the definition's order."""
    ms: dict[tuple[str, str], list[float]] = {}
    function_ms: dict[str, list[int]] = {}
    for run in runs:
        for name, state in run.execution.states.items():
            ms.setdefault((name, state.kind), []).extend(
                (visit.exited - visit.entered).total_seconds() * 1000
                for visit in state.visits
                if visit.exited
            )
            function_ms.setdefault(name, []).extend(run.function_ms.get(name, ()))
    return tuple(
        StateTime(
            name, kind, median(passed), median(function_ms[name]) if function_ms[name] else None
        )
        for (name, kind), passed in ms.items()
        if passed
    )
