"""A new object is the same record, whether S3 or EventBridge brings it."""

import json
from typing import Any

import pytest

from image_converter import events, notifications
from image_converter.errors import InvalidRecord
from tests.support.awkward_keys import AWKWARD_KEYS
from tests.support.fake_cloud import recorded


def eventbridge(**fields: Any) -> dict[str, Any]:
    """Return AWS's sample event with other fields of the object; None leaves one out."""
    event: dict[str, Any] = recorded("s3_eventbridge_created")
    item = {**event["detail"]["object"], **fields}
    event["detail"]["object"] = {name: value for name, value in item.items() if value is not None}
    return event


def test_eventbridge_s_sample_is_the_record_that_s3_would_have_sent() -> None:
    [record] = notifications.records(json.dumps(eventbridge()))
    assert record == {
        "awsRegion": "ca-central-1",
        "eventTime": "2021-11-12T00:00:00Z",
        "s3": {
            "bucket": {"name": "amzn-s3-demo-bucket1"},
            "object": {
                "key": "example-key",
                "size": 5,
                "eTag": "b1946ac92492d2347c6235b4d2611184",
                "versionId": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
                "sequencer": "617f08299329d189",
            },
        },
    }
    parsed = events.parse_record(events.execution_input(record))
    assert parsed.sequencer == "617F08299329D189".ljust(32, "0")
    assert events.seconds_since_upload(parsed) is not None


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_eventbridge_s_keys_are_plain(key: str) -> None:
    [record] = notifications.records(json.dumps(eventbridge(key=key)))
    assert record["s3"]["object"]["key"] == key


def test_an_unversioned_bucket_s_event_names_no_version() -> None:
    event = eventbridge(**{"version-id": None})
    [record] = notifications.records(json.dumps(event))
    assert "versionId" not in record["s3"]["object"]


@pytest.mark.parametrize(
    "kind", ["Object Deleted", "Object Tags Added", "Object Restore Completed"]
)
def test_eventbridge_s_other_events_are_not_new_objects(kind: str) -> None:
    assert notifications.records(json.dumps({**eventbridge(), "detail-type": kind})) == []


@pytest.mark.parametrize("left_out", ["detail", "region", "time", "detail-type"])
def test_an_event_that_lacks_something_is_refused(left_out: str) -> None:
    event = eventbridge()
    del event[left_out]
    with pytest.raises(InvalidRecord):
        notifications.records(json.dumps(event))


@pytest.mark.parametrize("source", ["aws.ec2", "my.application"])
def test_another_service_s_event_is_refused(source: str) -> None:
    with pytest.raises(InvalidRecord):
        notifications.records(json.dumps({**eventbridge(), "source": source}))
