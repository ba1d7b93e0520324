"""What a run of the backfill costs, and how long it takes."""

import json
import re

import pytest

from scripts.cost import backfill, observation, pipeline
from scripts.cost.model import Bill
from scripts.cost.pipeline import EXPRESS, STANDARD
from scripts.cost.prices import Price
from scripts.lib.paths import REPOSITORY
from tests.support.asl import rendering

SEEN = observation.read(observation.RECORDED)


def test_each_object_costs_what_is_done_with_it() -> None:
    def cost(converted: int, checked: int, dropped: int) -> float:
        return backfill.dollars(
            SEEN, STANDARD, converted=converted, checked=checked, dropped=dropped
        )

    assert cost(1000, 20, 3) == pytest.approx(cost(1000, 0, 0) + cost(0, 20, 0) + cost(0, 0, 3))
    assert 0 < cost(0, 0, 1) < cost(0, 1, 0) < pipeline.bill(SEEN, STANDARD).total < cost(1, 0, 0)


def test_a_child_takes_as_many_objects_as_the_definition_says() -> None:
    states = json.loads(rendering.backfill())["States"].values()
    sizes = {state["ItemBatcher"]["MaxItemsPerBatch"] for state in states if state["Type"] == "Map"}
    assert sizes == {backfill.BATCH}


def test_ten_objects_pay_for_one_child_and_one_request() -> None:
    children = {line.what: line.quantity for line in backfill.FINDING}
    assert children["State transitions: children"] == children["EXPRESS children"] == 0.1
    assert sum(line.per_million for line in backfill.FINDING) == pytest.approx(2.63, abs=0.01)

    def requests(bill: Bill) -> float:
        return sum(line.quantity for line in bill.converting if line.price is Price.QUEUE_REQUEST)

    assert requests(pipeline.bill(SEEN, STANDARD)) == 3
    assert requests(backfill.bill(SEEN, STANDARD)) == pytest.approx(2.1)


def test_children_limit_how_many_images_a_second_are_sent() -> None:
    def limits(children: int) -> dict[str, float]:
        return backfill.images_per_second(
            SEEN, EXPRESS, "us-east-1", triggers=700, functions=5000, children=children
        )

    assert limits(100)["backfill.max_concurrency"] == pytest.approx(5000)
    assert min(limits(100), key=limits(100).__getitem__) == "backfill.max_concurrency"
    assert min(limits(110), key=limits(110).__getitem__) == "trigger_maximum_concurrency"


def test_the_page_s_table_is_what_a_dry_run_says() -> None:
    page = (REPOSITORY / "docs/backfill.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| ([\d,]+)[^|]*\| (\d+)[^|]*\| ([^|]+) \| ([\d,]+) \|", page, re.MULTILINE
    )
    assert len(rows) == 7
    for functions, triggers, where, expected in rows:
        kind, _, region = where.partition(", ")
        settings = EXPRESS if kind == "EXPRESS" else STANDARD
        limits = backfill.images_per_second(
            SEEN,
            settings,
            region or "us-east-1",
            triggers=int(triggers),
            functions=int(functions.replace(",", "")),
            children=10_000,
        )
        rate = int(expected.replace(",", ""))
        assert min(limits.values()) == pytest.approx(rate, abs=1), (where, limits)
