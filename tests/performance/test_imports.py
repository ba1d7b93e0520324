"""The benchmark of imports compares each case with a bare interpreter that runs next to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

import pytest

from tests.performance.imports import Case, Figures, figures, in_turns

PYTHON = Path(sys.executable)


def test_a_ratio_is_taken_next_to_its_yardstick_and_the_median_of_all_counts() -> None:
    # The machine was three times slower in the second round.
    assert figures([(20.0, 10.0), (66.0, 30.0), (21.0, 10.0)]) == Figures(21.0, 2.1)


class Scripted(Case):
    """A case that takes what the test says, and reports that it ran."""

    runs: ClassVar[list[str]] = []

    def cpu_ms(self) -> float:
        self.runs.append(self.name)
        return {"pass": 10.0, "much": 25.0}[self.name]


def test_each_case_runs_next_to_the_yardstick_and_the_first_round_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs: list[str] = []
    monkeypatch.setattr(Scripted, "runs", runs)

    measured = in_turns([Scripted(name, PYTHON, "", {}) for name in ("pass", "much")], rounds=2)

    assert measured == {"pass": Figures(10.0, 1.0), "much": Figures(25.0, 2.5)}
    assert runs == ["much", "pass"] * 3


def test_a_case_reports_its_processor_time() -> None:
    assert Case("work", PYTHON, "sum(range(100_000))", {}).cpu_ms() > 0


def test_a_case_that_fails_is_named() -> None:
    with pytest.raises(RuntimeError, match="broken failed"):
        Case("broken", PYTHON, "import no_such_module", {}).cpu_ms()
