"""Where the states of the graph go: Graphviz places them, lane by lane.

A Parallel or Map is laid out by itself first, its lanes side by side, and then takes its place in
the lane around it as one box of that size. Lengths are CSS pixels, y grows downwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import pygraphviz

from scripts.lib.executions.definition import Edge, Machine, State

WIDTH, HEIGHT = 150, 46  # of a state
DOT = 26  # of the start and the end
HEADER = 42  # of a container, above its lanes
PAD = 12
_GAP_ACROSS, _GAP_DOWN = 22, 34
_INCH = 72.0  # Graphviz has sizes in inches and positions in points; a point is a pixel here

START, END = "\0start", "\0end"


@dataclass(frozen=True)
class Box:
    """A state's rectangle; `kind` is its Type, or start, end or lane."""

    name: str
    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Line:
    """An edge as a curve: points of a cubic Bézier spline, then the tip of the arrow."""

    edge: Edge
    points: tuple[tuple[float, float], ...]
    label: tuple[float, float] | None

    def moved(self, x: float, y: float) -> Self:
        """Return the line elsewhere."""
        label = (self.label[0] + x, self.label[1] + y) if self.label else None
        return replace(self, points=tuple((px + x, py + y) for px, py in self.points), label=label)

    @property
    def path(self) -> str:
        """The curve as an SVG path."""
        first, *rest = (f"{x:.1f} {y:.1f}" for x, y in self.points)
        *curve, tip = rest
        return f"M{first} C{' '.join(curve)} L{tip}"


@dataclass(frozen=True)
class Drawing:
    """A graph that is laid out; containers come before what is in them."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]

    def moved(self, x: float, y: float) -> Self:
        """Return the drawing elsewhere."""
        boxes = tuple(replace(box, x=box.x + x, y=box.y + y) for box in self.boxes)
        lines = tuple(line.moved(x, y) for line in self.lines)
        return replace(self, boxes=boxes, lines=lines)


_drawn: dict[str, Drawing] = {}


def draw(machine: Machine) -> Drawing:
    """Return the whole state machine, with a start and an end.

    Two hundred executions of one state machine have one drawing, which is made once.
    """
    definition = repr(machine)
    if definition not in _drawn:
        _drawn[definition] = _lane(machine, with_ends=True)
    return _drawn[definition]


def _lane(machine: Machine, *, with_ends: bool) -> Drawing:
    containers = {state.name: _container(state) for state in machine.states.values() if state.lanes}
    sizes = dict.fromkeys(machine.states, (WIDTH, HEIGHT)) | {
        name: (inner.width, inner.height) for name, inner in containers.items()
    }
    edges = list(_edges(machine, with_ends=with_ends))
    if with_ends:
        sizes |= {START: (DOT, DOT), END: (DOT, DOT)}
    placed, lines, width, height = _graphviz(sizes, edges)
    boxes: list[Box] = []
    for name, (x, y) in placed.items():
        kind = machine.states[name].kind if name in machine.states else name.strip("\0")
        boxes.append(Box(name, kind, x, y, *sizes[name]))
        if name in containers:
            inner = containers[name].moved(x, y)
            boxes += inner.boxes
            lines += inner.lines
    return Drawing(width, height, tuple(boxes), tuple(lines))


def _edges(machine: Machine, *, with_ends: bool) -> Iterator[Edge]:
    if with_ends:
        yield Edge(START, machine.start_at, "next")
    for state in machine.states.values():
        for edge in state.edges:
            if edge.target is not None:
                yield edge
            elif with_ends:
                yield replace(edge, target=END)


def _container(state: State) -> Drawing:
    """Return a container's inside, whose origin is the container's own corner."""
    lanes = [_lane(lane, with_ends=False) for lane in state.lanes]
    tallest = max(lane.height for lane in lanes)
    x, y = float(PAD), float(HEADER)
    boxes: list[Box] = []
    lines: list[Line] = []
    for number, lane in enumerate(lanes, start=1):
        width = lane.width + 2 * PAD
        boxes.append(Box(f"{state.name} {number}", "lane", x, y, width, tallest + 2 * PAD))
        inner = lane.moved(x + PAD, y + PAD)
        boxes += inner.boxes
        lines += inner.lines
        x += width + PAD
    return Drawing(x, HEADER + tallest + 3 * PAD, tuple(boxes), tuple(lines))


def _graphviz(
    sizes: dict[str, tuple[float, float]], edges: list[Edge]
) -> tuple[dict[str, tuple[float, float]], list[Line], float, float]:
    """Return each node's corner, the lines, and the size of it all."""
    graph = pygraphviz.AGraph(directed=True, strict=False)
    graph.graph_attr.update(
        rankdir="TB", nodesep=_GAP_ACROSS / _INCH, ranksep=_GAP_DOWN / _INCH, splines="spline"
    )
    graph.node_attr.update(shape="box", fixedsize="true", label="")
    node = {name: str(number) for number, name in enumerate(sizes)}  # a name may hold anything
    for name, (width, height) in sizes.items():
        graph.add_node(node[name], width=width / _INCH, height=height / _INCH)
    ends = [(node[edge.source], node[str(edge.target)], str(n)) for n, edge in enumerate(edges)]
    for (source, target, key), edge in zip(ends, edges, strict=True):
        # What goes wrong must not bend the way that things usually go.
        weight = 1 if edge.kind == "catch" else 8
        graph.add_edge(source, target, key=key, weight=weight, **_room(edge.label))
    graph.layout(prog="dot")
    _x, _y, width, top = map(float, graph.graph_attr["bb"].split(","))
    placed = {
        name: (x - sizes[name][0] / 2, top - y - sizes[name][1] / 2)
        for name in sizes
        for x, y in [_pair(graph.get_node(node[name]).attr["pos"])]
    }
    lines = [_line(edge, graph.get_edge(*end), top) for end, edge in zip(ends, edges, strict=True)]
    graph.close()
    return placed, lines, width, top


def _room(label: str) -> dict[str, str]:
    """Return an empty label of the right size: Graphviz needs no font for it."""
    if not label or label == "any error":
        return {}
    size = f'FIXEDSIZE="TRUE" WIDTH="{7 * len(label)}" HEIGHT="16"'
    empty = f"<TABLE BORDER='0' CELLBORDER='0' CELLPADDING='0' {size}><TR><TD></TD></TR></TABLE>"
    return {"label": f"<{empty}>"}


def _line(edge: Edge, placed: pygraphviz.Edge, top: float) -> Line:
    tip, *points = placed.attr["pos"].removeprefix("e,").split(" ")
    curve = [(x, top - y) for x, y in map(_pair, [*points, tip])]
    label = placed.attr["lp"]
    at = _pair(label) if label else None
    return Line(edge, tuple(curve), (at[0], top - at[1]) if at else None)


def _pair(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)
