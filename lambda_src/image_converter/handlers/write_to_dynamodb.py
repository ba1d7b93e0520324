"""WriteToDynamoDb: write the image's record, and send the event that the image is converted."""

import os
from collections.abc import Mapping
from typing import Any

from image_converter import clients, event_bus, events, layer, log, outcomes, records, settings
from image_converter.events import Event
from image_converter.settings import TableSettings

# A stack that sends no events does not pay for their client in each cold start.
clients.warm_up(clients.dynamodb, *([clients.events] if os.environ.get("EVENT_BUS") else []))


def handler(event: Mapping[str, Any], context: object) -> dict[str, object]:
    """Save the image's record, unless the table already has one of a newer upload.

    The event follows the record. If it cannot be sent, the function fails, and its next attempt
    saves the same record again and sends the event.

    Args:
        event: `state`, an execution's state with `results.images`, and, if an event is to be sent,
            `execution`, its ARN; or the state alone, from executions that began before this
            function was updated.
        context: Lambda's context; not used.

    Returns:
        `status` and `details`, whose `$metadata` has the article's shape.

    Raises:
        InvalidRecord, SourceChanged, EventNotSent: see `image_converter.errors`.
    """
    if "state" in event:
        return _write(event["state"], event.get("execution", ""))
    return _write(event, "")


@outcomes.log_outcome
def _write(state: Event, execution: object) -> dict[str, object]:
    layer.check()
    config = settings.load(TableSettings)
    record = events.parse_record(state)
    saved = records.save(config.table_name, records.item(state))
    log.info("record saved" if saved.replaced else "newer record kept", key=record.key)
    if config.event_bus:
        _send_event(config, state, str(execution))
    return {
        "status": "Item saved successfully" if saved.replaced else "Item of a newer upload kept",
        "details": {
            "$metadata": {
                "httpStatusCode": saved.answer["HTTPStatusCode"],
                "requestId": saved.answer["RequestId"],
                "attempts": saved.answer.get("RetryAttempts", 0) + 1,
                "totalRetryDelay": 0,
            }
        },
    }


def _send_event(config: TableSettings, state: Event, execution: str) -> None:
    bus = event_bus.Bus(config.event_bus, config.event_source)
    event_bus.send(bus, event_bus.CONVERTED, event_bus.converted(state, execution))
