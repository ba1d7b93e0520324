"""Writing to the destination bucket, in the order in which images were uploaded.

Notifications arrive more than once and out of order, so the image that an execution is about to
write, or a newer one of the same key, may already be there. Every object written here says in its
metadata which source version it was made from; every write is conditional on the object that was
there before. So the newest image stays the current one, a repeated execution changes nothing, and
what comes too late is kept aside:

    handler ── write(key) ──> put(slot.key, provenance, condition) ───────────────────> written
                                  │               ^  the handler's own COPY or PUT
                                  │ S3 refused    │ no
                                  v               │
                              find_slot ──> already written? ──yes──> the answer as it was

The first slot is the key itself, on the condition that nothing is there. If S3 refuses, `find_slot`
takes the key if an older image of the same key is there, and the fallback key under aside/
otherwise. An object whose key lies where not only the pipeline may write goes aside, too.
"""

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from botocore.exceptions import ClientError, HTTPClientError

from image_converter import clients, keys, s3_errors, settings
from image_converter.errors import InvalidRecord
from image_converter.events import Copy
from image_converter.locations import Location
from image_converter.s3_errors import error_code
from image_converter.sources import Source

_ATTEMPTS = 5

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
MAX_METADATA_BYTES = 2048

_KEY, _VERSION = "source-key-hash", "source-version"
_MODIFIED, _SEQUENCER = "source-modified", "source-sequencer"
_PROVENANCE = (_KEY, _VERSION, _MODIFIED, _SEQUENCER)

Metadata = dict[str, str]
Condition = dict[str, Any]
# Writes the object under the key, with the metadata and on the condition; returns S3's answer
# (ETag, VersionId).
Write = Callable[[str, Metadata, Condition], Any]


class Place(NamedTuple):
    """Where objects are written: a bucket, and the prefix of all their keys."""

    bucket: str
    prefix: str = ""


class Written(NamedTuple):
    """An object in the destination bucket: where it is, and S3's answer about it.

    Attributes:
        metadata: its user metadata, as this or an earlier attempt wrote it.
        repeated: whether an earlier attempt wrote it.
    """

    key: str
    answer: dict[str, Any]
    metadata: Metadata
    repeated: bool


class Slot(NamedTuple):
    """The place in the destination bucket that an object may take.

    Attributes:
        key: its key, without the prefix.
        current: S3's answer about the object that is there now, or None.
    """

    key: str
    current: dict[str, Any] | None


def refuse_unknown_origin(place: Place, source: Source) -> None:
    """Refuse to work on an object in the destination bucket that is not the original it should be.

    The destination bucket has renditions, too: taking one for an upload would make images of
    images. And an original of another image or version would make the record untrue. Where not only
    the pipeline may write, metadata proves nothing.

    Args:
        place: the destination bucket and its prefix.
        source: the object that the record names.

    Raises:
        InvalidRecord: it is in the destination bucket and the input is not a reprocess; or it is
            not the copy of the version that a reprocess names.
    """
    record, copy = source.record, source.record.copy
    if copy is None:
        if record.bucket == place.bucket:
            raise InvalidRecord(
                f"{record.key!r} is in the destination bucket, which gets no uploads: start "
                "`image-converter reprocess` to have its image made again"
            )
        return
    # Without its prefix, which may have been another one when the copy was made.
    _, aside, rest = copy.key.partition(keys.fallback_key("", source.identity))
    is_copy = _is_made_from(aside + rest, source.headers["Metadata"], source)
    is_open = copy.key.startswith(place.prefix + keys.MANIFESTS)
    if copy.bucket != place.bucket or is_open or not is_copy:
        raise InvalidRecord(
            f"{copy.key!r} in {copy.bucket!r} is not the copy of {record.key!r} "
            f"(version {source.version!r}) in the destination bucket"
        )


def in_place(copy: Copy, source: Source) -> Written:
    """Return the original that a reprocess has read, which stays as it is."""
    return Written(copy.key, source.headers, source.headers["Metadata"], repeated=True)


def free_slot(place: Place, key: str, source: Source) -> Slot:
    """Return the slot of a key at which nothing is expected, without a request to check that.

    Raises:
        KeyTooLong: with the prefix, the key would be longer than S3 allows.
    """
    key = _protected(place, key, source)
    keys.prefixed(place.prefix, key)
    return Slot(key, None)


def find_slot(place: Place, key: str, source: Source) -> Slot:
    """Find where an object made from `source` may go, if possible under this key.

    Raises:
        KeyTooLong: with the prefix, the key would be longer than S3 allows.
    """
    key = _protected(place, key, source)
    current = _head(place.bucket, keys.prefixed(place.prefix, key))
    while current is not None and not _may_replace(key, current["Metadata"], source):
        key = keys.fallback_key(key, source.identity, place.prefix)
        current = _head(place.bucket, place.prefix + key)
    return Slot(key, current)


def already_written(place: Place, slot: Slot, source: Source, metadata: Metadata) -> Written | None:
    """Return what an earlier attempt made from the same version with that metadata, if any."""
    if slot.current is None or not _is_made_from(slot.key, slot.current["Metadata"], source):
        return None
    if not metadata.items() <= slot.current["Metadata"].items():
        return None
    key = place.prefix + slot.key
    return Written(key, slot.current, slot.current["Metadata"], repeated=True)


def write(
    place: Place,
    key: str,
    source: Source,
    metadata: Metadata,
    put: Write,
    slot: Slot | None = None,
    settings_metadata: Metadata | None = None,
) -> Written:
    """Write an object made from `source`, unless it is there, and never replace what must stay.

    S3 itself refuses to write over what is there, and only then does a HEAD request show what that
    is. A HEAD costs $0.40 per million and the function's memory until S3 answers, a refused COPY or
    PUT $5.00: a HEAD before each write would be cheaper for the copy if more than one in twelve
    keys were used again, and for the PNG, whose function has more memory, if one in four were.
    Repeated attempts are far fewer.

    Args:
        place: the destination bucket and its prefix.
        key: the key that it should have, without the prefix.
        source: the version it was made from.
        metadata: user metadata, to which this module adds the provenance. If both exceed S3's 2 KB,
            the object goes aside without provenance: there, its key says what it was made from.
        put: writes it.
        slot: what `find_slot` returned for that key, however long ago, if the key is not expected
            to be free. The write is conditional on it: after another writer, S3 refuses, and a new
            slot is found.
        settings_metadata: the part of the metadata that an object of the same version must have to
            count as already written; all of it by default.

    Raises:
        KeyTooLong: with the prefix, the key would be longer than S3 allows.
        ClientError: S3 refused, or other writers won the race for the key again and again.
    """
    metadata = {name: value for name, value in metadata.items() if name not in _PROVENANCE}
    with_provenance = {**metadata, **_provenance(source)}
    if _size(with_provenance) > MAX_METADATA_BYTES:
        key = keys.fallback_key(key, source.identity, place.prefix)
        with_provenance, slot = metadata, None
    required = metadata if settings_metadata is None else settings_metadata
    slot = slot or free_slot(place, key, source)
    for attempt in range(_ATTEMPTS):
        if written := already_written(place, slot, source, required):
            return written
        try:
            answer = put(place.prefix + slot.key, with_provenance, _unchanged(slot))
            return Written(place.prefix + slot.key, answer, with_provenance, repeated=False)
        except ClientError as error:
            if error_code(error) not in s3_errors.LOST_RACE or attempt == _ATTEMPTS - 1:
                raise
            slot = find_slot(place, key, source)
        except HTTPClientError:
            # The answer was lost, and perhaps only the answer: the object may be there.
            slot = find_slot(place, key, source)
            if written := already_written(place, slot, source, required):
                return written
            raise
    raise AssertionError("unreachable: the last attempt returns or raises")


def location(bucket: str, written: Written, source: Source, **fields: Any) -> Location:
    """Return the full location of an object; the state has it shortened: see `locations`."""
    described: dict[str, Any] = {
        "region": settings.region(),
        "bucket": bucket,
        "key": written.key,
        "eTag": written.answer["ETag"].strip('"'),
        **source.state_fields,
        **fields,
    }
    if written.answer.get("VersionId"):
        described["versionId"] = written.answer["VersionId"]
    return cast(Location, described)


def _protected(place: Place, key: str, source: Source) -> str:
    """Return the key, or the fallback key if not only the pipeline may write to that key.

    An object there could be replaced by a forgery with the provenance of the image.
    """
    if key.startswith(keys.MANIFESTS):
        return keys.fallback_key(key, source.identity, place.prefix)
    return key


def _unchanged(slot: Slot) -> Condition:
    """Return S3's condition that the slot still has the object that was found, or none."""
    return {"IfMatch": slot.current["ETag"]} if slot.current else {"IfNoneMatch": "*"}


def _head(bucket: str, key: str) -> dict[str, Any] | None:
    try:
        return dict(clients.s3().head_object(Bucket=bucket, Key=key))
    except ClientError as error:
        if error_code(error) in s3_errors.NOT_FOUND:
            return None
        raise


def _provenance(source: Source) -> Metadata:
    """Return the metadata by which later executions recognise the object."""
    sequencer = source.record.sequencer
    return {**_made_from(source), **({_SEQUENCER: sequencer} if sequencer else {})}


def _made_from(source: Source) -> Metadata:
    """Return the metadata that identifies the source version."""
    return {
        _KEY: keys.fingerprint(source.record.key),
        _VERSION: source.version,
        _MODIFIED: source.last_modified,
    }


def _size(metadata: Metadata) -> int:
    """Return the metadata's size in bytes, as S3 counts it against its limit."""
    return sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())


def _is_made_from(key: str, metadata: Metadata, source: Source) -> bool:
    if _VERSION not in metadata:
        return key.startswith(keys.fallback_key("", source.identity))
    return _made_from(source).items() <= metadata.items()


def _may_replace(key: str, metadata: Metadata, source: Source) -> bool:
    """Return whether the object with that metadata is of the same source key and no newer version.

    Sequencers order the uploads of one key. A record without one (an execution started by hand) is
    ordered by the time at which the source version was created.
    """
    if _is_made_from(key, metadata, source):
        return True
    if metadata.get(_KEY) != keys.fingerprint(source.record.key):
        return False
    present, new = metadata.get(_SEQUENCER), source.record.sequencer
    if present and new:
        return present <= new
    return metadata.get(_MODIFIED, "") <= source.last_modified
