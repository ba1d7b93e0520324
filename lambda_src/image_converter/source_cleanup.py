"""Deleting from the source bucket: only the version that was handled, and only if it is current."""

from botocore.exceptions import ClientError

from image_converter import clients, keys, s3_errors, sources
from image_converter.errors import SourceNotFound
from image_converter.events import Record, real_version_id
from image_converter.locations import Location, source_fields
from image_converter.s3_errors import error_code
from image_converter.sources import Source

DELETED = "Deleted from source bucket"  # the article's words
GONE = "Already deleted from source bucket"
KEPT_IN_SOURCE = "Kept in source bucket"
KEPT = f"{KEPT_IN_SOURCE}: a newer upload has the same key"
UNNAMED = f"{KEPT_IN_SOURCE}: the file is not a JPEG, and the input has neither versionId nor eTag"
FOLDER = f"{KEPT_IN_SOURCE}: a folder, an empty object whose key ends in '/'"
UNVERSIONED = (
    f"{KEPT_IN_SOURCE}: the bucket is not versioned, so a deleted file could not be restored"
)
SOURCE_AFTER = f"{KEPT_IN_SOURCE}: source_after is keep"
ORIGINAL = "Kept in destination bucket: a reprocess deletes nothing"
OTHER_TYPES = f"{KEPT_IN_SOURCE}: other_types is keep"


def why_kept(status: str) -> str:
    """Return why the source was kept, according to what became of it; empty where it was not."""
    kept, _, why = status.partition(": ")
    return why if kept == KEPT_IN_SOURCE else ""


def delete(record: Record, images: tuple[Location, Location] | None) -> str:
    """Delete the record's object and return what became of it.

    A JPEG is deleted only if it is exactly the object that both images say they were made from.
    That is checked here, whatever the record or an earlier step says about it.

    The delete hides the version behind a delete marker, where it stays recoverable. A JPEG has a
    copy as well; another file is kept if the bucket has no version of it: versioning may be
    suspended, and takes up to 15 minutes to take effect:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html

    The delete is conditional on the ETag, so an upload that arrives between check and delete is not
    hidden. Without the check, a later upload of the same bytes could be hidden, because without
    encryption by a KMS key an ETag identifies only the bytes.

    Args:
        record: the record that the execution was started with.
        images: the copy and the PNG that were made from it; None for a file that is not a JPEG.

    Raises:
        ClientError: S3 refused.
    """
    if images is None and real_version_id(record.version_id) is None and record.etag is None:
        # The input, written by a person, has only a key, and the file was not a JPEG when its type
        # was read. By now it may be another upload, and nothing distinguishes the two.
        return UNNAMED
    try:
        current = sources.head(Record(record.bucket, record.key))
        if not _is_named(current, record) or not _is_made_into(images, current):
            return KEPT
        if images is None and keys.is_folder(record.key, current.size):
            return FOLDER
        if images is None and real_version_id(current.headers.get("VersionId")) is None:
            return UNVERSIONED
        return _delete_current(record, current.etag)
    except SourceNotFound:
        return GONE


def _is_named(current: Source, record: Record) -> bool:
    """Return whether the record may name the object that is there now."""
    version = current.headers.get("VersionId") or "null"
    return record.version_id in (None, version) and record.etag in (None, current.etag)


def _is_made_into(images: tuple[Location, ...] | None, current: Source) -> bool:
    """Return whether all images were made from the object that is there now, and no other."""
    return all(source_fields(image) == current.state_fields for image in images or ())


def _delete_current(record: Record, etag: str) -> str:
    try:
        clients.s3().delete_object(Bucket=record.bucket, Key=record.key, IfMatch=f'"{etag}"')
    except ClientError as error:
        if error_code(error) in s3_errors.NOT_FOUND:
            return GONE
        if error_code(error) in s3_errors.PRECONDITION_FAILED:
            # There is another upload; or nothing, if S3 had deleted the object, its answer was lost
            # and the SDK sent the request again.
            sources.head(Record(record.bucket, record.key))
            return KEPT
        raise
    return DELETED
