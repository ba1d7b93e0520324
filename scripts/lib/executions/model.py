"""An execution as people speak of it: its states, how often each was tried, with what outcome."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from scripts.lib.executions.definition import Machine, State
from scripts.lib.executions.events import HistoryEvent


class Outcome(StrEnum):
    """What became of a state, an attempt or an execution; the value is what the report says."""

    SUCCEEDED = "succeeded"
    RETRIED = "retried"  # failed at first, then succeeded
    CAUGHT = "caught"  # failed, and the state machine went on as its Catch says
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"  # given up because another branch failed, or by hand
    RUNNING = "running"
    NOT_ENTERED = "not entered"

    @property
    def tone(self) -> str:
        """The colour's name: good, warn, bad, live or none."""
        return _TONES[self]

    @property
    def sign(self) -> str:
        """A sign that says the same without colour."""
        return _SIGNS[self]


_TONES = {
    Outcome.SUCCEEDED: "good",
    Outcome.RETRIED: "warn",
    Outcome.CAUGHT: "warn",
    Outcome.FAILED: "bad",
    Outcome.TIMED_OUT: "bad",
    Outcome.STOPPED: "none",
    Outcome.RUNNING: "live",
    Outcome.NOT_ENTERED: "none",
}
_SIGNS = {
    Outcome.SUCCEEDED: "✓",
    Outcome.RETRIED: "↻",
    Outcome.CAUGHT: "!",
    Outcome.FAILED: "✕",
    Outcome.TIMED_OUT: "✕",
    Outcome.STOPPED: "■",
    Outcome.RUNNING: "…",
    Outcome.NOT_ENTERED: "○",
}
# The worst of several visits is what a state is shown as.
_SEVERITY = list(
    reversed(
        [
            Outcome.FAILED,
            Outcome.TIMED_OUT,
            Outcome.RUNNING,
            Outcome.CAUGHT,
            Outcome.RETRIED,
            Outcome.STOPPED,
            Outcome.SUCCEEDED,
            Outcome.NOT_ENTERED,
        ]
    )
)


@dataclass
class Attempt:
    """One call that a Task state made.

    Attributes:
        scheduled, started, ended: when; None where it has not come to that, or is not told.
        resource: what was called.
        output: the answer, as JSON text.
        error, cause: what failed.
    """

    scheduled: datetime
    resource: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    output: str | None = None
    error: str = ""
    cause: str = ""


@dataclass
class Visit:
    """One passage through a state; `attempts` is empty for a state that calls nothing."""

    state: str
    kind: str
    entered: datetime
    parent: Visit | None = None
    came_from: str | None = None
    exited: datetime | None = None
    input: str | None = None
    output: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    outcome: Outcome = Outcome.RUNNING
    failed: bool = False
    stopped: bool = False
    error: str = ""
    cause: str = ""


@dataclass
class StateRun:
    """Everything that happened in one state of the definition."""

    name: str
    kind: str
    visits: list[Visit] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The worst of its visits."""
        outcomes = (visit.outcome for visit in self.visits)
        return max(outcomes, key=_SEVERITY.index, default=Outcome.NOT_ENTERED)

    @property
    def attempts(self) -> list[Attempt]:
        """The attempts of all visits, in order."""
        return [attempt for visit in self.visits for attempt in visit.attempts]


@dataclass
class Execution:
    """One execution.

    Attributes:
        status: AWS's word: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        started, ended: when; `ended` is None while it runs.
        input, output: JSON text.
        error, cause: why it failed.
        machine: the state machine that ran.
        states: what happened in each of its states, by name, in the definition's order.
        events: the history as it was told.
    """

    arn: str
    status: str
    started: datetime
    ended: datetime | None
    input: str
    output: str | None
    error: str
    cause: str
    machine: Machine
    states: dict[str, StateRun]
    events: list[HistoryEvent]

    @property
    def name(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition(":")[2]

    @property
    def visits(self) -> list[Visit]:
        """All visits of all states, in the order in which they began."""
        found = [visit for run in self.states.values() for visit in run.visits]
        return sorted(found, key=lambda visit: visit.entered)

    @property
    def retries(self) -> int:
        """How many attempts were made beyond the first of each visit."""
        return sum(max(0, len(visit.attempts) - 1) for visit in self.visits)

    @property
    def outcome(self) -> Outcome:
        """Its outcome; retried where it succeeded and a state needed more than one attempt."""
        if self.status == "SUCCEEDED":
            worst = {run.outcome for run in self.states.values()}
            return Outcome.RETRIED if Outcome.RETRIED in worst else Outcome.SUCCEEDED
        return _STATUS.get(self.status, Outcome.RUNNING)

    @property
    def transitions(self) -> int:
        """State transitions as AWS charges them: each entered state, and each retry, is one."""
        return len(self.visits) + self.retries

    def machine_state(self, name: str) -> State:
        """Return a state of the definition by its name, in whichever lane it is."""
        return next(state for state in self.machine.walk() if state.name == name)

    def seconds(self, now: datetime | None = None) -> float:
        """Return how long it took; of one that runs, how long so far."""
        end = self.ended or now or max(event.time for event in self.events)
        return (end - self.started).total_seconds()

    def taken(self) -> set[tuple[str, str | None]]:
        """Return the edges that it took, as pairs of names; None is the end of a lane."""
        edges: set[tuple[str, str | None]] = set()
        for visit in self.visits:
            if visit.came_from:
                edges.add((visit.came_from, visit.state))
        left = {source for source, _target in edges}
        for state in self.machine.walk():
            run = self.states[state.name]
            ends = any(edge.target is None for edge in state.edges)
            if ends and state.name not in left and any(v.exited for v in run.visits):
                edges.add((state.name, None))
        return edges


_STATUS = {
    "FAILED": Outcome.FAILED,
    "TIMED_OUT": Outcome.TIMED_OUT,
    "ABORTED": Outcome.STOPPED,
    "RUNNING": Outcome.RUNNING,
}
