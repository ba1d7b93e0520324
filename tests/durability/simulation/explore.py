"""Every interleaving, by visiting every state once."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tests.durability.simulation.system import State, System, hidden_early, is_at_rest, violations

SEED = 20_260_102

Judge = Callable[[State], list[str]]


@dataclass
class Report:
    """What an exploration has covered.

    Attributes:
        interleavings: orders of calls that lead from the start to an end; those that differ only in
            where a private call stands are counted once.
        complete: False if a limit ended it before all states were visited.
        broken: the ways in which the promise was broken, with the steps that led there.
    """

    states: int = 0
    steps: int = 0
    ends: int = 0
    interleavings: int = 0
    seconds: float = 0.0
    complete: bool = True
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return a line for people."""
        part = "" if self.complete else " (a part of all: the limit was reached)"
        return (
            f"{self.interleavings:,} interleavings through {self.states:,} states and "
            f"{self.steps:,} steps, {self.ends:,} states at rest, {self.seconds:.0f} s{part}"
        )


class KeepsPromise(Protocol):
    """What the fixture `keeps_promise` provides."""

    def __call__(
        self, name: str, system: System, start: State, limit: int, judge: Judge = violations
    ) -> Report:
        """Explore, note under that name what was covered, and fail if the promise is broken.

        Args:
            name: what is explored.
            system, start, judge: as of `explore`.
            limit: the number of states to end after, unless everything is to be run.
        """


def explore(
    system: System, start: State, limit: int = 0, seed: int | None = None, judge: Judge = violations
) -> Report:
    """Visit every state that can be reached.

    Args:
        limit: the number of states to end after; 0 for none.
        seed: makes the order of visits random, so that a limited exploration does not stay in a
            corner.
        judge: returns what is wrong with a state in which nothing more has to happen.
    """
    report = Report()
    began = time.monotonic()
    numbers: dict[State, int] = {start: 0}
    # Interleavings from each finished state on. States never recur on a path: histories only grow.
    paths: list[int] = [-1]
    came_from: list[tuple[int, str]] = [(-1, "")]
    order = None if seed is None else random.Random(seed)  # noqa: S311 - no secret
    search = _Search(system, report, judge, came_from, order)
    stack = [_Visit(0, start, search)]
    while stack and not report.broken:
        visit = stack[-1]
        following = next(visit.successors, None)
        if following is None:
            paths[visit.number] = visit.paths or 1
            stack.pop()
            if stack:
                stack[-1].paths += paths[visit.number]
            continue
        label, after = following
        report.steps += 1
        visited = numbers.get(after)  # hashing a state takes a while, so as seldom as possible
        if visited is not None:
            visit.paths += paths[visited]
            continue
        if limit and len(numbers) >= limit:
            report.complete = False
            continue
        number = numbers[after] = len(numbers)
        paths.append(-1)
        came_from.append((visit.number, label))
        stack.append(_Visit(number, after, search))
    report.complete = report.complete and not report.broken
    report.states = len(numbers)
    report.interleavings = max(paths[0], 0)
    report.seconds = time.monotonic() - began
    return report


@dataclass
class _Search:
    """What every visit needs."""

    system: System
    report: Report
    judge: Judge
    came_from: list[tuple[int, str]]
    random: random.Random | None


class _Visit:
    """A state whose successors are being visited."""

    def __init__(self, number: int, state: State, search: _Search) -> None:
        self.number = number
        steps = search.system.steps(state)
        rests = is_at_rest(steps)
        search.report.ends += rests
        self.paths = int(rests and bool(steps))  # to stop here is an interleaving too
        violations = hidden_early(state) + (search.judge(state) if rests else [])
        if violations and not search.report.broken:
            search.report.broken = [*violations, "after", *_history(number, search.came_from)]
        if search.random:
            search.random.shuffle(steps)
        self.successors = ((step.label, step.after()) for step in steps)


def _history(number: int, came_from: list[tuple[int, str]]) -> list[str]:
    labels: list[str] = []
    while number > 0:
        number, label = came_from[number]
        labels.append(label)
    return labels[::-1]
