"""Deleting from the source bucket: only the version that was handled, while it is current."""

from botocore.exceptions import ClientError

from image_converter import clients, sources
from image_converter.errors import SourceNotFound
from image_converter.events import Location, Record
from image_converter.sources import Source, code

DELETED = "Deleted from source bucket"  # the article's words
GONE = "Already deleted from source bucket"
KEPT = "Kept in source bucket: a newer upload has the same key"


def delete(record: Record, original: Location | None) -> str:
    """Delete the record's object and return what became of it.

    The bucket is versioned, so the delete hides the version behind a delete marker and it stays
    recoverable. It is conditional on the ETag, so an upload that arrives between look and delete is
    not hidden.

    Args:
        record: the record that the execution was started with.
        original: the copy that was made of it; None of a file that is no JPEG.

    Raises:
        ClientError: S3 refused.
    """
    try:
        current = sources.head(Record(record.bucket, record.key))
        if not _is_handled(current, record, original or {}):
            return KEPT
        clients.s3().delete_object(
            Bucket=record.bucket, Key=record.key, IfMatch=f'"{current.etag}"'
        )
    except SourceNotFound:
        return GONE
    except ClientError as error:
        if code(error) in ("404", "NoSuchKey"):
            return GONE
        if code(error) in ("412", "PreconditionFailed"):
            return KEPT
        raise
    return DELETED


def _is_handled(current: Source, record: Record, original: Location) -> bool:
    """Tell whether the current version is the one that was handled.

    Where nothing names that one (a person's input with a key only, of a file that is no JPEG), it
    is the current one.
    """
    version = record.version_id or original.get("sourceVersionId")
    etag = record.etag or original.get("sourceETag")
    return version in (None, current.version) and etag in (None, current.etag)
