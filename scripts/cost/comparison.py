"""The designs side by side: this pipeline by both types of workflow, and the article's.

costs.md.j2 shows it as a page, which docs/costs.md is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from scripts.cost import article, backfill, model, pipeline, prices
from scripts.cost.article import ImageMagick
from scripts.cost.model import Bill, Line, gb_seconds
from scripts.cost.observation import LOCAL, Call, Observation
from scripts.cost.pipeline import Settings
from scripts.lib import generated

STANDARD: Final = Settings()
EXPRESS: Final = Settings(workflow_type="EXPRESS")
_TWO_WEBPS: Final = dataclasses.replace(STANDARD, two_webps=True)

_MEMORIES: Final = (128, 192, 256, 512, 1024, 1769, 3538)
_CHANGES: Final = (
    ('workflow_type = "EXPRESS"', EXPRESS),
    (
        "... and state_machine_log_execution_data = false",
        dataclasses.replace(EXPRESS, state_machine_log_execution_data=False),
    ),
    (
        '... or state_machine_log_class = "STANDARD"',
        dataclasses.replace(EXPRESS, state_machine_log_class="STANDARD"),
    ),
    (
        '... or state_machine_log_level = "ERROR"',
        dataclasses.replace(EXPRESS, state_machine_log_level="ERROR"),
    ),
    ('... or system_log_level = "INFO"', dataclasses.replace(EXPRESS, system_log_level="INFO")),
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
    (
        'log_format = "JSON", system_log_level = "WARN"',
        dataclasses.replace(STANDARD, system_log_level="WARN"),
    ),
    ('events = { bus = "default" }', dataclasses.replace(STANDARD, events=True)),
    ('existing_source_bucket = "..."', dataclasses.replace(STANDARD, existing_source_bucket=True)),
    ("renditions = PNG, WebP 1280, WebP 320", _TWO_WEBPS),
)


@dataclass(frozen=True)
class Comparison:
    """All bills for one observation.

    Attributes:
        seen: what they are calculated from.
        engine: what the article's design converts with.
    """

    seen: Observation
    engine: ImageMagick

    @cached_property
    def article(self) -> Bill:
        """The bill of the article's design."""
        return article.bill(self.seen, self.engine)

    @cached_property
    def standard(self) -> Bill:
        """The bill of this pipeline with its defaults."""
        return pipeline.bill(self.seen, STANDARD, "STANDARD")

    @cached_property
    def express(self) -> Bill:
        """The bill of this pipeline with EXPRESS executions."""
        return pipeline.bill(self.seen, EXPRESS, "EXPRESS")

    @property
    def bills(self) -> tuple[Bill, ...]:
        """The bills, the article's first."""
        return self.article, self.standard, self.express

    @property
    def backfilled(self) -> tuple[Bill, ...]:
        """The bills of images that a backfill sends, by both types of workflow."""
        return (
            backfill.bill(self.seen, STANDARD, "STANDARD"),
            backfill.bill(self.seen, EXPRESS, "EXPRESS"),
        )

    @property
    def before_the_usual(self) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
        """The lines of every object that a backfill finds, and those of each that it sends."""
        return backfill.sending(), backfill.looking(self.seen, STANDARD)

    @property
    def changes(self) -> Iterable[tuple[str, float]]:
        """What a million images cost with another setting, by that setting."""
        for label, settings in _CHANGES:
            moves_time = settings.memory_mb or settings.two_webps
            if moves_time and not self.seen.whole_processor:
                continue  # charges do not predict those of another memory size, or of more work
            yield label, pipeline.bill(self.seen, settings, label).per_million

    @property
    def webps_per_month(self) -> float:
        """What storing the further renditions of a million images costs a month: two WebPs."""
        with_webps = pipeline.bill(self.seen, _TWO_WEBPS, "two WebPs").storage
        return model.per_million(with_webps) - model.per_million(self.standard.storage)

    @property
    def calls(self) -> list[tuple[Call, float, float]]:
        """Each call with its milliseconds on Lambda and its GB-seconds, with the defaults."""
        takes = [
            (call, pipeline.milliseconds(call, self.seen, STANDARD)) for call in self.seen.calls
        ]
        return [(call, ms, gb_seconds(call.memory_mb, ms)) for call, ms in takes]

    @property
    def memories(self) -> Iterable[tuple[int, float, float, float, float]]:
        """Memory sizes, and milliseconds and dollars of the copy and the conversion with each."""
        copy, resize = (
            pipeline.by_memory(self.seen, function, _MEMORIES)
            for function in ("copy_file", "resize_image")
        )
        for (memory, copy_ms, copied), (_, ms, converted) in zip(copy, resize, strict=True):
            yield memory, copy_ms, copied, ms, converted

    @property
    def savings(self) -> Iterable[tuple[str, float]]:
        """What each function costs."""
        return pipeline.savings(self.seen, STANDARD)

    @property
    def largest_megapixels(self) -> float:
        """The largest image that the article's design converts."""
        return article.largest_megapixels(self.engine)

    @property
    def articles_png_bytes(self) -> float:
        """The size of the PNG that the article's engine writes."""
        return self.seen.png_bytes * self.engine.size_ratio

    def part(self, bill: Bill) -> float:
        """Return a bill as a part of the article's."""
        return bill.total / self.article.total

    def rows(self, groups: Sequence[tuple[Line, ...]]) -> Iterable[tuple[str, list[str], str]]:
        """Yield a row for each kind of line: what, dollars in each design, what moves it.

        Args:
            groups: the lines of each design, in the order of `bills`.
        """
        by_what = [{line.what: line for line in lines} for lines in groups]
        # Ours first, they have the more lines.
        for what in dict.fromkeys([*by_what[1], *by_what[2], *by_what[0]]):
            lines = [lines.get(what) for lines in by_what]
            settings = {line.setting for line in lines if line and line.setting}
            cells = [f"{line.per_million:.2f}" if line else "" for line in lines]
            yield what, cells, ", ".join(sorted(settings))

    def page(self) -> str:
        """Return the page in Markdown."""
        page = Path(__file__).with_name("costs.md.j2")
        template = generated.template(page, per_million=model.per_million)
        return template.render(
            comparison=self, prices=prices, model=model, backfill=backfill, LOCAL=LOCAL
        )


def compare(seen: Observation, engine: ImageMagick) -> Comparison:
    """Return the bills for images like the observed one."""
    return Comparison(seen, engine)
