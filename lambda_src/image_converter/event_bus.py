"""Events on an EventBridge bus: one for each image that was converted, and for each that was not.

docs/events.schema.json describes them. They are sent at least once, and several executions may
handle the same version: a consumer that must act only once remembers the object's version.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from image_converter import clients, events, locations
from image_converter.errors import EventNotSent
from image_converter.events import Event

CONVERTED = "Image Converted"
NOT_CONVERTED = "Image Not Converted"

_VERSION = "1"  # of `detail`; fields may be added without a new one


class Bus(NamedTuple):
    """Where events go.

    Attributes:
        name: the bus's name or ARN.
        source: the events' `source`, the stack's name.
    """

    name: str
    source: str


def converted(state: Event, execution: str) -> dict[str, Any]:
    """Return the `detail` of an image that is converted and recorded.

    Args:
        state: the execution's state, with `results.images`.
        execution: the execution's ARN.

    Raises:
        InvalidRecord: the state has no `results.images`.
    """
    original, resized = locations.required_images(state)
    detail = _detail(state, execution)
    # What was handled, even where the input named a key only.
    detail["object"] |= {"size": original["size"], "etag": original["sourceETag"]}
    if original["sourceVersionId"] != original["sourceETag"]:
        detail["object"]["version-id"] = original["sourceVersionId"]
    first = {name: value for name, value in resized.items() if name != "renditions"}
    return {**detail, "original": original, "outputs": [first, *resized.get("renditions", ())]}


def not_converted(state: Event, execution: str, error: str, cause: str) -> dict[str, Any]:
    """Return the `detail` of an image whose execution failed for good.

    Args:
        state: the execution's input, or its state.
        execution: the execution's ARN.
        error: the error's name.
        cause: what Step Functions says of it: of a function, JSON with the message and a trace.

    Raises:
        InvalidRecord: the state does not name a bucket and a key.
    """
    return {**_detail(state, execution), "error": {"name": error, "message": _message(cause)}}


def send(bus: Bus, detail_type: str, detail: Mapping[str, Any]) -> None:
    """Send one event.

    Raises:
        EventNotSent: EventBridge took the request and refused the event.
        ClientError: EventBridge refused the request.
    """
    answer = clients.events().put_events(
        Entries=[
            {
                "EventBusName": bus.name,
                "Source": bus.source,
                "DetailType": detail_type,
                "Detail": json.dumps(detail, separators=(",", ":")),
            }
        ]
    )
    if answer["FailedEntryCount"]:
        refused = answer["Entries"][0]
        raise EventNotSent(
            f"{bus.name} refused the event '{detail_type}': "
            f"{refused.get('ErrorCode')}: {refused.get('ErrorMessage')}"
        )


def _detail(state: Event, execution: str) -> dict[str, Any]:
    record = events.parse_record(state)
    item = state["s3"]["object"]
    described = {
        eventbridge_name: item[name]
        for name, eventbridge_name in events.EVENTBRIDGE_FIELDS.items()
        if item.get(name)
    }
    if events.real_version_id(described.get("version-id")) is None:
        described.pop("version-id", None)  # "null" is not a version, but would be taken for one
    return {
        "version": _VERSION,
        "bucket": {"name": record.bucket},
        "object": described,
        "execution": execution,
    }


def _message(cause: str) -> str:
    """Return the message of a function's error, or the cause as it is."""
    try:
        message = json.loads(cause)["errorMessage"]
    except (ValueError, LookupError, TypeError):
        return cause
    return str(message)
