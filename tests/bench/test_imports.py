from __future__ import annotations

import sys
from pathlib import Path

import pytest

from scripts.bench.imports import Case, Figures, figures, in_turns

PYTHON = Path(sys.executable)


def test_a_ratio_is_taken_beside_its_yardstick_and_the_median_of_all_counts() -> None:
    # The machine was three times slower in the second round.
    assert figures([(20.0, 10.0), (66.0, 30.0), (21.0, 10.0)]) == Figures(21.0, 2.1)


def test_more_work_takes_more_times_the_yardstick() -> None:
    little = Case("pass", PYTHON, "pass", {})
    much = Case("much", PYTHON, "sum(range(20_000_000))", {})

    measured = in_turns([little, much], rounds=1)

    assert list(measured) == ["pass", "much"]
    assert measured["pass"].ratio == 1
    assert measured["much"].ratio > 2


def test_a_case_that_fails_is_named() -> None:
    with pytest.raises(RuntimeError, match="broken failed"):
        Case("broken", PYTHON, "import no_such_module", {}).cpu_ms()
