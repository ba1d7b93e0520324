"""S3 notifications as they come out of the queue: from S3 itself, or through EventBridge.

EventBridge brings those of an existing bucket, whose own notifications stay as they are. A backfill
sends what looks like these of objects that it has listed.
"""

import json
from typing import Any

from image_converter import events, keys
from image_converter.errors import InvalidRecord

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
_EVENTBRIDGE_SOURCE = "aws.s3"
_EVENTBRIDGE_CREATED = "Object Created"
_BACKFILL_SOURCE = "image-converter.backfill"
# What became of a notification, as the trigger's log says it. The command `backfill` counts these.
STARTED = "execution started"
DUPLICATE = "duplicate delivery"
# Where a record says that it is of a backfill: the image to reprocess, or None to convert one.
BACKFILL = "backfill"


def records(body: str) -> list[dict[str, Any]]:
    """Return the event records of new objects in a message, their keys decoded.

    This is the one door through which notifications enter, so this is where keys are decoded, and
    an event of EventBridge becomes the record that S3 would have sent. What S3 sends besides (its
    test event, events of another kind) yields no record. Those of a backfill have `BACKFILL`, and
    neither a region nor a time nor a sequencer.

    Args:
        body: the body of an SQS message.

    Raises:
        InvalidRecord: the message is not an S3 notification.
    """
    try:
        message = json.loads(body)
        if message.get("Event") == "s3:TestEvent":
            return []
        if message.get("source") == _EVENTBRIDGE_SOURCE:
            return [_record(message)] if message["detail-type"] == _EVENTBRIDGE_CREATED else []
        if message.get("source") == _BACKFILL_SOURCE:
            return [_listed(message["detail"])]
        created = [
            record
            for record in message["Records"]
            if record["eventName"].startswith("ObjectCreated")
        ]
        return [_decoded(record) for record in created]
    except (ValueError, LookupError, TypeError, AttributeError) as malformed:
        raise InvalidRecord(f"the message is not an S3 notification: {malformed!r}") from malformed


def _record(event: dict[str, Any]) -> dict[str, Any]:
    """Return the record of an event of EventBridge, where keys are plain."""
    item = event["detail"]["object"]
    named = {
        ours: item[theirs] for ours, theirs in events.EVENTBRIDGE_FIELDS.items() if theirs in item
    }
    return {
        "awsRegion": event["region"],
        "eventTime": event["time"],
        "s3": {"bucket": {"name": event["detail"]["bucket"]["name"]}, "object": named},
    }


def _listed(detail: dict[str, Any]) -> dict[str, Any]:
    """Return the record of an object that a backfill has listed, or has read in a manifest."""
    item, reprocess = detail["object"], detail.get("reprocess")
    named = {"key": item["key"], "versionId": item.get("version-id")}
    return {
        "s3": {"bucket": {"name": detail["bucket"]["name"]}, "object": named},
        BACKFILL: str(reprocess["imageName"]) if reprocess is not None else None,
    }


def _decoded(record: dict[str, Any]) -> dict[str, Any]:
    item = record["s3"]["object"]
    item["key"] = keys.decode(item["key"])
    return record
