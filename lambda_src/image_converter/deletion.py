"""Deleting from the source bucket: only the version that was handled, while it is current."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_converter import clients
from image_converter.events import Location, Record
from image_converter.sources import code

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

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
        original: the copy that was made of it; says which version that was, where the record does
            not.

    Raises:
        ClientError: S3 refused.
    """
    s3 = clients.s3()
    try:
        current = s3.head_object(Bucket=record.bucket, Key=record.key)
        if not _is_handled(current, record, original):
            return KEPT
        s3.delete_object(Bucket=record.bucket, Key=record.key, IfMatch=current["ETag"])
    except ClientError as error:
        if code(error) in ("404", "NoSuchKey"):
            return GONE
        if code(error) in ("412", "PreconditionFailed"):
            return KEPT
        raise
    return DELETED


def _is_handled(
    current: "HeadObjectOutputTypeDef", record: Record, original: Location | None
) -> bool:
    """Tell whether the current version is the one that the state says was handled."""
    copied: Location = original or {}
    version = record.version_id or copied.get("sourceVersionId")
    etag = record.etag or copied.get("sourceETag")
    same_version = version in (None, current.get("VersionId"), current["ETag"].strip('"'))
    return same_version and etag in (None, current["ETag"].strip('"'))
