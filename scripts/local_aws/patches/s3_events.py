"""S3: events on the bus name the object's version, as notifications do.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

from scripts.local_aws.patches.answers import Call, Json
from scripts.local_aws.patches.around import around

_VERSION: ContextVar[str | None] = ContextVar("version", default=None)


@around(s3._fire_s3_event)
def fire_s3_event(fire: Call, *args: object, **fields: Any) -> None:
    """Remember the version for the event on the bus, which is sent meanwhile."""
    token = _VERSION.set(fields.get("version_id"))
    try:
        fire(*args, **fields)
    finally:
        _VERSION.reset(token)


@around(eventbridge._dispatch_event)
def dispatch_event(dispatch: Call, event: Json, view: object = None) -> None:
    """Put the version into an event of S3's."""
    version = _VERSION.get()
    if version and event["Source"] == "aws.s3":
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = version
        event, view = {**event, "Detail": json.dumps(detail)}, None
    dispatch(event, view)
