"""The graph's layout: every state has its place, containers hold theirs, nothing overlaps."""

import itertools

import pytest

from scripts.lib.executions import definition
from scripts.report import layout
from scripts.report.layout import Box, Drawing
from tests.support.asl import rendering


@pytest.fixture
def drawing() -> Drawing:
    return layout.draw(definition.read(rendering.machine()))


def test_every_state_has_a_place_and_every_edge_a_line(drawing: Drawing) -> None:
    asl = definition.read(rendering.machine())
    named = [box.name for box in drawing.boxes if box.kind not in ("lane", "start", "end")]

    assert sorted(named) == sorted(state.name for state in asl.walk())
    drawn = {(line.edge.source, line.edge.target) for line in drawing.lines}
    inner = {(e.source, e.target) for s in asl.walk() for e in s.edges if e.target is not None}
    assert inner < drawn


def test_the_lanes_of_a_parallel_stand_side_by_side_inside_it(drawing: Drawing) -> None:
    boxes = {box.name: box for box in drawing.boxes}
    holder = boxes["ProcessFile"]
    lanes = [box for box in drawing.boxes if box.kind == "lane"]

    assert len(lanes) == 2
    assert lanes[0].y == lanes[1].y
    assert lanes[0].x + lanes[0].width <= lanes[1].x
    assert all(_inside(lane, holder) for lane in lanes)
    assert _inside(boxes["CopyToDestination"], lanes[0])
    assert _inside(boxes["QuitResize"], lanes[1])


def test_no_two_states_overlap_and_none_leaves_the_picture(drawing: Drawing) -> None:
    states = [box for box in drawing.boxes if box.kind in ("Task", "Choice", "Fail")]

    for first, other in itertools.combinations(states, 2):
        assert not _overlap(first, other), (first, other)
    whole = Box("", "", 0, 0, drawing.width, drawing.height)
    assert all(_inside(box, whole) for box in drawing.boxes)


def test_a_container_in_a_container_is_laid_out_too() -> None:
    inner: dict[str, object] = {"Type": "Map", "End": True}
    inner["ItemProcessor"] = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
    lane = {"StartAt": "M", "States": {"M": inner}}
    asl = {"StartAt": "Q", "States": {"Q": {"Type": "Parallel", "Branches": [lane], "End": True}}}
    boxes = {box.name: box for box in layout.draw(definition.read(asl)).boxes}

    assert _inside(boxes["P"], boxes["M"])
    assert _inside(boxes["M"], boxes["Q"])


def _inside(box: Box, holder: Box) -> bool:
    slack = 0.51  # Graphviz rounds
    return (
        box.x >= holder.x - slack
        and box.y >= holder.y - slack
        and box.x + box.width <= holder.x + holder.width + slack
        and box.y + box.height <= holder.y + holder.height + slack
    )


def _overlap(first: Box, other: Box) -> bool:
    return (
        first.x < other.x + other.width
        and other.x < first.x + first.width
        and first.y < other.y + other.height
        and other.y < first.y + first.height
    )
