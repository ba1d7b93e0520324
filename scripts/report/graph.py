"""The graph as the templates draw it: each shape with its words, colour and place."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import quote

from scripts.lib import text
from scripts.lib.executions.definition import Machine
from scripts.lib.executions.model import Execution, Outcome, StateRun
from scripts.report import layout, timeline
from scripts.report.layout import Box, Drawing, Line

_LONGEST_NAME = 19  # characters that fit into a box
_MARGIN = 4
_CONTAINERS = ("Parallel", "Map")


def anchor(state: str) -> str:
    """Return the id of a state's details in the page; a name may hold anything."""
    return f"state-{quote(state, safe='').replace('%', '.')}"


@dataclass(frozen=True)
class Node:
    """A shape: a state, a lane, the start or the end.

    Attributes:
        shape: state, holder, lane or dot.
        name, words: the two lines of text in it.
        css_class: the names of its colour and kind, for the style.
        about: the same for a screen reader; empty where there is nothing to choose.
    """

    box: Box
    shape: str
    name: str = ""
    words: str = ""
    css_class: str = ""
    about: str = ""

    @property
    def short(self) -> str:
        """The name, cut where it would not fit."""
        fits = len(self.name) <= _LONGEST_NAME
        return self.name if fits else f"{self.name[: _LONGEST_NAME - 1]}…"

    @property
    def middle(self) -> float:
        """The x of its text."""
        return self.box.x + self.box.width / 2

    @property
    def anchor(self) -> str:
        """The id of the state's details in the page."""
        return anchor(self.name)


@dataclass(frozen=True)
class Arrow:
    """An edge; `css_class` names its kind and whether the execution went that way."""

    line: Line
    css_class: str

    @property
    def tip(self) -> tuple[float, float]:
        """Where it ends."""
        return self.line.points[-1]

    @property
    def angle(self) -> float:
        """Its direction at the tip, in degrees."""
        (x, y), (before_x, before_y) = self.line.points[-1], self.line.points[-2]
        return math.degrees(math.atan2(y - before_y, x - before_x))


@dataclass(frozen=True)
class Graph:
    """What is drawn, back to front: holders, arrows, nodes."""

    holders: tuple[Node, ...]
    arrows: tuple[Arrow, ...]
    nodes: tuple[Node, ...]
    width: float
    height: float


def of_execution(execution: Execution) -> Graph:
    """Return the graph of a run, in its colours."""

    def state(box: Box) -> Node:
        run = execution.states[box.name]
        shown = Outcome.RETRIED if run.retrying else run.outcome
        words = f"{shown.sign} {_words(run)}"
        about = f"{box.name}, {run.kind}: {'retrying' if run.retrying else run.outcome}"
        if run.attempts:
            about += f", {text.counted(len(run.attempts), 'attempt')}"
        shape = "holder" if box.kind in _CONTAINERS else "state"
        css_class = f"{shown.tone} {box.kind.lower()}"
        return Node(box, shape, box.name, words, css_class, about)

    drawing = layout.draw(execution.machine)
    went = execution.taken() | {(layout.START, execution.machine.start_at)}
    return _graph(drawing, {box.name: state(box) for box in _states(drawing)}, went)


def of_machine(machine: Machine) -> Graph:
    """Return the graph of a state machine that is not run: each state with its Type."""

    def state(box: Box) -> Node:
        shape = "holder" if box.kind in _CONTAINERS else "state"
        return Node(box, shape, box.name, box.kind, f"planned {box.kind.lower()}")

    drawing = layout.draw(machine)
    every = {
        (line.edge.source, _target(line)) for line in drawing.lines if line.edge.kind != "catch"
    }
    return _graph(drawing, {box.name: state(box) for box in _states(drawing)}, every)


def _graph(
    drawing: Drawing, states: dict[str, Node], went: Collection[tuple[str, str | None]]
) -> Graph:
    holders: list[Node] = []
    nodes: list[Node] = []
    for box in drawing.boxes:
        if box.kind == "lane":
            holders.append(Node(box, "lane"))
        elif box.kind in ("start", "end"):
            nodes.append(Node(box, "dot", box.kind))
        else:
            node = states[box.name]
            (holders if node.shape == "holder" else nodes).append(node)
    arrows = [
        Arrow(
            line, f"{line.edge.kind}{' went' if (line.edge.source, _target(line)) in went else ''}"
        )
        for line in drawing.lines
    ]
    arrows.sort(key=lambda arrow: "went" in arrow.css_class)
    room = 2 * _MARGIN
    return Graph(
        tuple(holders), tuple(arrows), tuple(nodes), drawing.width + room, drawing.height + room
    )


def _states(drawing: Drawing) -> list[Box]:
    return [box for box in drawing.boxes if box.kind not in ("lane", "start", "end")]


def _target(line: Line) -> str | None:
    return None if line.edge.target == layout.END else line.edge.target


def _words(run: StateRun) -> str:
    """Return what stands under a state's name."""
    if run.outcome is not Outcome.SUCCEEDED:
        tries = len(run.attempts)
        word = "retrying" if run.retrying else str(run.outcome)
        return f"{word}, {tries} tries" if tries > 1 else word
    return text.duration(sum(timeline.seconds(visit) for visit in run.visits))
