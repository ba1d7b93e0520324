"""Fixtures of the report's tests."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from scripts.lib.deployed import ExecutionLog
from scripts.lib.executions import definition, history, invocations, logged, thumbnails
from scripts.lib.executions.model import Execution
from scripts.lib.executions.run import InvocationLog, LogLine, Picture, Run
from scripts.report import pages
from tests.support import images, other_pages
from tests.support.recordings import express_lines, record


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window in which nothing may go wrong: no error on the console, no request elsewhere."""
    with other_pages.flawless(browser) as (opened, complaints):
        opened.on(
            "request",
            lambda asked: (
                None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url)
            ),
        )
        yield opened


# Recorded executions whose log lines of an EXPRESS state machine are reported on as well, and what
# that logs of them.
EXPRESS = {
    "express-succeeded": ("succeeded", ExecutionLog("g", "ALL", data=True)),
    "express-damaged": ("damaged", ExecutionLog("g", "ALL", data=True)),
    "express-bare": ("succeeded", ExecutionLog("g", "ALL", data=False)),
    "express-errors": ("damaged", ExecutionLog("g", "ERROR", data=True)),
}


def express(name: str) -> Run:
    """Return an execution as the log of an EXPRESS state machine has it."""
    recorded, log = EXPRESS[name]
    configured = {"level": log.level, "includeExecutionData": log.data}
    lines = express_lines.of_recorded("aws", recorded, configured)
    machine = definition.read(record.load("aws", recorded)["definition"])
    execution = history.of_events(lines[0]["execution_arn"], logged.events(lines), machine)
    execution.not_logged = log.missing
    run = _shown(execution)
    run.notes = [log.missing] if log.missing else []
    return run


def run_of(folder: str, name: str) -> Run:
    """Return a recorded execution as a report shows it, with images and logs that are made up."""
    recorded = record.load(folder, name)
    return _shown(
        history.read(recorded["executionArn"], recorded["events"], recorded["definition"])
    )


def _shown(execution: Execution) -> Run:
    run = Run(execution, invocations=invocations.estimate(execution))
    line = LogLine(execution.started, "WARNING failed: <b>key</b> beach.jpg", "WARNING")
    run.logs = {"ResizeImage": [InvocationLog("", [line] * 15) for _ in range(2)]}
    content = record.jpeg(900, 600)
    png = images.saved(Image.open(io.BytesIO(content)), "PNG")
    original = Picture("Original", "s3://pictures/beach.jpg", len(content), "image/jpeg")
    converted = Picture("PNG", "s3://pictures/beach.png", len(png), "image/png")
    half = content[: len(content) // 2] if execution.error == "DamagedImage" else content
    run.pictures = [
        thumbnails.with_preview(original, half),
        thumbnails.with_preview(converted, png),
    ]
    run.record = {"imageName": execution.key, "fileType": "jpg"}
    return run


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pages of every recorded execution and the list of them."""
    folder = tmp_path_factory.mktemp("report")
    recorded = [(path.parent.name, path.stem) for path in sorted(record.HISTORIES.glob("*/*.json"))]
    pages.write([run_of(*execution) for execution in recorded], folder, "the recordings")
    for execution in recorded:
        target = pages.write([run_of(*execution)], folder / "one", "one")
        target.rename(folder / f"{'-'.join(execution)}.html")
    for name in EXPRESS:
        pages.write([express(name)], folder / "one", "one").rename(folder / f"{name}.html")
    return folder
