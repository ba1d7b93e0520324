"""From the events of a history to the states, visits and attempts of an execution."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from scripts.lib.executions import definition, events
from scripts.lib.executions.definition import Machine
from scripts.lib.executions.events import HistoryEvent
from scripts.lib.executions.model import Attempt, Execution, Outcome, StateRun, Visit
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


def read(
    arn: str,
    raw_events: Iterable[Mapping[str, Any]],
    asl: Mapping[str, Any],
    *,
    whole: bool = True,
) -> Execution:
    """Return the execution that a history describes.

    Args:
        arn: the execution's ARN.
        raw_events: as get_execution_history answers them, all pages, oldest first.
        asl: the definition that ran.
        whole: whether the first event has to be there, as it need not be in a log.

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
    if not history or (whole and history[0].type != "ExecutionStarted"):
        raise HistoryError(
            "the history does not begin with ExecutionStarted; provide all events, oldest first"
        )
    return _Reader(arn, history, machine).run()


def input_of(events: Iterable[HistoryEvent]) -> str:
    """Return an execution's input, or a later state that still has it, as far as it is known."""
    kinds = ("ExecutionStarted", "FailStateEntered")
    given = (event.details.get("input") for event in events if event.type in kinds)
    return next(filter(None, given), "")


class _Reader:
    def __init__(self, arn: str, events: list[HistoryEvent], machine: Machine) -> None:
        self.arn = arn
        self.events = events
        self.machine = machine
        self.kinds = {state.name: state for state in machine.walk()}
        self.runs = {name: StateRun(name, state.kind) for name, state in self.kinds.items()}
        self.owner: dict[int, Visit] = {}  # by event: the visit it belongs to
        self.calls: dict[int, Attempt] = {}  # by event: the attempt it belongs to
        self.open: list[Visit] = []
        self.status = "RUNNING"
        self.last: HistoryEvent = events[0]

    def run(self) -> Execution:
        for event in self.events:
            # A function may end after its execution; only a redrive goes on.
            if self.status == "RUNNING" or event.type == "ExecutionRedriven":
                self._read(event)
        ended = self.last if self.status != "RUNNING" else None
        start = self.events[0]
        details = ended.details if ended else {}
        execution = Execution(
            arn=self.arn,
            status=self.status,
            started=start.time,
            ended=ended.time if ended else None,
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

    def _read(self, event: HistoryEvent) -> None:
        call = _CALL.match(event.type)
        if event.type.endswith("StateEntered"):
            self._enter(event)
        elif event.type.endswith("StateExited"):
            self._exit(event)
        elif event.type.endswith("StateAborted"):
            self._stop(event)
        elif re.match(r"(Parallel|Map)State(Started|Succeeded|Failed)$", event.type):
            self._container(event)
        elif call:
            self._call(event, call.group(2))
        elif event.type in STATUS_OF:
            self._end(event)
        elif event.type == "ExecutionRedriven":
            self.status = "RUNNING"
        else:
            self._keep(event, self.owner.get(event.previous))

    def _enter(self, event: HistoryEvent) -> None:
        before = self.owner.get(event.previous)
        kind = event.type.removesuffix("StateEntered")
        visit = Visit(event.name, kind, event.time, input=event.details.get("input"))
        holder = self._holder(event.name)
        if before is not None and before.state == holder:
            visit.parent = before  # the first state of a lane
        elif before is not None:
            visit.parent, visit.came_from = before.parent, before.state
        self.runs.setdefault(event.name, StateRun(event.name, kind)).visits.append(visit)
        self.open.append(visit)
        self._keep(event, visit)

    def _holder(self, name: str) -> str | None:
        """Return the Parallel or Map that has the state in one of its lanes, directly."""
        for state in self.kinds.values():
            if any(name in lane.states for lane in state.lanes):
                return state.name
        return None

    def _exit(self, event: HistoryEvent) -> None:
        before = self.owner.get(event.previous)
        candidates = [visit for visit in reversed(self.open) if visit.state == event.name]
        visit = before if before in candidates else next(iter(candidates), None)
        if visit is None:
            return
        visit.exited = event.time
        visit.output = event.details.get("output")
        self.open.remove(visit)
        self._keep(event, visit)

    def _container(self, event: HistoryEvent) -> None:
        kind = "Parallel" if event.type.startswith("Parallel") else "Map"
        visit = self.owner.get(event.previous)
        while visit is not None and (visit.kind != kind or visit not in self.open):
            visit = visit.parent
        visit = visit or next((other for other in reversed(self.open) if other.kind == kind), None)
        if visit is not None and event.type.endswith("Failed"):
            visit.failed = True
            visit.error = event.details.get("error", visit.error)
            visit.cause = event.details.get("cause", visit.cause)
        self._keep(event, visit)

    def _stop(self, event: HistoryEvent) -> None:
        visit = self.owner.get(event.previous)
        if visit is not None and visit in self.open:
            visit.stopped = True
        self._keep(event, visit)

    def _call(self, event: HistoryEvent, what: str) -> None:
        visit = self.owner.get(event.previous)
        if visit is None:
            return
        self._keep(event, visit)
        if what == "Scheduled":
            resource = event.details.get("resource", "")
            self.calls[event.id] = Attempt(event.time, resource)
            visit.attempts.append(self.calls[event.id])
            visit.failed = False
            return
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
            self._fail(visit, attempt, event, timed_out=what == "TimedOut")

    def _fail(
        self, visit: Visit, attempt: Attempt, event: HistoryEvent, *, timed_out: bool
    ) -> None:
        attempt.ended = event.time
        attempt.error = event.details.get("error", "States.Timeout" if timed_out else "")
        attempt.cause = event.details.get("cause", "")
        late = timed_out or attempt.error == "States.Timeout"
        attempt.outcome = Outcome.TIMED_OUT if late else Outcome.FAILED
        visit.failed, visit.error, visit.cause = True, attempt.error, attempt.cause

    def _end(self, event: HistoryEvent) -> None:
        self.status = STATUS_OF[event.type]
        self.last = event
        visit = self.owner.get(event.previous)
        self._keep(event, visit)
        while event.type == "ExecutionFailed" and visit is not None:
            if visit in self.open:
                visit.failed = True
                visit.error = visit.error or event.details.get("error", "")
                visit.cause = visit.cause or event.details.get("cause", "")
            visit = visit.parent

    def _keep(self, event: HistoryEvent, visit: Visit | None) -> None:
        if visit is not None:
            self.owner[event.id] = visit

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
        if self.status == "RUNNING" and not visit.stopped:
            return Outcome.RUNNING  # a failed attempt may yet be followed by another
        if self.status == "TIMED_OUT" and not visit.stopped:
            return Outcome.TIMED_OUT
        if not visit.failed or self.status == "ABORTED":
            return Outcome.STOPPED
        late = bool(visit.attempts) and visit.attempts[-1].outcome is Outcome.TIMED_OUT
        return Outcome.TIMED_OUT if late else Outcome.FAILED


def end_of(visit: Visit, execution: Execution) -> datetime:
    """Return when a visit was over, or when the last was heard of one that was never exited."""
    if visit.exited:
        return visit.exited
    ends = [attempt.ended or attempt.started or attempt.scheduled for attempt in visit.attempts]
    if visit.outcome in (Outcome.RUNNING, Outcome.TIMED_OUT, Outcome.STOPPED) or not ends:
        return execution.heard_until
    return max(ends)
