"""The report's pages: one HTML file per execution, and one that lists them.

A page carries everything that it shows: no script, style, font or image is fetched.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path
from statistics import median

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from scripts.cost.model import Bill
from scripts.lib import text
from scripts.lib.executions.model import NOT_A_JPEG, Execution, Outcome
from scripts.lib.executions.run import Run, times_by_state
from scripts.report import cost, graph, timeline
from scripts.report.graph import Graph

INDEX = "index.html"
# What became of images, the good first.
_KINDS = (
    *("converted", "converted after a retry", NOT_A_JPEG),
    *(Outcome.RUNNING, Outcome.STOPPED, Outcome.TIMED_OUT, Outcome.FAILED),
)
_TEMPLATES = Path(__file__).parent / "templates"
# What a person opens first: what went wrong, or where it is now.
_FIRST = (
    Outcome.TIMED_OUT,
    Outcome.CAUGHT,
    Outcome.FAILED,
    Outcome.RUNNING,
    Outcome.RETRIED,
    Outcome.STOPPED,
)


@dataclass
class Row:
    """A line in the list of executions: the run, and the file with its page."""

    run: Run
    href: str

    @cached_property
    def bill(self) -> Bill:
        """What it cost."""
        return cost.bill(self.run)


def write(runs: Sequence[Run], directory: Path, title: str) -> Path:
    """Write a page for each run, and a list where there are several; return what to open.

    Parameters:
        directory: where to; it is made if need be, and what else is in it stays.
        title: whose executions they are.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = [Row(run, _file_name(run)) for run in runs]
    several = len(rows) > 1
    for row in rows:
        page = execution_page(row.run, INDEX if several else None)
        (directory / row.href).write_text(page, encoding="utf-8")
    if not several:
        return directory / rows[0].href
    index = directory / INDEX
    index.write_text(index_page(rows, title), encoding="utf-8")
    return index


def execution_page(run: Run, index: str | None = None, nonce: str | None = None) -> str:
    """Return the page of one execution.

    Parameters:
        index: the address of the list of executions, for a way back.
        nonce: of the policy under which its scripts are to run, if there is one.
    """
    execution = run.execution
    return template("execution.html.j2").render(
        run=run,
        execution=execution,
        bill=cost.bill(run),
        about_the_bill=cost.about(run),
        graph=graph.of_execution(execution),
        linked=True,
        timeline=timeline.rows(execution),
        ticks=timeline.ticks(execution),
        selected=_first_to_look_at(execution),
        index=index,
        nonce=nonce,
        made=datetime.now(UTC),
    )


def index_page(rows: Sequence[Row], title: str) -> str:
    """Return the list of executions, whose `title` says, the newest first."""
    ordered = sorted(rows, key=lambda row: row.run.execution.started, reverse=True)
    kinds = Counter(row.run.execution.kind for row in ordered)
    examples = {row.run.execution.kind: row.run.execution for row in ordered}
    seconds = [row.run.execution.seconds for row in ordered if row.run.execution.ended]
    return template("index.html.j2").render(
        rows=ordered,
        title=title,
        kinds=[(examples[kind], kinds[kind]) for kind in _KINDS if kind in kinds],
        median=median(seconds) if seconds else None,
        longest=max(seconds, default=None),
        slowest=max((row.run.execution.seconds for row in ordered), default=0) or 1,
        dollars=sum(row.bill.total for row in ordered),
        read=sum(row.run.original_bytes for row in ordered),
        written=sum(row.run.made_bytes for row in ordered),
        times=times_by_state([row.run for row in ordered]),
        retries=sum(row.run.execution.retries for row in ordered),
        places=sorted({row.run.execution.place for row in ordered}),
        nonce=None,
        made=datetime.now(UTC),
    )


def picture(drawn: Graph) -> str:
    """Return a graph alone, as an SVG file."""
    return template("graph.svg.j2").render(graph=drawn, linked=False)


def _file_name(run: Run) -> str:
    """Return the page's file name; execution names have at most 80 characters, others may not."""
    execution = run.execution
    # Of EXPRESS executions several may have the same name, but none the id behind it.
    number = f"-{execution.arn.rpartition(':')[2][:8]}" if execution.is_express else ""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', execution.name)[:100]}{number}.html"


def _first_to_look_at(execution: Execution) -> str:
    for outcome in _FIRST:
        for name, run in execution.states.items():
            if run.outcome is outcome and not execution.machine_state(name).lanes:
                return name
    return execution.machine.start_at


@lru_cache  # templates are compiled once, not once a page
def template(name: str, *folders: Path) -> Template:
    """Return a template of the report, or of another folder, which may include the report's."""
    made = Environment(
        loader=FileSystemLoader([_TEMPLATES, *folders]),
        autoescape=True,  # uploaders choose what is in keys, causes and log lines
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "duration": text.duration,
        "size": text.size,
        "money": text.money,
        "amount": cost.amount,
        "added": text.added,
        "pretty": text.pretty,
        "coloured": text.coloured,
        "trace": text.trace,
        "clock": lambda moment: moment.time().isoformat("milliseconds"),
        "day": lambda moment: f"{moment:%d %b %Y}",
    }
    made.globals |= {
        "anchor": graph.anchor,
        "counted": text.counted,
        "sentence": text.sentence,
        "Outcome": Outcome,
        "utc": lambda moment: moment.astimezone(UTC),
    }
    return made.get_template(name)
