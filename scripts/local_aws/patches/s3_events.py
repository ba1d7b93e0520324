"""S3: events on the bus name the object's version, as notifications do.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from ministack.services import eventbridge, s3

_VERSION: ContextVar[str | None] = ContextVar("version", default=None)


def install() -> None:
    """Put the version into what goes to EventBridge."""
    fire, dispatch = s3._fire_s3_event, eventbridge._dispatch_event

    def fire_s3_event(*args: Any, **fields: Any) -> None:
        token = _VERSION.set(fields.get("version_id"))
        try:
            fire(*args, **fields)
        finally:
            _VERSION.reset(token)

    def dispatch_event(event: Mapping[str, Any], view: Any = None) -> None:
        version = _VERSION.get()
        if version and event["Source"] == "aws.s3":
            detail = json.loads(event["Detail"])
            detail["object"]["version-id"] = version
            event, view = {**event, "Detail": json.dumps(detail)}, None
        dispatch(event, view)

    s3._fire_s3_event, eventbridge._dispatch_event = fire_s3_event, dispatch_event
