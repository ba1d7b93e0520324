"""The timeline: a row for each state that was entered, with its attempts as bars."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from scripts.lib import text
from scripts.lib.executions.history import end_of
from scripts.lib.executions.model import Attempt, Execution, Outcome, Visit

_MOST_TICKS = 6


@dataclass(frozen=True)
class Bar:
    """A stretch of time, in percent of the execution's; `kind` is a tone or wait."""

    left: float
    width: float
    kind: str
    label: str


@dataclass(frozen=True)
class Row:
    """One visit of a state."""

    visit: Visit
    depth: int
    lasts: float
    bars: tuple[Bar, ...]


def rows(execution: Execution) -> list[Row]:
    """Return a row for each visit, in the order in which they began."""
    return [_row(visit, execution) for visit in execution.visits]


def ticks(execution: Execution) -> list[tuple[float, str]]:
    """Return the axis: places in percent, and what to write there."""
    whole = _whole(execution)
    step = 10.0 ** math.floor(math.log10(whole))
    while whole / step > _MOST_TICKS:
        step *= 2 if whole / step <= 2 * _MOST_TICKS else 5
    while whole / step < _MOST_TICKS / 2:
        step /= 2
    return [
        (number * step / whole * 100, text.duration(number * step) if number else "0")
        for number in range(math.floor(whole / step) + 1)
    ]


def _row(visit: Visit, execution: Execution) -> Row:
    end = end_of(visit, execution)
    lasts = (end - visit.entered).total_seconds()
    bars = tuple(_attempts(visit, execution, end)) or (
        _bar(visit.entered, end, execution, visit.outcome.tone, str(visit.outcome)),
    )
    depth = 0
    parent = visit.parent
    while parent is not None:
        depth, parent = depth + 1, parent.parent
    return Row(visit, depth, lasts, bars)


def _attempts(visit: Visit, execution: Execution, end: datetime) -> Iterator[Bar]:
    before: Attempt | None = None
    for number, attempt in enumerate(visit.attempts, start=1):
        if before is not None and before.ended:
            label = f"waiting {text.duration((attempt.scheduled - before.ended).total_seconds())}"
            yield _bar(before.ended, attempt.scheduled, execution, "wait", label)
        until = attempt.ended or end
        took = text.duration((until - attempt.scheduled).total_seconds())
        tone = "warn" if _was_resolved(visit, attempt) else attempt.outcome.tone
        label = f"attempt {number} {attempt.outcome} after {took}"
        yield _bar(attempt.scheduled, until, execution, tone, label)
        before = attempt


def _was_resolved(visit: Visit, attempt: Attempt) -> bool:
    """Return whether a failed attempt was retried with success, or its error caught."""
    bad = attempt.outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
    return bad and visit.outcome in (Outcome.RETRIED, Outcome.CAUGHT)


def _bar(start: datetime, end: datetime, execution: Execution, kind: str, label: str) -> Bar:
    whole = _whole(execution)
    left = (start - execution.started).total_seconds() / whole * 100
    width = (end - start).total_seconds() / whole * 100
    return Bar(min(left, 99.5), max(min(width, 100 - left), 0.4), kind, label)


def _whole(execution: Execution) -> float:
    return max(execution.seconds, 0.001)
