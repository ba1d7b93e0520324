"""Backfill: executions for objects that were listed instead of notified, unless they are done.

Its messages come late, more than once, in any order and among those of uploads. So the trigger
checks before it starts anything, and what it starts has the name of the upload's execution. Only
these messages import this module: a trigger that only gets uploads does not pay for it.
"""

from image_converter import events, executions, keys, records, renditions, reprocessing, sources
from image_converter import settings as environment
from image_converter.errors import InvalidRecord, SourceChanged, SourceNotFound
from image_converter.events import Event, Record, real_version_id
from image_converter.locations import Location, original_of
from image_converter.notifications import BACKFILL, DUPLICATE, STARTED
from image_converter.settings import BackfillSettings

# Outcomes in the log that only the messages of a backfill have.
UP_TO_DATE = "up to date: nothing started"
GONE = "gone: nothing started"
REPLACED = "not the current original of this image: nothing started"


def start(arn: str, listed: Event) -> str:
    """Start the execution for a record of a backfill's message, if there is something to do.

    Args:
        arn: the state machine's.
        listed: the record, from `notifications.records`.

    Returns:
        what became of it.

    Raises:
        InvalidRecord: such messages may not name that object.
        InvalidSettings: the stack takes no backfills.
        ClientError: AWS refused; nothing was started.
    """
    config = environment.load(BackfillSettings)
    record, image = events.parse_record(listed), listed[BACKFILL]
    if image is None:
        return _convert(arn, config, record)
    return _reprocess(arn, config, image, record)


def _convert(arn: str, config: BackfillSettings, record: Record) -> str:
    """Start what an upload of the object would have started.

    Where the record says that the object was converted, but with other settings, the name of that
    execution is taken: this one is another step.
    """
    if record.bucket == config.destination_bucket:
        raise InvalidRecord(f"{record.key!r} is in the destination bucket, which gets no uploads")
    identity = real_version_id(record.version_id)
    source_fields: dict[str, object] = {"sourceVersionId": identity}
    if identity is None:
        try:
            source = sources.head(record._replace(version_id=None))
        except SourceNotFound:
            return GONE
        record, identity, source_fields = source.pinned, source.identity, source.state_fields
    table_record = records.find(config.table_name, record.key)
    source_fields["sourceBucket"] = record.bucket
    item = {"key": record.key, "versionId": record.version_id, "eTag": record.etag}
    uploaded_at = None
    if table_record and source_fields.items() <= table_record.items():
        wanted = _wanted(config)
        if not reprocessing.is_outdated(table_record, wanted):
            return UP_TO_DATE
        identity = _step(identity, wanted, table_record)
        item["sequencer"] = table_record.get("sequencer")
        uploaded_at = table_record.get("uploadedAt")
    name = keys.execution_name(record.bucket, record.key, identity)
    notified = {
        "eventTime": uploaded_at,
        "s3": {"bucket": {"name": record.bucket}, "object": item},
    }
    return _start_once(arn, name, events.execution_input(notified))


def _reprocess(arn: str, config: BackfillSettings, image: str, copy: Record) -> str:
    """Start an execution that brings the image's renditions up to date, from its original.

    The message itself is never trusted: the image's record says what its original is, and S3
    whether that is still there. If either names another, there has been a newer upload.
    """
    if copy.bucket != config.destination_bucket:
        raise InvalidRecord(f"{copy.key!r} is not in the destination bucket, where originals are")
    table_record = records.find(config.table_name, image)
    if table_record is None or not _is_same(original_of(table_record), copy):
        return REPLACED
    wanted = _wanted(config)
    if not reprocessing.is_outdated(table_record, wanted):
        return UP_TO_DATE
    original = original_of(table_record)
    try:
        current = sources.head(Record(copy.bucket, copy.key, etag=original["eTag"]))
    except SourceNotFound:
        return GONE
    except SourceChanged:
        return REPLACED
    step = _step(current.identity, wanted, table_record)
    name = keys.execution_name(copy.bucket, copy.key, step)
    return _start_once(arn, name, reprocessing.execution_input(table_record))


def _step(identity: str, wanted: str, table_record: reprocessing.TableRecord) -> str:
    """Return what identifies the step from the record as it is to the wanted settings.

    A step is taken once. Each record that is written begins a new one, so that earlier settings may
    come back.
    """
    return f"{identity}\0{wanted}\0{table_record['writtenAt']}"


def _is_same(original: Location, copy: Record) -> bool:
    """Return whether the message names the original that the record names."""
    version = real_version_id(original.get("versionId"))
    recorded = original["bucket"], original["key"], version
    return recorded == (copy.bucket, copy.key, real_version_id(copy.version_id))


def _start_once(arn: str, name: str, execution_input: Event) -> str:
    return STARTED if executions.start_once(arn, name, execution_input) else DUPLICATE


def _wanted(config: BackfillSettings) -> str:
    return renditions.settings_hash(renditions.parse(config.renditions, config.png_compression))
