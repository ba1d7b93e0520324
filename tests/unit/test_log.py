"""A log line is one JSON object, and the level decides what is written."""

import json
from datetime import UTC, datetime

import pytest

from image_converter import log


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
