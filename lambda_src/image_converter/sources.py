"""Reading exactly the version that the record names, never merely its key.

That is an object in the source bucket or, for a reprocess, its copy in the destination bucket. The
copy is the same image: what is made from it is marked as made from the source version.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError, IncompleteReadError, ParamValidationError

from image_converter import clients, s3_errors
from image_converter.errors import InvalidRecord, SourceArchived, SourceChanged, SourceNotFound
from image_converter.events import Record, real_version_id

if TYPE_CHECKING:
    from botocore.response import StreamingBody


class Source(NamedTuple):
    """The version that an execution works on.

    Attributes:
        record: the event record that names it.
        version: its version id, or its ETag if it has no id of its own.
        etag: its entity tag, without quotes.
        size: in bytes.
        last_modified: ISO 8601, UTC, to the second.
        headers: S3's whole answer about the object that is read: content type, ...
    """

    record: Record
    version: str
    etag: str
    size: int
    last_modified: str
    headers: dict[str, Any]

    @property
    def state_fields(self) -> dict[str, Any]:
        """What the location of an object says of the source version that it was made from."""
        return {
            "sourceVersionId": self.version,
            "sourceETag": self.etag,
            "sourceLastModified": self.last_modified,
        }

    @property
    def identity(self) -> str:
        """What distinguishes this object from every other that has, had or will have its key.

        That is its version id, if it has one of its own; otherwise its ETag and its time. Without
        encryption by a KMS key, the same bytes have the same ETag again.
        """
        if self.version != self.etag:
            return self.version
        return f"{self.etag}-{self.last_modified}"

    @property
    def pinned(self) -> Record:
        """The record, naming the version and the ETag even where the event did not."""
        version = self.headers.get("VersionId") or self.record.version_id
        return self.record._replace(version_id=version, etag=self.etag)


def head(record: Record) -> Source:
    """Return what S3 says about the record's object, without reading it.

    Raises:
        SourceNotFound: it is gone.
        SourceChanged: the record names another version.
        InvalidRecord: the record names what S3 cannot have.
    """
    with _translate_errors(record):
        return _source(record, clients.s3().head_object(**_object_params(record)))


def open_body(record: Record) -> "tuple[Source, StreamingBody]":
    """Open the content of the record's object; the caller reads and closes it.

    Raises:
        SourceArchived: it cannot be read before it is restored.
        SourceNotFound, SourceChanged, InvalidRecord: as `head`.
    """
    with _translate_errors(record):
        answer = clients.s3().get_object(**_object_params(record))
    return _source(record, answer), answer["Body"]


def first_bytes(record: Record, count: int) -> bytes:
    """Return at most the first `count` bytes of the record's object.

    A short answer is accepted only if the object really is that short: a JPEG that was mistaken
    for another file would be deleted.

    Raises:
        IncompleteReadError: S3 answered with fewer bytes than there are.
        SourceArchived, SourceNotFound, SourceChanged, InvalidRecord: as `open_body`.
    """
    content = _range(record, count)
    if len(content) < count and (size := head(record).size) > len(content):
        raise IncompleteReadError(actual_bytes=len(content), expected_bytes=min(count, size))
    return content


def _range(record: Record, count: int) -> bytes:
    try:
        with _translate_errors(record):
            answer = clients.s3().get_object(Range=f"bytes=0-{count - 1}", **_object_params(record))
    except ClientError as error:
        if s3_errors.error_code(error) in s3_errors.EMPTY_RANGE:
            return b""  # an empty object has no first byte
        raise
    with answer["Body"] as body:
        return body.read()


@contextmanager
def _translate_errors(record: Record) -> Iterator[None]:
    """Turn S3's errors that no retry can fix into named ones."""
    item = record.copy or record
    where = repr(f"s3://{item.bucket}/{item.key}")
    try:
        yield
    except ParamValidationError as error:
        raise InvalidRecord(f"{where}: {str(error)!r}") from error
    except ClientError as error:
        code = s3_errors.error_code(error)
        if code in s3_errors.GONE:
            version = f" (version {item.version_id!r})" if item.version_id else ""
            raise SourceNotFound(
                f"{where}{version} does not exist: it was deleted before its turn, or the record "
                "names a wrong bucket or key"
            ) from error
        if code in s3_errors.PRECONDITION_FAILED:
            raise SourceChanged(
                f"{where} is not the object with ETag {item.etag!r} that the record names. What "
                "replaced it has an execution of its own; to convert whatever is there now, start "
                "one without eTag, versionId and sequencer in its input"
            ) from error
        if code in s3_errors.MALFORMED:
            raise InvalidRecord(f"{where}: {str(error)!r}") from error
        refuse_archived(record, error)
        raise


def refuse_archived(record: Record, error: ClientError) -> None:
    """Raise a named error if S3's error says that the record's object is archived.

    Raises:
        SourceArchived: it says so.
    """
    if s3_errors.error_code(error) in s3_errors.ARCHIVED:
        item = record.copy or record
        raise SourceArchived(
            f"{f's3://{item.bucket}/{item.key}'!r} is archived: restore it in S3, then redrive "
            "with --all"
        ) from error


def version_param(value: str | None) -> dict[str, Any]:
    """Return the VersionId parameter, or none: S3 refuses an empty one."""
    return {"VersionId": value} if value else {}


def _object_params(record: Record) -> dict[str, Any]:
    """Return the S3 parameters for exactly what the record names."""
    item = record.copy or record
    condition = {"IfMatch": f'"{item.etag}"'} if item.etag else {}
    return {
        "Bucket": item.bucket,
        "Key": item.key,
        **version_param(item.version_id),
        **condition,
    }


def _source(record: Record, answer: Any) -> Source:
    etag, version_id = answer["ETag"].strip('"'), answer.get("VersionId")
    last_modified = answer["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ")
    if record.copy:
        # The headers are the copy's own.
        etag, version_id = record.etag or etag, record.version_id
        last_modified = record.copy.source_last_modified
    return Source(
        record=record,
        version=real_version_id(version_id) or etag,
        etag=etag,
        size=answer["ContentLength"],
        last_modified=last_modified,
        headers=answer,
    )
