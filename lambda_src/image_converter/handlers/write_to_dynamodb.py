"""WriteToDynamoDb: write down what was made of the image."""

from image_converter import clients, events, layer, log, outcomes, records, settings
from image_converter.events import Event

clients.warm_up(clients.dynamodb)


@outcomes.log_outcome
def handler(event: Event, context: object) -> dict[str, object]:
    """Save the image's record, unless the table already has one of a newer upload.

    Args:
        event: an execution's state with `results.images`.
        context: Lambda's context; not used.

    Returns:
        `status` and `details`, whose `$metadata` has the article's shape.

    Raises:
        InvalidRecord, SourceChanged: see `image_converter.errors`.
    """
    layer.check()
    table = settings.load(settings.TableSettings).table_name
    record = events.parse_record(event)
    saved = records.save(table, records.item(event))
    log.info("record saved" if saved.replaced else "newer record kept", key=record.key)
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
