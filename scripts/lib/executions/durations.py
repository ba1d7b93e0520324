"""Where the time of executions goes: how long each state takes, and its function in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from scripts.lib.executions.model import StateRun
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
    states = dict.fromkeys((name, state.kind) for run in runs for name, state in _states(run))
    return tuple(
        StateTime(name, kind, median(passed), _median(_functions(runs, name)))
        for name, kind in states
        if (passed := list(_passages(runs, name)))
    )


def _states(run: Run) -> Iterable[tuple[str, StateRun]]:
    return run.execution.states.items()


def _passages(runs: Iterable[Run], name: str) -> Iterable[float]:
    """Yield the milliseconds of each passage through a state."""
    for run in runs:
        state = run.execution.states.get(name)
        for visit in state.visits if state else ():
            if visit.exited:
                yield (visit.exited - visit.entered).total_seconds() * 1000


def _functions(runs: Iterable[Run], name: str) -> list[int]:
    return [ms for run in runs for ms in run.function_ms.get(name, ())]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None
