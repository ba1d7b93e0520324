"""Events on the bus: their shape, and that none is lost without an error."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_converter import event_bus, events
from image_converter.errors import EventNotSent, InvalidRecord
from image_converter.event_bus import Bus
from tests.support import fake_cloud
from tests.support.listener import SCHEMA
from tests.support.stubs import Stubs

BUS = Bus("arn:aws:events:eu-central-1:123456789012:event-bus/pictures", "image-converter")
EXECUTION = "arn:aws:states:eu-central-1:123456789012:execution:image-converter:beach-0123"

_LOCATION = {
    "region": "eu-central-1",
    "bucket": "pictures-destination",
    "eTag": "d41d8",
    "versionId": "v2",
    "sourceVersionId": "v1",
    "sourceETag": "0123",
    "sourceLastModified": "2026-01-02T03:04:05Z",
}
ORIGINAL = {**_LOCATION, "key": "beach.jpg", "size": 1000, "contentType": "image/jpeg"}
PNG = {
    **_LOCATION,
    "key": "beach.png",
    "size": 2000,
    "contentType": "image/png",
    "width": 3,
    "height": 2,
}


def execution_input(**item: Any) -> dict[str, Any]:
    """Return the input of an execution."""
    return {"s3": {"bucket": {"name": "pictures-source"}, "object": {"key": "beach.jpg", **item}}}


def state(**item: Any) -> dict[str, Any]:
    """Return the state in which the record is written."""
    images = [{"original": dict(ORIGINAL)}, {"resized": dict(PNG)}]
    return {**execution_input(**item), "results": {"fileType": "jpg", "images": images}}


def check(detail: dict[str, Any], detail_type: str, source: str = "image-converter") -> None:
    """Fail where an event is not as the documented schema says."""
    envelope = {"source": source, "detail-type": detail_type, "detail": detail}
    SCHEMA.validate(envelope)


@pytest.mark.parametrize("item", [{}, {"eTag": "0123", "versionId": "v1", "sequencer": "00AB"}])
def test_a_converted_image_names_the_version_that_was_handled(item: dict[str, str]) -> None:
    detail = event_bus.converted(state(**item), EXECUTION)

    check(detail, event_bus.CONVERTED)
    assert detail["bucket"] == {"name": "pictures-source"}
    sequencer = {"sequencer": "00AB"} if item else {}
    assert detail["object"] == {
        "key": "beach.jpg",
        "size": 1000,
        "etag": "0123",
        "version-id": "v1",
        **sequencer,
    }
    assert (detail["original"], detail["outputs"]) == (ORIGINAL, [PNG])
    assert detail["execution"] == EXECUTION


def test_each_rendition_is_an_output() -> None:
    thumb = {**PNG, "key": "beach-thumb.webp", "name": "thumb", "format": "webp"}
    converted = state()
    converted["results"]["images"][1]["resized"] = {**PNG, "renditions": [thumb]}
    detail = event_bus.converted(converted, EXECUTION)

    check(detail, event_bus.CONVERTED)
    assert detail["outputs"] == [PNG, thumb]


@pytest.mark.parametrize("item", [{}, {"versionId": "null"}])
def test_an_object_without_a_version_of_its_own_has_none(item: dict[str, str]) -> None:
    unversioned = state(eTag="0123", **item)
    for image in unversioned["results"]["images"]:
        next(iter(image.values()))["sourceVersionId"] = "0123"

    detail = event_bus.converted(unversioned, EXECUTION)

    check(detail, event_bus.CONVERTED)
    assert "version-id" not in detail["object"]


def test_a_state_without_images_is_not_a_converted_image() -> None:
    with pytest.raises(InvalidRecord, match=r"beach\.jpg"):
        event_bus.converted(execution_input(), EXECUTION)


@pytest.mark.parametrize(
    ("cause", "message"),
    [
        ('{"errorMessage": "it ends early", "errorType": "DamagedImage"}', "it ends early"),
        ("timed out", "timed out"),
        ("[1]", "[1]"),
        ("", ""),
    ],
)
def test_a_failure_names_the_error_and_its_message(cause: str, message: str) -> None:
    failed = execution_input(**fake_cloud.recorded("s3_created_2_1")["Records"][0]["s3"]["object"])

    detail = event_bus.not_converted(failed, EXECUTION, "DamagedImage", cause)

    check(detail, event_bus.NOT_CONVERTED)
    assert detail["error"] == {"name": "DamagedImage", "message": message}
    assert detail["object"]["version-id"] == events.parse_record(failed).version_id


def test_an_event_is_sent_to_the_bus_in_the_stack_s_name(stubs: Stubs) -> None:
    stubs.answer("events", "put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]})

    event_bus.send(BUS, event_bus.CONVERTED, {"version": "1"})

    [entry] = stubs.parameters("events.PutEvents")["Entries"]
    assert entry == {
        "EventBusName": BUS.name,
        "Source": "image-converter",
        "DetailType": "Image Converted",
        "Detail": '{"version":"1"}',
    }


def test_an_event_that_eventbridge_refuses_is_an_error(stubs: Stubs) -> None:
    refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "too many"}
    stubs.answer("events", "put_events", {"FailedEntryCount": 1, "Entries": [refused]})

    with pytest.raises(EventNotSent, match="ThrottlingException: too many"):
        event_bus.send(BUS, event_bus.CONVERTED, {})


def test_a_request_that_eventbridge_refuses_is_an_error(stubs: Stubs) -> None:
    stubs.refuse("events", "put_events", "InternalException", 500)

    with pytest.raises(ClientError, match="InternalException"):
        event_bus.send(BUS, event_bus.CONVERTED, {})


@pytest.mark.parametrize("left_out", ["version", "bucket", "object", "execution", "error"])
def test_the_schema_needs_each_field(left_out: str) -> None:
    detail = event_bus.not_converted(execution_input(), EXECUTION, "DamagedImage", "")
    del detail[left_out]
    envelope = {"source": "x", "detail-type": event_bus.NOT_CONVERTED, "detail": detail}

    assert not SCHEMA.is_valid(envelope)
