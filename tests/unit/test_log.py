"""A log line is one JSON object, and the level decides what is written."""

import json
import time
from datetime import UTC, datetime

import pytest

from image_converter import cold_start, log


def test_a_line_is_one_json_object(capsys: pytest.CaptureFixture[str]) -> None:
    log.info("copied", key="a\nb ü.jpg", when=datetime(2024, 1, 2, tzinfo=UTC))
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line) == {
        "level": "INFO",
        "message": "copied",
        "key": "a\nb ü.jpg",
        "when": "2024-01-02 00:00:00+00:00",
    }


@pytest.mark.parametrize(
    ("level", "written"),
    [
        (None, ["INFO", "WARNING", "ERROR"]),
        ("DEBUG", ["INFO", "WARNING", "ERROR"]),
        ("INFO", ["INFO", "WARNING", "ERROR"]),
        ("WARNING", ["WARNING", "ERROR"]),
        ("ERROR", ["ERROR"]),
        ("nonsense", ["INFO", "WARNING", "ERROR"]),
    ],
)
def test_the_level_says_what_is_written(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    level: str | None,
    written: list[str],
) -> None:
    if level is None:
        monkeypatch.delenv("LOG_LEVEL", raising=False)
    else:
        monkeypatch.setenv("LOG_LEVEL", level)
    log.info("one")
    log.warning("two")
    log.error("three")
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line)["level"] for line in lines] == written


def test_on_lambda_a_line_says_how_long_the_invocation_has_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that nobody needs Lambda's own lines for it."""
    monkeypatch.setenv("LAMBDA_TASK_ROOT", "/var/task")
    cold_start.begin()
    cold_start.end()
    times = iter([10.0, 10.0201, 11.5])
    monkeypatch.setattr(time, "perf_counter", lambda: next(times))
    monkeypatch.setattr(log, "_began", None)

    log.begin()
    log.info("one")
    log.info("two")

    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first.pop("coldStartMs") >= 0
    assert first == {"level": "INFO", "message": "one", "ms": 21}
    assert second == {"level": "INFO", "message": "two", "ms": 1500}
