"""The page of costs is what the recorded execution and the listed prices give."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from scripts.cost import comparison, observation, prices
from scripts.cost.observation import RECORDED
from tests.support.recordings import record_cost

# At most this part of the article's bill.
GOALS = {"STANDARD": 1.0, "EXPRESS": 0.25}


def test_the_recorded_execution_reaches_the_goals() -> None:
    bills = comparison.bills(observation.read(RECORDED))

    for bill in bills.ours:
        assert bill.total / bills.article.total < GOALS[bill.name]


def test_each_price_names_its_page_and_where_it_was_read() -> None:
    for price in prices.Price:
        assert price.source.startswith("https://aws.amazon.com/")
        assert price.source.endswith(("/pricing/", "/pricing/on-demand/"))
        assert price.read_in


def test_an_observation_survives_its_file(tmp_path: Path) -> None:
    seen = observation.read(RECORDED)
    record_cost.write(seen, tmp_path / "observation.json")

    assert observation.read(tmp_path / "observation.json") == seen


def test_the_seconds_of_the_functions_add_up_to_the_line_of_the_bill() -> None:
    seen = observation.read(RECORDED)
    standard = comparison.bills(seen).standard
    [line] = [line for line in standard.converting if line.what == "Function time"]

    [total] = [row for row in comparison.page(seen).splitlines() if row.startswith("| **total** |")]
    assert float(total.split("|")[-3]) == pytest.approx(line.quantity, abs=1e-4)


def test_a_single_execution_is_billed_as_it_was_reported() -> None:
    seen = dataclasses.replace(
        observation.read(RECORDED), where=observation.LOCAL, whole_processor=False
    )
    row = next(row for row in comparison.page(seen).splitlines() if "| trig" in row)

    assert [cell.strip() for cell in row.split("|")[2:4]] == ["256", f"{seen.calls[0].billed_ms}"]
