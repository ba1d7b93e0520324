"""The designs side by side: the article's, and this pipeline by both types of workflow.

costs.md.j2 shows them as a page, which docs/costs.md is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from scripts.cost import article, backfill, model, pipeline, prices
from scripts.cost.model import CONVERTING, Bill, Line, gb_seconds, lines
from scripts.cost.observation import LOCAL, Call, Observation
from scripts.cost.pipeline import EXPRESS, STANDARD, Settings
from scripts.cost.prices import Price
from scripts.lib import generated

_MEMORIES: Final = (128, 192, 256, 512, 1024, 1769, 3538)
_WITH_WEBPS: Final = Settings(webps=2)
_CHANGES: Final = {
    'workflow_type = "EXPRESS"': EXPRESS,
    "... and state_machine_log_execution_data = false": replace(
        EXPRESS, state_machine_log_execution_data=False
    ),
    '... or state_machine_log_class = "STANDARD"': replace(
        EXPRESS, state_machine_log_class="STANDARD"
    ),
    '... or state_machine_log_level = "ERROR"': replace(EXPRESS, state_machine_log_level="ERROR"),
    '... or system_log_level = "INFO"': replace(EXPRESS, system_log_level="INFO"),
    "make package ARCHITECTURE=x86_64": Settings(architecture="x86_64"),
    **{
        f"functions = {{ resize_image = {{ memory_mb = {memory} }} }}": Settings(
            memory_mb={"resize_image": memory}
        )
        for memory in (1024, 3538)
    },
    "tracing = false": Settings(tracing=False),
    'log_level = "ERROR"': Settings(log_level="ERROR"),
    'log_format = "JSON", system_log_level = "WARN"': Settings(system_log_level="WARN"),
    'events = { bus = "default" }': Settings(events=True),
    'existing_source_bucket = "..."': Settings(existing_source_bucket=True),
    "renditions = PNG, WebP 1280, WebP 320": _WITH_WEBPS,
}


class Bills(NamedTuple):
    """The bills of the designs."""

    article: Bill
    standard: Bill
    express: Bill

    @property
    def ours(self) -> tuple[Bill, Bill]:
        """Those of this pipeline."""
        return self.standard, self.express


def bills(seen: Observation) -> Bills:
    """Return the bills for images like the observed one."""
    return Bills(
        article=article.bill(seen),
        standard=pipeline.bill(seen, STANDARD),
        express=pipeline.bill(seen, EXPRESS),
    )


def rows(
    article: Iterable[Line], standard: Iterable[Line], express: Iterable[Line]
) -> Iterator[tuple[str, ...]]:
    """Yield a row for each kind of line that any of the designs has.

    It is what is charged for, the dollars in each design, and the setting that changes them.
    """
    columns = [{line.what: line for line in design} for design in (article, standard, express)]
    of_article, of_standard, of_express = columns
    # Ours first, they have the more lines.
    for what, line in (of_standard | of_express | of_article).items():
        dollars = (f"{of[what].per_million:.2f}" if what in of else "" for of in columns)
        yield what, *dollars, line.setting


def page(seen: Observation) -> str:
    """Return the page in Markdown."""
    file = Path(__file__).with_name("costs.md.j2")
    changed = {
        label: pipeline.bill(seen, settings).per_million
        for label, settings in _CHANGES.items()
        # What was charged does not predict it for another memory size, or for more work.
        if seen.whole_processor or not (settings.memory_mb or settings.webps)
    }
    return generated.template(file, per_million=model.per_million).render(
        seen=seen,
        bills=bills(seen),
        rows=rows,
        with_webps=pipeline.bill(seen, _WITH_WEBPS),
        changed=changed,
        calls=[(call, *_time(seen, call, STANDARD)) for call in seen.calls],
        memories=_memories(seen),
        function_costs=pipeline.function_costs(seen),
        checking=backfill.checking(seen, STANDARD),
        backfilled=[backfill.bill(seen, settings) for settings in (STANDARD, EXPRESS)],
        article=article,
        backfill=backfill,
        model=model,
        prices=prices,
        Price=Price,
        LOCAL=LOCAL,
    )


def _time(seen: Observation, call: Call, settings: Settings) -> tuple[float, Line]:
    """Return the milliseconds of a call on Lambda, and what they are charged."""
    ms = pipeline.milliseconds(call, seen, settings)
    [line] = lines(CONVERTING, {"Function time": gb_seconds(settings.memory(call), ms)})
    return ms, line


def _memories(seen: Observation) -> dict[int, list[tuple[float, Line]]]:
    """Return, by memory, the time of the copy and of the conversion."""
    calls = [call for call in seen.calls if call.function in ("copy_file", "resize_image")]
    return {
        memory: [_time(seen, call, Settings(memory_mb={call.function: memory})) for call in calls]
        for memory in _MEMORIES
    }
