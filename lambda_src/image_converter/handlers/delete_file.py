"""DeleteSourceFile: delete exactly what was handled from the source bucket, or keep it."""

from image_converter import (
    clients,
    events,
    layer,
    locations,
    log,
    outcomes,
    settings,
    source_cleanup,
)
from image_converter.errors import InvalidRecord
from image_converter.events import Event, Record
from image_converter.locations import Location
from image_converter.settings import DeleteSettings

clients.warm_up(clients.s3)


@outcomes.log_outcome
def handler(event: Event, context: object) -> dict[str, str]:
    """Delete the record's object from the source bucket, unless a newer upload has taken its place.

    If the settings say keep, no request is sent to S3, and the role may not delete. A reprocess
    has nothing to clean up: nothing in the destination bucket is ever deleted.

    Args:
        event: an execution's state; of a JPEG, with `results.images`.
        context: Lambda's context; not used.

    Returns:
        `status`, `sourceBucket` and `destinationBucket`, as the article prints them.

    Raises:
        InvalidRecord: the state says that a JPEG is to be deleted that was not copied and
            converted.
    """
    layer.check()
    config = settings.load(DeleteSettings)
    record = events.parse_record(event)
    images = locations.converted_images(event)
    if images is None and (event.get("results") or {}).get("fileType") == "jpg":
        raise InvalidRecord(
            f"{record.key!r} is a JPEG that was neither copied nor converted; it stays"
        )
    status = _delete_or_keep(record, images, config)
    log.info(status, key=record.key, versionId=record.version_id)
    return {
        "status": status,
        "sourceBucket": record.bucket,
        "destinationBucket": config.destination_bucket,
    }


def _delete_or_keep(
    record: Record, images: tuple[Location, Location] | None, config: DeleteSettings
) -> str:
    """Return what became of the record's object."""
    if record.copy or record.bucket == config.destination_bucket:
        return source_cleanup.ORIGINAL
    if images is not None and config.source_after == "keep":
        return source_cleanup.SOURCE_AFTER
    if images is None and config.other_types == "keep":
        return source_cleanup.OTHER_TYPES
    return source_cleanup.delete(record, images)
