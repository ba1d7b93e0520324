"""GetFileType: what kind of file is the object, by its bytes?"""

from image_converter import clients, events, file_types, keys, log, outcomes, sources
from image_converter.events import Event

clients.prepare(clients.s3)


@outcomes.reported
def handler(event: Event, context: object) -> str | None:
    """Return `"jpg"` for a JPEG whatever its name says, else another short name or None.

    Args:
        event: an S3 event record.
        context: Lambda's context; not used.

    Raises:
        InvalidRecord, SourceNotFound, SourceChanged: see `image_converter.errors`.
    """
    record = events.parse_record(event)
    found = file_types.identify(sources.first_bytes(record, file_types.BYTES_NEEDED))
    named = keys.extension(record.key)
    # A name alone makes no JPEG: only the bytes may say "jpg", or any text called .jpg would be
    # converted.
    file_type = found or (None if f".{named}" in keys.JPEG_SUFFIXES else named)
    log.info("file type found", key=record.key, fileType=file_type)
    return file_type
