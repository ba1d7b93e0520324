"""Deleting from the source bucket: only the version that was handled, while it is current."""

from botocore.exceptions import ClientError

from image_converter import clients, sources
from image_converter.errors import SourceNotFound
from image_converter.events import Location, Record, own_version
from image_converter.sources import code

DELETED = "Deleted from source bucket"  # the article's words
GONE = "Already deleted from source bucket"
KEPT = "Kept in source bucket: a newer upload has the same key"
UNNAMED = "Kept in source bucket: the input names neither versionId nor eTag of what is no JPEG"
UNVERSIONED = (
    "Kept in source bucket: it does not keep versions, so what is no JPEG could not be had again"
)


def delete(record: Record, original: Location | None) -> str:
    """Delete the record's object and return what became of it.

    The delete hides the version behind a delete marker, where it stays recoverable. Of a JPEG there
    is a copy besides; another file is kept where the bucket has no version of it: versioning may be
    suspended, and takes up to 15 minutes to begin:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/manage-versioning-examples.html

    The delete is conditional on the ETag, so an upload that arrives between look and delete is not
    hidden. Without the look, another upload of the same bytes would be hidden at any time where an
    ETag tells the bytes and no more, as it does where no KMS key encrypts.

    Args:
        record: the record that the execution was started with.
        original: the copy that was made of it; None of a file that is no JPEG.

    Raises:
        ClientError: S3 refused.
    """
    version = record.version_id or (original or {}).get("sourceVersionId")
    etag = record.etag or (original or {}).get("sourceETag")
    if version is None and etag is None:
        # A person's input with a key only, of a file that was no JPEG when its type was read: what
        # is there by now may be another upload, and nothing tells them apart.
        return UNNAMED
    try:
        current = sources.head(Record(record.bucket, record.key))
        if version not in (None, current.version) or etag not in (None, current.etag):
            return KEPT
        if original is None and own_version(current.headers.get("VersionId")) is None:
            return UNVERSIONED
        return _delete_current(record, current.etag)
    except SourceNotFound:
        return GONE


def _delete_current(record: Record, etag: str) -> str:
    try:
        clients.s3().delete_object(Bucket=record.bucket, Key=record.key, IfMatch=f'"{etag}"')
    except ClientError as error:
        if code(error) in ("404", "NoSuchKey"):
            return GONE
        if code(error) in ("412", "PreconditionFailed"):
            # Another upload; or nothing, where S3 had deleted it but the answer was lost on its way
            # and the SDK asked again.
            sources.head(Record(record.bucket, record.key))
            return KEPT
        raise
    return DELETED
