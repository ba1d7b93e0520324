"""CopyToDestination: keep the original, as it is, in the destination bucket."""

from typing import Any

from botocore.exceptions import ClientError

from image_converter import (
    clients,
    destination,
    events,
    layer,
    locations,
    log,
    outcomes,
    s3_copy,
    settings,
    sources,
)
from image_converter.destination import Condition, Metadata, Place
from image_converter.events import Event
from image_converter.locations import Location

clients.warm_up(clients.s3, clients.s3_copies)


@outcomes.log_outcome
def handler(event: Event, context: object) -> Location:
    """Copy the record's object to the destination bucket and return where it is.

    A reprocess reads the copy itself, which is in place: nothing is written.

    Args:
        event: an S3 event record.
        context: Lambda's context; not used.

    Raises:
        InvalidRecord, SourceArchived, SourceNotFound, SourceChanged: see `image_converter.errors`.
    """
    layer.check()
    place = Place(*settings.load(settings.DestinationSettings))
    record = events.parse_record(event)
    source = sources.head(record)
    destination.refuse_unknown_origin(place, source)

    def put(key: str, metadata: Metadata, condition: Condition) -> Any:
        try:
            return s3_copy.copy(source, place.bucket, key, metadata, condition)
        except ClientError as error:
            # Raises a named error if the source is gone, has changed, or is archived.
            sources.refuse_archived(record, error)
            sources.head(source.pinned)
            raise

    if record.copy:
        written = destination.in_place(record.copy, source)
    else:
        # S3 checks the condition of a copy in parts only at its end.
        in_parts = source.size > s3_copy.MAX_SINGLE_COPY
        slot = destination.find_slot(place, record.key, source) if in_parts else None
        metadata = source.headers["Metadata"]
        written = destination.write(place, record.key, source, metadata, put, slot)
    log.info("copied", key=record.key, destinationKey=written.key, repeated=written.repeated)
    content_type = source.headers.get("ContentType", "binary/octet-stream")
    original = destination.location(
        place.bucket, written, source, size=source.size, contentType=content_type
    )
    return locations.shortened_original(original, record)
