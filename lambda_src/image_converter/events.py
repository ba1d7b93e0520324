"""S3 event records as types: what an execution's input and state say of the uploaded object.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from image_converter.errors import InvalidRecord

Event = Mapping[str, Any]

# The fields of an object in a record, and what S3 calls them in its events on an EventBridge bus:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
EVENTBRIDGE_FIELDS = {
    "key": "key",
    "size": "size",
    "eTag": "etag",
    "versionId": "version-id",
    "sequencer": "sequencer",
}

# Sequencers are hex strings of differing length; the shorter one is padded on the right before they
# are compared.
_SEQUENCER_WIDTH = 32

# What an execution's input keeps of a record that S3 sent, besides the bucket's name and the time.
# Each byte of it is logged seventeen times.
_OBJECT_FIELDS = ("key", "eTag", "versionId", "sequencer")
_SEAL_DIGITS = 16


class Copy(NamedTuple):
    """The original in the destination bucket, which a reprocess reads in place of the source.

    Attributes:
        bucket: the destination bucket, as the image's record had it.
        key: the whole key, with any prefix.
        version_id: as `Record.version_id`.
        etag: the copy's own, without quotes.
        source_last_modified: when the source version was created, which the copy's headers do not
            say; ISO 8601, UTC, to the second.
    """

    bucket: str
    key: str
    version_id: str | None
    etag: str
    source_last_modified: str


class Record(NamedTuple):
    """One version of one object in the source bucket, as an S3 event record names it.

    Attributes:
        bucket: the source bucket.
        key: the plain key, not URL-encoded.
        version_id: the object's version, if the record names one; "null" reads the version that
            has no id of its own, but does not distinguish it: see `real_version_id`.
        etag: the object's entity tag without quotes, if the record names one.
        sequencer: orders the records of one key; padded, so that two of them compare as strings.
            None unless the record came from S3 through the queue.
        event_time: when the object was created, ISO 8601.
        copy: what a reprocess reads instead of the source bucket, which may not have the object
            any more, and is left alone.
    """

    bucket: str
    key: str
    version_id: str | None = None
    etag: str | None = None
    sequencer: str | None = None
    event_time: str | None = None
    copy: Copy | None = None


def parse_record(event: Event) -> Record:
    """Return the record in an execution's input or state.

    Raises:
        InvalidRecord: the event does not name a bucket and a key, or a field is not a string.
    """
    etag = _optional(event, "s3.object.eTag")
    sequencer = _optional(event, "s3.object.sequencer")
    record = Record(
        bucket=_required(event, "s3.bucket.name"),
        key=_required(event, "s3.object.key"),
        version_id=_optional(event, "s3.object.versionId"),
        etag=etag.strip('"') if etag else None,
        event_time=_optional(event, "eventTime"),
        copy=_copy(event) if "reprocess" in event else None,
    )
    if sequencer is None or _optional(event, "s3.object.sequencerOf") != _seal(record, sequencer):
        return record
    return record._replace(sequencer=padded_sequencer(sequencer))


def execution_input(notified: Event) -> dict[str, Any]:
    """Return the input of the execution for a record that came from S3 through the queue.

    It has only what the pipeline uses: the rest of a record, such as the uploader's address and
    name, would be kept with the execution, and paid for in its logs. It also seals its sequencer:
    the seal says which object the sequencer belongs to. In another object's input, a sequencer
    would put every later upload of that key aside, for good: AWS's sample event has a high one, and
    people copy and edit inputs. Whoever may start executions can forge the seal, but not by
    accident.

    Raises:
        InvalidRecord: as `parse_record`.
    """
    record = parse_record(notified)
    item = {name: notified["s3"]["object"].get(name) for name in _OBJECT_FIELDS}
    if item["sequencer"]:
        item["sequencerOf"] = _seal(record, item["sequencer"])
    return {
        **({"eventTime": record.event_time} if record.event_time else {}),
        "s3": {
            "bucket": {"name": record.bucket},
            "object": {name: value for name, value in item.items() if value is not None},
        },
    }


def _copy(event: Event) -> Copy:
    # The input must name the source version in full, because what is read is its copy.
    _required(event, "s3.object.eTag")
    return Copy(
        bucket=_required(event, "reprocess.bucket"),
        key=_required(event, "reprocess.key"),
        version_id=_optional(event, "reprocess.versionId"),
        etag=_required(event, "reprocess.eTag").strip('"'),
        source_last_modified=_required(event, "reprocess.sourceLastModified"),
    )


def _seal(record: Record, sequencer: str) -> str:
    sealed = (record.bucket, record.key, record.version_id or "", record.etag or "", sequencer)
    return hashlib.sha256("\0".join(sealed).encode()).hexdigest()[:_SEAL_DIGITS]


def real_version_id(version_id: str | None) -> str | None:
    """Return a version's id, or None where it has none of its own.

    Where versioning is suspended, all uploads of a key have the same one, "null":
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
    """
    return None if version_id == "null" else version_id


def padded_sequencer(sequencer: str | None) -> str | None:
    """Return the sequencer in the one form in which two of them compare as strings.

    Padded on the right with zeros, as AWS describes the comparison:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    return sequencer.upper().ljust(_SEQUENCER_WIDTH, "0") if sequencer else None


def seconds_since_upload(record: Record) -> float | None:
    """Return how long ago the object was created, or None if the record does not say when.

    None for a reprocess, too: nobody has waited for it since the upload.
    """
    if record.copy:
        return None
    try:
        created = datetime.fromisoformat(record.event_time or "")
        return round((datetime.now(UTC) - created).total_seconds(), 3)
    except (ValueError, TypeError):  # no time, or one without a zone
        return None


def _required(event: Event, path: str) -> str:
    text = _optional(event, path)
    if text is None:
        raise InvalidRecord(
            f"{path} is missing: the input must be an S3 event record, at least "
            '{"s3": {"bucket": {"name": ...}, "object": {"key": ...}}}'
        )
    return text


def _optional(event: Event, path: str) -> str | None:
    """Return the string at the dotted path, or None if there is none or an empty one."""
    value: Any = event
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is not None and not isinstance(value, str):
        raise InvalidRecord(f"{path} must be a string, not {value!r}")
    return value or None
