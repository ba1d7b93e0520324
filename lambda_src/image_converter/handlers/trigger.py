"""Trigger: start one execution for each notification of a new object in the source bucket."""

from typing import Any

from image_converter import clients, executions, layer, log, notifications, settings
from image_converter.events import Event

clients.warm_up(clients.stepfunctions)


def handler(event: Event, context: object) -> dict[str, list[dict[str, str]]]:
    """Start the executions for a batch of S3 notifications from the queue.

    Args:
        event: an SQS batch whose messages are S3 notifications, test events among them, or those
            of a backfill.
        context: Lambda's context; not used.

    Returns:
        SQS's partial batch response: the messages to deliver again. A bad message does not fail the
        others; after the queue's number of receives it goes to the dead-letter queue.

    Raises:
        InvalidSettings: STATE_MACHINE_ARN is not set.
        LayerMismatch: see `image_converter.layer`; the queue delivers the whole batch again.
    """
    log.begin()
    layer.check()
    state_machine_arn = settings.load(settings.TriggerSettings).state_machine_arn
    failed = [
        {"itemIdentifier": message["messageId"]}
        for message in event["Records"]
        if not _handle(state_machine_arn, message)
    ]
    return {"batchItemFailures": failed}


def _start(state_machine_arn: str, record: Event) -> str:
    if notifications.BACKFILL in record:
        from image_converter import backfill  # noqa: PLC0415 - what it needs, uploads do not

        return backfill.start(state_machine_arn, record)
    started = executions.start(state_machine_arn, record)
    return notifications.STARTED if started else notifications.DUPLICATE


def _handle(state_machine_arn: str, message: dict[str, Any]) -> bool:
    """Start the message's executions; False if it must be delivered again."""
    try:
        for record in notifications.records(message["body"]):
            outcome = _start(state_machine_arn, record)
            key = record.get(notifications.BACKFILL) or record["s3"]["object"]["key"]
            log.info(outcome, key=key)
    except Exception as failure:  # noqa: BLE001 - only this message fails and is delivered again
        log.error("message failed", messageId=message["messageId"], error=repr(failure))
        return False
    return True
