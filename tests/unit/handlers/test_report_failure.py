"""Each failure that Step Functions logs becomes an event, and none of them keeps another back."""

import base64
import gzip
import json
from typing import Any

import pytest

from image_converter.errors import InvalidSettings
from image_converter.handlers.report_failure import handler
from tests.support.fake_cloud import recorded
from tests.support.stubs import Stubs

SENT = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
INPUT = {"s3": {"bucket": {"name": "pictures-source"}, "object": {"key": "half a.jpg"}}}


@pytest.fixture
def stubs(stubs: Stubs, monkeypatch: pytest.MonkeyPatch) -> Stubs:
    monkeypatch.setenv("EVENT_BUS", "default")
    monkeypatch.setenv("EVENT_SOURCE", "image-converter")
    return stubs


def logged(*lines: dict[str, Any], kind: str = "DATA_MESSAGE") -> dict[str, Any]:
    """Return what CloudWatch Logs sends to a subscriber."""
    entries = [{"id": "1", "timestamp": 1, "message": json.dumps(line)} for line in lines]
    batch = {"messageType": kind, "logGroup": "group", "logEvents": entries}
    packed = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    return {"awslogs": {"data": packed}}


def line(kind: str, **fields: Any) -> dict[str, Any]:
    """Return the log line of an event of that type."""
    return {**recorded("step_functions_log")[kind], **fields}


def sent(stubs: Stubs) -> list[dict[str, Any]]:
    """Return the details of the events that were sent."""
    entries = [
        entry
        for call in stubs.calls
        if call.operation == "events.PutEvents"
        for entry in call.parameters["Entries"]
    ]
    assert {entry["DetailType"] for entry in entries} <= {"Image Not Converted"}
    return [json.loads(entry["Detail"]) for entry in entries]


def test_a_fail_state_is_reported_with_what_it_was_given(stubs: Stubs) -> None:
    stubs.answer("events", "put_events", SENT)

    handler(logged(line("FailStateEntered"), line("ExecutionFailed")), None)

    assert sent(stubs) == [
        {
            "version": "1",
            "bucket": {"name": "pictures-source"},
            "object": {
                "key": "half a.jpg",
                "size": 100,
                "etag": "0123",
                "version-id": "v1",
                "sequencer": "00AB",
            },
            "execution": line("FailStateEntered")["execution_arn"],
            "error": {"name": "DamagedImage", "message": "it ends early"},
        }
    ]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("ExecutionTimedOut", {"name": "States.Timeout", "message": ""}),
        ("ExecutionAborted", {"name": "ByHand", "message": "not wanted"}),
    ],
)
def test_of_an_execution_that_was_ended_step_functions_knows_the_image(
    stubs: Stubs, kind: str, error: dict[str, str]
) -> None:
    described = {
        "executionArn": line(kind)["execution_arn"],
        "stateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:image-converter",
        "status": "TIMED_OUT",
        "startDate": 0,
        "input": json.dumps(INPUT),
    }
    stubs.answer("stepfunctions", "describe_execution", described)
    stubs.answer("events", "put_events", SENT)

    handler(logged(line(kind)), None)

    [detail] = sent(stubs)
    assert (detail["object"], detail["error"]) == ({"key": "half a.jpg"}, error)


def test_an_express_execution_that_timed_out_is_logged(
    stubs: Stubs, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = line("FailStateEntered")["execution_arn"]

    handler(logged(line("ExecutionTimedOut", execution_arn=arn)), None)

    assert not sent(stubs)
    assert "the log does not say which image failed" in capsys.readouterr().out


def test_a_failure_that_cannot_be_reported_keeps_no_other_back(stubs: Stubs) -> None:
    stubs.refuse("events", "put_events", "InternalException", 500)
    stubs.answer("events", "put_events", SENT)

    with pytest.raises(Exception, match="InternalException"):
        handler(logged(line("FailStateEntered"), line("FailStateEntered", id="6")), None)

    assert len(sent(stubs)) == 2


def test_a_failure_of_no_image_is_logged(stubs: Stubs, capsys: pytest.CaptureFixture[str]) -> None:
    state = json.dumps({"error": {"Error": "InvalidRecord", "Cause": ""}})
    handler(logged(line("FailStateEntered", details={"input": state})), None)
    assert not sent(stubs)
    assert "s3.bucket.name is missing" in capsys.readouterr().out


def test_a_line_that_was_cut_off_is_an_error(stubs: Stubs) -> None:
    with pytest.raises(ValueError, match="delimiter"):
        handler(logged(line("FailStateEntered", details={"input": '{"s3" '})), None)
    assert not sent(stubs)


def test_the_question_whether_anybody_is_there_has_no_failures(stubs: Stubs) -> None:
    handler(logged(line("FailStateEntered"), kind="CONTROL_MESSAGE"), None)
    assert not sent(stubs)


def test_the_bus_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENT_BUS", raising=False)
    with pytest.raises(InvalidSettings, match="EVENT_BUS"):
        handler(logged(line("FailStateEntered")), None)
