"""Writing to the destination bucket, in the order in which images were uploaded.

Notifications arrive more than once and out of order, so an execution may come to write when a newer
image of the same key is already there, or the same one is. Every object written here
carries, in its metadata, which source version it was made from; every write is conditional on the
object that was there before. So the newest image stays the current one, a repeated execution
changes nothing, and what comes too late is kept aside:

    handler ── write(key) ──> put(slot.key, provenance, condition) ───────────────────> written
                                  │               ^  the handler's own COPY or PUT
                                  │ S3 refused    │ no
                                  v               │
                              find_slot ──> already written? ──yes──> the answer as it was

The first slot is the key itself, on the condition that nothing is there. `find_slot` takes it where
an older image of the same key is there, and else the fallback key under aside/. There goes, too,
what would lie where others than the pipeline may write.
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
    """Where objects are written: a bucket, and what all their keys begin with."""

    bucket: str
    prefix: str = ""


class Written(NamedTuple):
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

    There are renditions beside the originals: to take one for an upload would make images of
    images. And an original of another image or version would make the record untrue. Where others
    than the pipeline may write, metadata proves nothing.

    Args:
        place: the destination bucket and its prefix.
        source: what was found by the record.

    Raises:
        InvalidRecord: it is in the destination bucket and no reprocess names it; or a reprocess
            names what was not copied there from the version that its input names.
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
    """Return the slot of a key at which nothing is expected; no request asks whether that is so.

    Raises:
        KeyTooLong: with the prefix, the key would be longer than S3 allows.
    """
    key = _protected(place, key, source)
    keys.prefixed(place.prefix, key)
    return Slot(key, None)


def find_slot(place: Place, key: str, source: Source) -> Slot:
    """Find where an object made from `source` may go that should have this key.

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
    """Return what an earlier attempt made from this very version with that metadata, if any."""
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
    settings: Metadata | None = None,
) -> Written:
    """Write an object made from `source`, unless it is there, and never replace what must stay.

    Nobody looks first. S3 itself refuses to write over what is there, and only then does a look
    show what that is. A look costs $0.40 per million and the function's memory for as long as S3
    takes to answer, a refused COPY or PUT $5.00: looking first would be cheaper for the copy if
    more than one in twelve keys were used again, for the PNG, whose function has more memory, if
    one in four were. Repeated attempts are far fewer.

    Args:
        place: the destination bucket and its prefix.
        key: the key it should have behind the prefix.
        source: the version it was made from.
        metadata: user metadata, to which this module adds the provenance. Where it fills S3's 2 KB,
            the object goes aside without provenance: there, its key says what it is.
        put: does the writing.
        slot: the slot that was found for that key, however long ago, if it is not expected to be
            free: the write is conditional on it, so where another writer came between, S3 refuses
            and a new slot is found.
        settings: the metadata by which an object of this version is the same one; all of it by
            default.

    Raises:
        KeyTooLong: with the prefix, the key would be longer than S3 allows.
        ClientError: S3 refused, or other writers won the race for the key again and again.
    """
    metadata = {name: value for name, value in metadata.items() if name not in _PROVENANCE}
    with_provenance = {**metadata, **_provenance(source)}
    if _size(with_provenance) > MAX_METADATA_BYTES:
        key = keys.fallback_key(key, source.identity, place.prefix)
        with_provenance, slot = metadata, None
    same = metadata if settings is None else settings
    slot = slot or free_slot(place, key, source)
    for attempt in range(_ATTEMPTS):
        repeated = already_written(place, slot, source, same)
        if repeated:
            return repeated
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
            if repeated := already_written(place, slot, source, same):
                return repeated
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
    """Return the key, or the fallback key where others than the pipeline may write to that key.

    What lies there could be replaced by a forgery with the provenance of the image.
    """
    if key.startswith(keys.MANIFESTS):
        return keys.fallback_key(key, source.identity, place.prefix)
    return key


def _unchanged(slot: Slot) -> Condition:
    """Return S3's condition that what was found is still what is there."""
    return {"IfMatch": slot.current["ETag"]} if slot.current else {"IfNoneMatch": "*"}


def _head(bucket: str, key: str) -> dict[str, Any] | None:
    try:
        return dict(clients.s3().head_object(Bucket=bucket, Key=key))
    except ClientError as error:
        if error_code(error) in s3_errors.NOT_FOUND:
            return None
        raise


def _provenance(source: Source) -> Metadata:
    """Return the metadata by which later executions know the object."""
    sequencer = source.record.sequencer
    return {**_made_from(source), **({_SEQUENCER: sequencer} if sequencer else {})}


def _made_from(source: Source) -> Metadata:
    """Return the metadata that no other object in the source bucket leaves."""
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
    theirs, ours = metadata.get(_SEQUENCER), source.record.sequencer
    if theirs and ours:
        return theirs <= ours
    return metadata.get(_MODIFIED, "") <= source.last_modified
