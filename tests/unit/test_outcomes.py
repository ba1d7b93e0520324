"""Each failure leaves one log line that names image and error, and marks on the trace."""

import json
from typing import Any

import pytest

from image_converter import events, outcomes, tracing
from image_converter.errors import DamagedImage
from image_converter.events import Record

EVENT = {"s3": {"bucket": {"name": "pictures"}, "object": {"key": "sea.jpg"}}}


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What is put on the trace, with tracing on and no X-Ray there to take it."""
    annotations: list[dict[str, Any]] = []
    monkeypatch.setenv("TRACING", "on")
    monkeypatch.setattr(tracing, "annotate", lambda **values: annotations.append(values))
    return annotations


def call(failure: Exception | None, event: dict[str, Any]) -> str:
    @outcomes.log_outcome
    def handler(_event: Any, _context: object) -> str:
        if failure:
            raise failure
        return "done"

    return handler(event, None)


@pytest.mark.parametrize(
    ("failure", "level"), [(DamagedImage("cut off"), "WARNING"), (OSError("reset"), "ERROR")]
)
def test_a_failure_is_logged_by_name_and_goes_on(
    failure: Exception, level: str, marks: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(type(failure)):
        call(failure, EVENT)

    assert json.loads(capsys.readouterr().out) == {
        "level": level,
        "message": "failed",
        "key": "sea.jpg",
        "error": type(failure).__name__,
        "cause": str(failure),
    }
    assert marks[0]["outcome"] == type(failure).__name__


def test_success_is_marked_and_adds_no_line(
    marks: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(None, EVENT) == "done"

    assert capsys.readouterr().out == ""
    assert marks[0]["bucket"] == "pictures"
    assert marks[0]["outcome"] == "succeeded"
    assert "sea" not in marks[0]["key_hash"], "keys are people's own; the trace has a hash"


def test_an_event_that_is_not_a_record_does_not_hide_its_error(
    marks: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OSError, match="reset"):
        call(OSError("reset"), {})

    assert json.loads(capsys.readouterr().out)["key"] is None
    assert marks == [{"outcome": "OSError"}]


def test_the_seconds_since_the_upload_come_from_the_record() -> None:
    record = Record("pictures", "sea.jpg", event_time="2000-01-01T00:00:00.000Z")
    seconds = events.seconds_since_upload(record)

    assert seconds is not None
    assert seconds > 800_000_000


@pytest.mark.parametrize("time", [None, "", "yesterday", "2000-01-01T00:00:00"])
def test_a_record_that_does_not_say_when_has_no_seconds(time: str | None) -> None:
    assert events.seconds_since_upload(Record("pictures", "sea.jpg", event_time=time)) is None
