"""S3 notifications as they come out of the queue."""

import json
from typing import Any

from image_converter import keys
from image_converter.errors import InvalidRecord


def records(body: str) -> list[dict[str, Any]]:
    """Return the event records of new objects in a message, their keys decoded.

    This is the one door through which notifications enter, so this is where keys are decoded. What
    S3 sends besides (its test event, events of another kind) yields no record.

    Args:
        body: the body of an SQS message.

    Raises:
        InvalidRecord: the message is not an S3 notification.
    """
    try:
        message = json.loads(body)
        if message.get("Event") == "s3:TestEvent":
            return []
        created = [
            one for one in message["Records"] if one["eventName"].startswith("ObjectCreated")
        ]
        return [_decoded(one) for one in created]
    except (ValueError, LookupError, TypeError, AttributeError) as malformed:
        raise InvalidRecord(f"the message is not an S3 notification: {malformed!r}") from malformed


def _decoded(record: dict[str, Any]) -> dict[str, Any]:
    item = record["s3"]["object"]
    item["key"] = keys.decode(item["key"])
    return record
