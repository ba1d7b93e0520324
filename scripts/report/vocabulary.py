"""Make a history of the local AWS read like one of AWS.

The local AWS (ministack) numbers its events but does not say which event led to which, and inside
the lanes of a Parallel it tells of tasks only, by their resource: no state is entered or exited
there. What is missing follows from the definition, and is put in here, so that everything behind
this module knows one vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.lib.executions.definition import Machine, State
from scripts.lib.executions.events import HistoryEvent

_CONTAINERS = ("Parallel", "Map")


def complete(history: Sequence[HistoryEvent], machine: Machine) -> list[HistoryEvent]:
    """Return the history with every event's predecessor, and with the events that it left out."""
    if any(event.previous for event in history):
        return list(history)
    return _Completion(machine, history).run()


@dataclass
class _Lane:
    """How far one lane of the open container is: its last event, and the state that is open."""

    last: int
    state: State | None = None


@dataclass
class _Completion:
    machine: Machine
    history: Sequence[HistoryEvent]
    made: list[HistoryEvent] = field(default_factory=list)
    last: int = 0
    container: State | None = None
    lanes: dict[int, _Lane] = field(default_factory=dict)
    container_input: Any = None

    def run(self) -> list[HistoryEvent]:
        for index, event in enumerate(self.history):
            placed = self._place(event)
            if placed is None:
                self._top(event)
            else:
                self._in_lane(event, *placed, rest=self.history[index + 1 :])
        return self.made

    def _top(self, event: HistoryEvent) -> None:
        """Add an event of the outermost states."""
        if self.container is not None:
            self._close_container(event)
        self.last = self._add(event, self.last)
        if event.type.endswith("StateEntered"):
            state = self.machine.states.get(event.name)
            if state is not None and state.kind in _CONTAINERS:
                self._open_container(state, event)

    def _open_container(self, state: State, event: HistoryEvent) -> None:
        self.container = state
        self.container_input = event.details.get("input") if state.passes_input else None
        self.last = self._infer(f"{state.kind}StateStarted", event, self.last)
        self.lanes = {}

    def _close_container(self, event: HistoryEvent) -> None:
        """The container is over when anything happens outside it."""
        assert self.container is not None  # noqa: S101 - checked by the caller
        kind = self.container.kind
        if event.type in ("ExecutionAborted", "ExecutionTimedOut"):
            self.container = None
            return
        ended = "Succeeded" if event.type == f"{kind}StateExited" else "Failed"
        if self.lanes:
            self.last = max(lane.last for lane in self.lanes.values())
        self.last = self._infer(f"{kind}State{ended}", event, self.last)
        self.container = None

    def _place(self, event: HistoryEvent) -> tuple[int, State] | None:
        """Return the lane and the state that a task's event belongs to; None is outside lanes."""
        if self.container is None or "resource" not in event.details:
            return None
        for number, lane in enumerate(self.container.lanes):
            for state in lane.walk():
                if state.resource == event.details["resource"]:
                    return number, state
        return None

    def _in_lane(
        self, event: HistoryEvent, number: int, state: State, rest: Sequence[HistoryEvent]
    ) -> None:
        assert self.container is not None  # noqa: S101 - _place found it
        lane = self.lanes.setdefault(number, _Lane(self.last))
        if lane.state is not state:
            first = state.name == self.container.lanes[number].start_at
            given = {"input": self.container_input} if first and self.container_input else {}
            details = {"name": state.name, **given}
            lane.last = self._infer("TaskStateEntered", event, lane.last, details)
            lane.state = state
        lane.last = self._add(event, lane.last)
        if event.type == "TaskSucceeded":
            self._exit(lane, event)
        elif event.type in ("TaskFailed", "TaskTimedOut") and not self._is_retried(state, rest):
            self._caught(lane, event, self.container.lanes[number])

    def _is_retried(self, state: State, rest: Sequence[HistoryEvent]) -> bool:
        """Tell whether the state is scheduled again before its container is over."""
        for event in rest:
            if "resource" not in event.details:
                return False
            if event.type == "TaskScheduled" and event.details["resource"] == state.resource:
                return True
        return False

    def _caught(self, lane: _Lane, event: HistoryEvent, machine: Machine) -> None:
        """Leave a failed state the way that its Catch says, if it has one for the error."""
        assert lane.state is not None  # noqa: S101 - it has just failed
        target = lane.state.catcher(str(event.details.get("error", "")))
        if target is None:
            return
        self._exit(lane, event)
        if machine.states[target].kind == "Fail":
            lane.last = self._infer("FailStateEntered", event, lane.last, {"name": target})

    def _exit(self, lane: _Lane, event: HistoryEvent) -> None:
        assert lane.state is not None  # noqa: S101 - one of its events led here
        details = {"name": lane.state.name}
        lane.last = self._infer("TaskStateExited", event, lane.last, details)
        lane.state = None

    def _infer(
        self, kind: str, at: HistoryEvent, previous: int, details: dict[str, Any] | None = None
    ) -> int:
        return self._add(HistoryEvent(0, 0, kind, at.time, details or {}), previous)

    def _add(self, event: HistoryEvent, previous: int) -> int:
        number = len(self.made) + 1
        self.made.append(event.renumbered(number, previous))
        return number
