"""S3 notifications as they come out of the queue: from S3 itself, or through EventBridge.

EventBridge sends those of an existing bucket, whose own notifications stay as they are. A backfill
sends messages of the same shape for objects that it has listed.
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
# A field of a backfill's record: the image to reprocess, or None if the object is to be converted.
BACKFILL = "backfill"


def records(body: str) -> list[dict[str, Any]]:
    """Return the event records of new objects in a message, their keys decoded.

    All notifications enter here, so this is where keys are decoded, and where an event from
    EventBridge becomes the record that S3 would have sent. What else S3 sends (its test event,
    events of another kind) yields no record. Records of a backfill have `BACKFILL`, and neither a
    region nor a time nor a sequencer.

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
    """Return the record in an event from EventBridge, where keys are plain."""
    item = event["detail"]["object"]
    described = {
        name: item[eventbridge_name]
        for name, eventbridge_name in events.EVENTBRIDGE_FIELDS.items()
        if eventbridge_name in item
    }
    return {
        "awsRegion": event["region"],
        "eventTime": event["time"],
        "s3": {"bucket": {"name": event["detail"]["bucket"]["name"]}, "object": described},
    }


def _listed(detail: dict[str, Any]) -> dict[str, Any]:
    """Return the record of an object that a backfill has listed, or has read in a manifest."""
    item, reprocess = detail["object"], detail.get("reprocess")
    described = {"key": item["key"], "versionId": item.get("version-id")}
    return {
        "s3": {"bucket": {"name": detail["bucket"]["name"]}, "object": described},
        BACKFILL: str(reprocess["imageName"]) if reprocess is not None else None,
    }


def _decoded(record: dict[str, Any]) -> dict[str, Any]:
    item = record["s3"]["object"]
    item["key"] = keys.decode(item["key"])
    return record
