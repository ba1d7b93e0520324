"""What a run of the backfill costs, and how long it takes."""

import re

import pytest

from scripts.cost import backfill, observation, pipeline
from scripts.cost.pipeline import Settings
from scripts.lib.paths import REPOSITORY

SEEN = observation.read(observation.RECORDED)
STANDARD, EXPRESS = Settings(), Settings(workflow_type="EXPRESS")


def test_each_object_costs_what_is_done_with_it() -> None:
    def cost(converted: int, looked_at: int, dropped: int) -> float:
        return backfill.dollars(
            SEEN, STANDARD, converted=converted, looked_at=looked_at, dropped=dropped
        )

    assert cost(1000, 20, 3) == pytest.approx(cost(1000, 0, 0) + cost(0, 20, 0) + cost(0, 0, 3))
    assert (
        0 < cost(0, 0, 1) < cost(0, 1, 0) < pipeline.bill(SEEN, STANDARD, "").total < cost(1, 0, 0)
    )


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
            SEEN, settings, region or "us-east-1", int(triggers), int(functions.replace(",", ""))
        )
        rate = int(expected.replace(",", ""))
        assert min(limits.values()) == pytest.approx(rate, abs=1), (where, limits)
