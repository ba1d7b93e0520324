"""GetFileType: read from the bytes which kind of file the object is."""

from image_converter import clients, events, file_types, keys, layer, log, outcomes, sources
from image_converter.errors import UnknownType
from image_converter.events import Event

clients.warm_up(clients.s3)


@outcomes.log_outcome
def handler(event: Event, context: object) -> str | None:
    """Return `"jpg"` for a JPEG, whatever its name says; else another short name or None.

    Args:
        event: an S3 event record.
        context: Lambda's context; not used.

    Raises:
        UnknownType, InvalidRecord, SourceArchived, SourceNotFound, SourceChanged: see
            `image_converter.errors`.
    """
    layer.check()
    record = events.parse_record(event)
    first_bytes = sources.first_bytes(record, file_types.BYTES_NEEDED)
    file_type = file_types.identify(first_bytes)
    if file_type is None and not keys.is_folder(record.key, len(first_bytes)):
        _refuse_what_may_be_a_jpeg(record.key, first_bytes)
        file_type = keys.extension(record.key)
    log.info("file type found", key=record.key, fileType=file_type)
    return file_type


def _refuse_what_may_be_a_jpeg(key: str, first_bytes: bytes) -> None:
    """Fail if the type is unknown and the file may be a JPEG: what succeeds here is deleted.

    A byte order mark, a line break or a MIME header before a photograph makes its type unknown, and
    an upload that breaks off may leave nothing at all.
    """
    if not first_bytes:
        raise UnknownType(f"{key!r} is empty: upload it again")
    begins = f"its first bytes are {first_bytes.hex(' ').upper()}, of no known type"
    if keys.is_named_like_a_jpeg(key):
        raise UnknownType(f"{key!r} is named like a JPEG, but {begins}")
    if first_bytes.startswith(file_types.JPEG_START):
        raise UnknownType(f"{key!r} starts like a JPEG, with FF D8, but {begins}")
