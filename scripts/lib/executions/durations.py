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
    seconds: dict[tuple[str, str], list[float]] = {}
    function_ms: dict[str, list[int]] = {}
    for run in runs:
        for name, state in run.execution.states.items():
            passed = [visit.seconds for visit in state.visits if visit.seconds is not None]
            seconds.setdefault((name, state.kind), []).extend(passed)
            function_ms.setdefault(name, []).extend(run.function_ms.get(name, ()))
    medians = {name: median(ms) for name, ms in function_ms.items() if ms}
    return tuple(
        StateTime(name, kind, median(passed) * 1000, medians.get(name))
        for (name, kind), passed in seconds.items()
        if passed
    )
