"""The designs side by side: this pipeline by both types of workflow, and the article's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from scripts.cost import article, pipeline
from scripts.cost.article import ImageMagick
from scripts.cost.bill import Bill
from scripts.cost.observation import Observation
from scripts.cost.pipeline import Settings

STANDARD: Final = Settings()
EXPRESS: Final = Settings(workflow_type="EXPRESS")

# What is to be reached: at most this part of the article's bill.
GOALS: Final = {"STANDARD": 1.0, "EXPRESS": 0.25}

_CHANGES: Final = (
    ('workflow_type = "EXPRESS"', EXPRESS),
    (
        "... and state_machine_log_execution_data = false",
        dataclasses.replace(EXPRESS, state_machine_log_execution_data=False),
    ),
    (
        '... or state_machine_log_level = "ERROR"',
        dataclasses.replace(EXPRESS, state_machine_log_level="ERROR"),
    ),
    ("make package ARCHITECTURE=x86_64", dataclasses.replace(STANDARD, architecture="x86_64")),
    *(
        (
            f"functions = {{ resize_image = {{ memory_mb = {memory:,} }} }}".replace(",", ""),
            dataclasses.replace(STANDARD, memory_mb={"resize_image": memory}),
        )
        for memory in (1024, 3538)
    ),
    ("tracing = false", dataclasses.replace(STANDARD, tracing=False)),
    ('log_level = "ERROR"', dataclasses.replace(STANDARD, log_level="ERROR")),
)


@dataclass(frozen=True)
class Comparison:
    """All bills for one observation.

    Attributes:
        seen: what they are reckoned from.
        engine: what the article's design converts with.
        article, standard, express: the bills.
        changes: what a million images cost with another setting, by that setting.
    """

    seen: Observation
    engine: ImageMagick
    article: Bill
    standard: Bill
    express: Bill
    changes: tuple[tuple[str, float], ...]

    @property
    def bills(self) -> tuple[Bill, ...]:
        """The bills, the article's first."""
        return self.article, self.standard, self.express

    @property
    def articles_png_bytes(self) -> float:
        """The size of the PNG that the article's engine writes."""
        return self.seen.png_bytes * self.engine.size_ratio

    def part(self, bill: Bill) -> float:
        """Return a bill as a part of the article's."""
        return bill.total / self.article.total


def compare(seen: Observation, engine: ImageMagick) -> Comparison:
    """Return the bills for images like the observed one."""
    return Comparison(
        seen,
        engine,
        article.bill(seen, engine),
        pipeline.bill(seen, STANDARD, "STANDARD"),
        pipeline.bill(seen, EXPRESS, "EXPRESS"),
        tuple(_changes(seen)),
    )


def _changes(seen: Observation) -> Iterable[tuple[str, float]]:
    for label, settings in _CHANGES:
        memory_moves_time = bool(settings.memory_mb)
        if memory_moves_time and not seen.whole_processor:
            continue  # what Lambda charged with one memory does not tell what it would with another
        yield label, pipeline.bill(seen, settings, label).total
