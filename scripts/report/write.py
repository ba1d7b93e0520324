"""Write the report's files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scripts.lib.executions.run import Run
from scripts.report import pages
from scripts.report.pages import Row

INDEX = "index.html"


def report(runs: Sequence[Run], directory: Path, title: str) -> Path:
    """Write a page for each run, and a list where there are several; return what to open.

    Args:
        runs: what to report on.
        directory: where to; it is made if need be, and what else is in it stays.
        title: whose executions they are.
    """
    directory.mkdir(parents=True, exist_ok=True)
    rows = [Row(run, _file_name(run)) for run in runs]
    several = len(rows) > 1
    for row in rows:
        page = pages.execution_page(row.run, INDEX if several else None)
        (directory / row.href).write_text(page, encoding="utf-8")
    if not several:
        return directory / rows[0].href
    index = directory / INDEX
    index.write_text(pages.index_page(rows, title), encoding="utf-8")
    return index


def _file_name(run: Run) -> str:
    """Return the page's file name; execution names have at most 80 characters, others may not."""
    return f"{re.sub(r'[^A-Za-z0-9._-]+', '-', run.execution.name)[:100]}.html"
