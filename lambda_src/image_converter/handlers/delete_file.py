"""DeleteSourceFile: clean the source bucket up, of nothing but what was handled."""

from image_converter import clients, events, log, outcomes, settings, source_cleanup
from image_converter.errors import InvalidRecord
from image_converter.events import Event

clients.warm_up(clients.s3)


@outcomes.log_outcome
def handler(event: Event, context: object) -> dict[str, str]:
    """Delete the record's object from the source bucket, unless a newer upload has taken its place.

    Args:
        event: an execution's state; of a JPEG, with `results.images`.
        context: Lambda's context; not used.

    Returns:
        `status`, `sourceBucket` and `destinationBucket`, as the article prints them.

    Raises:
        InvalidRecord: the state says that a JPEG is to be deleted that was not copied and
            converted.
    """
    destination_bucket = settings.load(settings.DestinationSettings).destination_bucket
    record = events.parse_record(event)
    images = events.converted_images(event)
    if images is None and (event.get("results") or {}).get("fileType") == "jpg":
        raise InvalidRecord(
            f"'{record.key}' is a JPEG that was neither copied nor converted; it stays"
        )
    status = source_cleanup.delete(record, images)
    log.info(status, key=record.key)
    return {
        "status": status,
        "sourceBucket": record.bucket,
        "destinationBucket": destination_bucket,
    }
