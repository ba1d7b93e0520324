"""The graph as the templates draw it: each shape with its text, colour and place."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from scripts.lib import text
from scripts.lib.executions.definition import Edge, Machine
from scripts.lib.executions.model import Execution, Outcome, StateRun
from scripts.report import layout
from scripts.report.layout import Box, Line

_LONGEST_NAME = 19  # characters that fit into a box
_MARGIN = 4
# By kinds of boxes; all others are states.
_SHAPES = {"Parallel": "holder", "Map": "holder", "lane": "lane", "start": "dot", "end": "dot"}


def anchor(state: str) -> str:
    """Return the id of a state's details in the page; a name may hold anything."""
    return f"state-{quote(state, safe='').replace('%', '.')}"


@dataclass(frozen=True)
class Node:
    """A shape: a state, a lane, the start or the end.

    Attributes:
        name, words: the two lines of text in it.
        css_class: the names of its colour and kind, for the style.
        about: the same for a screen reader; empty where there is nothing to choose.
    """

    box: Box
    name: str = ""
    words: str = ""
    css_class: str = ""
    about: str = ""

    @property
    def shape(self) -> str:
        """How it is drawn: state, holder, lane or dot."""
        return _SHAPES.get(self.box.kind, "state")

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
        return Node(box, box.name, words, f"{shown.tone} {box.kind.lower()}", about)

    taken = execution.taken() | {(layout.START, execution.machine.start_at)}
    taken |= {(name, layout.END) for name, target in taken if target is None}
    return _graph(execution.machine, state, lambda edge: (edge.source, edge.target) in taken)


def of_machine(machine: Machine) -> Graph:
    """Return the graph of a state machine that is not run: each state with its Type."""

    def state(box: Box) -> Node:
        return Node(box, box.name, box.kind, f"planned {box.kind.lower()}")

    return _graph(machine, state, lambda edge: edge.kind != "catch")


def _graph(
    machine: Machine, state: Callable[[Box], Node], is_taken: Callable[[Edge], bool]
) -> Graph:
    drawing = layout.draw(machine)
    nodes = []
    for box in drawing.boxes:
        is_state = _SHAPES.get(box.kind) not in ("lane", "dot")
        nodes.append(state(box) if is_state else Node(box, box.kind))
    arrows = [
        Arrow(line, f"{line.edge.kind}{' went' if is_taken(line.edge) else ''}")
        for line in drawing.lines
    ]
    arrows.sort(key=lambda arrow: "went" in arrow.css_class)
    return Graph(
        tuple(node for node in nodes if node.shape in ("holder", "lane")),
        tuple(arrows),
        tuple(node for node in nodes if node.shape in ("state", "dot")),
        drawing.width + 2 * _MARGIN,
        drawing.height + 2 * _MARGIN,
    )


def _words(run: StateRun) -> str:
    """Return what stands under a state's name."""
    if run.outcome is not Outcome.SUCCEEDED:
        tries = len(run.attempts)
        word = "retrying" if run.retrying else str(run.outcome)
        return f"{word}, {tries} tries" if tries > 1 else word
    return text.duration(sum(visit.seconds or 0 for visit in run.visits))
