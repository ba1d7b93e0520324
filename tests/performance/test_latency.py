"""The benchmark of latency takes the hops from an execution's history."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.lib.executions import history
from tests.performance.latency import TOTAL, TRIGGER, hops, percentile, table

RECORDED = Path("tests/support/recordings/histories/local/succeeded.json")


def test_the_hops_are_those_of_the_history() -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    execution = history.read(recorded["executionArn"], recorded["events"], recorded["definition"])

    measured = hops(execution.started.timestamp() - 0.25, execution)

    assert measured[TRIGGER] == pytest.approx(250)
    assert measured["GetFileType"] == pytest.approx(60)  # from 10.728 to 10.788
    assert measured["ResizeImage"] == pytest.approx(97)  # from 10.789 to 10.886
    assert measured[TOTAL] == pytest.approx(250 + 309)  # the execution began at 10.577


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(value) for value in range(20, 0, -1)]

    assert percentile(values, 0.5) == 10
    assert percentile(values, 0.95) == 19
    assert percentile([7.0], 0.95) == 7


def test_each_hop_has_a_row_with_both_percentiles_of_both_series() -> None:
    shown = table({"one by one": {TOTAL: [1.0, 3.0]}, "at once": {TOTAL: [5.0, 9.0]}}, 2)

    assert [list(column.cells) for column in shown.columns] == [[TOTAL], ["1"], ["3"], ["5"], ["9"]]
