"""Writing to the destination bucket, in the order in which images were uploaded.

Notifications arrive more than once and out of order, so an execution may come to write when a newer
image of the same key is already there, or when the very same one is. Every object written here
carries, in its metadata, which source version it was made from; every write is conditional on the
object that was there when this was looked at. So the newest image stays the current one, a repeated
execution changes nothing, and what comes too late is kept aside.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError

from image_converter import clients, keys, settings
from image_converter.events import Location
from image_converter.sources import Source, code

_ATTEMPTS = 5
_LOST_RACE = {"412", "PreconditionFailed", "409", "ConditionalRequestConflict"}

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
MAX_METADATA_BYTES = 2048

Metadata = dict[str, str]
Condition = dict[str, Any]
# Writes the object under the key, with the metadata and on the condition; returns S3's answer
# (ETag, VersionId).
Write = Callable[[str, Metadata, Condition], Any]


@dataclass(frozen=True)
class Written:
    """An object in the destination bucket: where it is, and S3's answer about it.

    Attributes:
        metadata: its user metadata; of an object that was already there, as an earlier attempt
            wrote it.
        repeated: True where an earlier attempt had already written it.
    """

    key: str
    answer: dict[str, Any]
    metadata: Metadata
    repeated: bool


def already_written(bucket: str, key: str, source: Source, facts: Metadata) -> Written | None:
    """Return what an earlier attempt made from this very version with the same facts, if any."""
    for candidate in (key, keys.aside_key(key, source.version)):
        answer = _head(bucket, candidate)
        if answer is None:
            return None  # nothing is put aside while the key itself is free
        if (
            _is_made_from(answer["Metadata"], source)
            and facts.items() <= answer["Metadata"].items()
        ):
            return Written(candidate, answer, answer["Metadata"], repeated=True)
    return None


def write(bucket: str, key: str, source: Source, metadata: Metadata, put: Write) -> Written:
    """Write an object made from `source`, without ever replacing what it must not replace.

    Args:
        bucket: the destination bucket.
        key: the key it should have.
        source: the version it was made from.
        metadata: user metadata to write beside the marks that this module adds.
        put: does the writing.

    Raises:
        ClientError: S3 refused, or other writers won the race for the key again and again.
    """
    marked = _with_marks(metadata, source)
    for attempt in range(_ATTEMPTS):
        current = _head(bucket, key)
        if current is not None and not _may_replace(current["Metadata"], source):
            aside = keys.aside_key(key, source.version)
            return Written(aside, put(aside, marked, {}), marked, repeated=False)
        condition = {"IfNoneMatch": "*"} if current is None else {"IfMatch": current["ETag"]}
        try:
            return Written(key, put(key, marked, condition), marked, repeated=False)
        except ClientError as error:
            if code(error) not in _LOST_RACE or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def location(bucket: str, written: Written, source: Source, **facts: Any) -> Location:
    """Return the object as the state and the record carry it."""
    found: dict[str, Any] = {
        "region": settings.region(),
        "bucket": bucket,
        "key": written.key,
        "eTag": written.answer["ETag"].strip('"'),
        **source.facts,
        **facts,
    }
    if written.answer.get("VersionId"):
        found["versionId"] = written.answer["VersionId"]
    return cast(Location, found)


def _head(bucket: str, key: str) -> dict[str, Any] | None:
    try:
        return dict(clients.s3().head_object(Bucket=bucket, Key=key))
    except ClientError as error:
        if code(error) in ("404", "NoSuchKey"):
            return None
        raise


def _with_marks(metadata: Metadata, source: Source) -> Metadata:
    """Return the metadata with the marks by which later executions know the object.

    A user's own metadata may fill S3's 2 KB; it is the user's and stays, and the object then counts
    as a stranger's.
    """
    marks = {
        "source-key-hash": keys.fingerprint(source.record.key),
        "source-version": source.version,
        "source-modified": source.last_modified,
    }
    if source.record.sequencer:
        marks["source-sequencer"] = source.record.sequencer
    marked = {**metadata, **marks}
    size = sum(len(name) + len(value.encode()) for name, value in marked.items())
    return marked if size <= MAX_METADATA_BYTES else metadata


def _is_made_from(metadata: Metadata, source: Source) -> bool:
    return metadata.get("source-version") == source.version and metadata.get(
        "source-key-hash"
    ) == keys.fingerprint(source.record.key)


def _may_replace(metadata: Metadata, source: Source) -> bool:
    """Tell whether an object with that metadata is of the same key and no newer version.

    Sequencers order the uploads of one key. A record without one (an execution started by hand) is
    ordered by the time at which the source version was created.
    """
    if metadata.get("source-key-hash") != keys.fingerprint(source.record.key):
        return False
    theirs, ours = metadata.get("source-sequencer"), source.record.sequencer
    if theirs and ours:
        return theirs <= ours
    return metadata.get("source-modified", "") <= source.last_modified
