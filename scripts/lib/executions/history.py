"""From the events of a history to the states, visits and attempts of an execution."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from scripts.lib.executions import definition, events
from scripts.lib.executions.definition import Machine
from scripts.lib.executions.events import HistoryEvent
from scripts.lib.executions.model import (
    RUNNING,
    Attempt,
    Execution,
    Outcome,
    StateRun,
    Visit,
)
from scripts.lib.user_errors import UserError

_CALL = re.compile(r"^(LambdaFunction|Task|Activity)(?!State)(.+)$")
_FAILURES = {"Failed", "ScheduleFailed", "StartFailed", "SubmitFailed", "TimedOut"}
STATUS_OF = {
    "ExecutionSucceeded": "SUCCEEDED",
    "ExecutionFailed": "FAILED",
    "ExecutionTimedOut": "TIMED_OUT",
    "ExecutionAborted": "ABORTED",
}


class HistoryError(UserError):
    """The events are not those of an execution. The message says what is wrong."""


def read(arn: str, raw_events: Iterable[Mapping[str, Any]], asl: Mapping[str, Any]) -> Execution:
    """Return the execution that a history describes.

    Parameters:
        raw_events: as get_execution_history answers them, all pages, oldest first.
        asl: the definition that ran.

    Raises:
        HistoryError: there are no events, or they are not a history's.
    """
    try:
        history = events.read(raw_events)
        machine = definition.read(asl)
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryError(
            f"this is not an execution history of this state machine: {error!r}"
        ) from error
    if not history or history[0].type != "ExecutionStarted":
        raise HistoryError(
            "the history does not begin with ExecutionStarted; provide all events, oldest first"
        )
    return of_events(arn, history, machine)


def of_events(arn: str, events: list[HistoryEvent], machine: Machine) -> Execution:
    """Return the execution that events describe, of which the first ones may be missing."""
    return _Reader(arn, events, machine).run()


def input_of(events: Iterable[HistoryEvent]) -> str:
    """Return an execution's input, or a later state that still has it, as far as it is known."""
    types = ("ExecutionStarted", "FailStateEntered")
    inputs = (event.details.get("input") for event in events if event.type in types)
    return next(filter(None, inputs), "")


class _Reader:
    def __init__(self, arn: str, events: list[HistoryEvent], machine: Machine) -> None:
        self.arn = arn
        self.events = events
        self.machine = machine
        states = list(machine.walk())
        self.runs = {state.name: StateRun(state.name, state.kind) for state in states}
        # By state: the Parallel or Map that has it in one of its lanes, directly.
        self.holders = {
            name: state.name for state in states for lane in state.lanes for name in lane.states
        }
        self.owner: dict[int, Visit | None] = {}  # by event: the visit it belongs to
        self.calls: dict[int, Attempt] = {}  # by event: the attempt it belongs to
        self.open: list[Visit] = []
        self.end: HistoryEvent | None = None

    @property
    def status(self) -> str:
        return STATUS_OF[self.end.type] if self.end else RUNNING

    def run(self) -> Execution:
        for event in self.events:
            # A function may end after its execution; only a redrive goes on.
            if self.end is None or event.type == "ExecutionRedriven":
                self.owner[event.id] = self._read(event, self.owner.get(event.previous))
        details = self.end.details if self.end else {}
        execution = Execution(
            arn=self.arn,
            status=self.status,
            started=self.events[0].time,
            ended=self.end.time if self.end else None,
            input=input_of(self.events),
            output=details.get("output"),
            error=details.get("error", ""),
            cause=details.get("cause", ""),
            machine=self.machine,
            states=self.runs,
            events=self.events,
        )
        for visit in reversed(execution.visits):  # lanes before what holds them
            visit.outcome = self._outcome(visit)
        return execution

    def _read(self, event: HistoryEvent, before: Visit | None) -> Visit | None:
        """Note what an event says, and return the visit that it belongs to."""
        if event.type.endswith("StateEntered"):
            return self._enter(event, before)
        if event.type.endswith("StateExited"):
            return self._exit(event, before)
        if re.match(r"(Parallel|Map)State(Started|Succeeded|Failed)$", event.type):
            return self._container(event, before)
        if event.type == "ExecutionRedriven":
            self.end = None
            return None
        if event.type in STATUS_OF:
            self._end(event, before)
        elif before is not None:
            self._note(event, before)
        return before

    def _enter(self, event: HistoryEvent, before: Visit | None) -> Visit:
        kind = event.type.removesuffix("StateEntered")
        visit = Visit(event.name, kind, event.time, input=event.details.get("input"))
        if before is not None and before.state == self.holders.get(event.name):
            visit.parent = before  # the first state of a lane
        elif before is not None:
            visit.parent, visit.came_from = before.parent, before.state
        self.runs.setdefault(event.name, StateRun(event.name, kind)).visits.append(visit)
        self.open.append(visit)
        return visit

    def _exit(self, event: HistoryEvent, before: Visit | None) -> Visit | None:
        candidates = [visit for visit in reversed(self.open) if visit.state == event.name]
        visit = before if before in candidates else next(iter(candidates), None)
        if visit is not None:
            visit.exited = event.time
            visit.output = event.details.get("output")
            self.open.remove(visit)
        return visit

    def _container(self, event: HistoryEvent, before: Visit | None) -> Visit | None:
        kind = "Parallel" if event.type.startswith("Parallel") else "Map"
        visit = before
        while visit is not None and (visit.kind != kind or visit not in self.open):
            visit = visit.parent
        visit = visit or next((open_ for open_ in reversed(self.open) if open_.kind == kind), None)
        if visit is not None and event.type.endswith("Failed"):
            visit.failed = True
            visit.error = event.details.get("error", visit.error)
            visit.cause = event.details.get("cause", visit.cause)
        return visit

    def _note(self, event: HistoryEvent, visit: Visit) -> None:
        """Note what a state did, or that it was stopped."""
        call = _CALL.match(event.type)
        if event.type.endswith("StateAborted"):
            visit.stopped = visit.stopped or visit in self.open
        elif call and call[2] == "Scheduled":
            resource = event.details.get("resource", "")
            self.calls[event.id] = Attempt(event.time, resource)
            visit.attempts.append(self.calls[event.id])
            visit.failed = False
        elif call:
            self._note_attempt(event, call[2], visit)

    def _note_attempt(self, event: HistoryEvent, what: str, visit: Visit) -> None:
        """Note what became of a call."""
        attempt = self.calls.get(event.previous) or next(reversed(visit.attempts), None)
        if attempt is not None:
            self.calls[event.id] = attempt
        if attempt is None or attempt.ended:
            return  # a late answer: the state had given the attempt up
        if what in ("Started", "Submitted"):
            attempt.started = attempt.started or event.time
        elif what == "Succeeded":
            attempt.ended, attempt.outcome = event.time, Outcome.SUCCEEDED
            attempt.output = event.details.get("output")
        elif what in _FAILURES:
            attempt.ended = event.time
            attempt.error = event.details.get(
                "error", "States.Timeout" if what == "TimedOut" else ""
            )
            attempt.cause = event.details.get("cause", "")
            late = what == "TimedOut" or attempt.error == "States.Timeout"
            attempt.outcome = Outcome.TIMED_OUT if late else Outcome.FAILED
            visit.failed, visit.error, visit.cause = True, attempt.error, attempt.cause

    def _end(self, event: HistoryEvent, visit: Visit | None) -> None:
        self.end = event
        while event.type == "ExecutionFailed" and visit is not None:
            if visit in self.open:
                visit.failed = True
                visit.error = visit.error or event.details.get("error", "")
                visit.cause = visit.cause or event.details.get("cause", "")
            visit = visit.parent

    def _outcome(self, visit: Visit) -> Outcome:
        if visit.kind == "Fail":
            visit.exited = visit.exited or visit.entered
            return Outcome.FAILED
        if visit.exited:
            if visit.failed:
                return Outcome.CAUGHT
            tries = len(visit.attempts)
            return Outcome.RETRIED if tries > 1 else Outcome.SUCCEEDED
        return self._outcome_of_open(visit)

    def _outcome_of_open(self, visit: Visit) -> Outcome:
        """Return the outcome of a visit that was never left."""
        if self.status == RUNNING and not visit.stopped:
            return Outcome.RUNNING  # a failed attempt may yet be followed by another
        if self.status == "TIMED_OUT" and not visit.stopped:
            return Outcome.TIMED_OUT
        if not visit.failed or self.status == "ABORTED":
            return Outcome.STOPPED
        late = bool(visit.attempts) and visit.attempts[-1].outcome is Outcome.TIMED_OUT
        return Outcome.TIMED_OUT if late else Outcome.FAILED


def end_of(visit: Visit, execution: Execution) -> datetime:
    """Return when a visit ended, or the last time known of one that was never exited."""
    if visit.exited:
        return visit.exited
    ends = [attempt.ended or attempt.started or attempt.scheduled for attempt in visit.attempts]
    if visit.outcome in (Outcome.RUNNING, Outcome.TIMED_OUT, Outcome.STOPPED) or not ends:
        return execution.known_until
    return max(ends)
