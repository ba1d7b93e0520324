"""Reprocessing: which images are outdated, and what is sent to have them made again.

Only the table's record says which object in the destination bucket is the original, whose image
that is, and with which settings its renditions were made; a listing does not. By this module,
`image-converter reprocess` decides what goes into its manifest, and the trigger decides again when
the message comes.
"""

from collections.abc import Mapping
from typing import Any

from image_converter import events, renditions
from image_converter.events import real_version_id
from image_converter.locations import original_of, resized_of

# A record of the table, as plain values.
TableRecord = Mapping[str, Any]


def settings(record: TableRecord) -> str | None:
    """Return what `renditions.settings_hash` said when the record's renditions were made.

    None if that is unknown, because earlier versions wrote records of renditions without their
    settings. What looks like the single PNG of the default counts as that.
    """
    resized = resized_of(record)
    is_png = resized.get("contentType", "image/png") == "image/png"
    is_one_png = is_png and "renditions" not in resized
    return resized.get("settings", renditions.DEFAULT_SETTINGS if is_one_png else None)


def is_outdated(record: TableRecord, wanted: str) -> bool:
    """Return whether a reprocess has something to do for the image of a record.

    Args:
        record: from the table, as plain values (boto3's TypeDeserializer, say).
        wanted: `renditions.settings_hash(renditions.parse(RENDITIONS, PNG_COMPRESSION))`, with both
            from the environment of the stack's `resize_image`; without them, RENDITIONS is "" and
            PNG_COMPRESSION "fast".
    """
    return settings(record) != wanted


def manifest_line(record: TableRecord, wanted: str) -> dict[str, Any]:
    """Return the line of a manifest that has the image of a record reprocessed.

    The trigger looks at the record again, and starts nothing where it does not name this copy any
    more or is no longer outdated. It refuses a `Bucket` other than the stack's destination bucket.

    Args:
        record: as of `is_outdated`.
        wanted: as of `is_outdated`; the line has it for people only, because the trigger's own
            settings decide.
    """
    copy = original_of(record)
    version = real_version_id(copy.get("versionId"))
    return {
        "Bucket": copy["bucket"],
        "Key": copy["key"],
        **({"VersionId": version} if version else {}),
        "Reprocess": {"imageName": record["imageName"], "settings": wanted},
    }


def execution_input(record: TableRecord) -> dict[str, Any]:
    """Return the input of an execution that makes outdated renditions of a record's image again.

    It names the image as its upload did: bucket, key and version of the source, and the sequencer.
    So the new renditions replace those of that upload, and not those of a newer one. `reprocess`
    says where the bytes are.
    """
    copy = original_of(record)
    version, etag = record["sourceVersionId"], record["sourceETag"]
    notified = {
        "eventTime": record.get("uploadedAt"),
        "s3": {
            "bucket": {"name": record["sourceBucket"]},
            "object": {
                "key": record["imageName"],
                "eTag": etag,
                # A version without an id of its own is recorded by its ETag.
                "versionId": version if version != etag else None,
                "sequencer": record.get("sequencer"),
            },
        },
    }
    reprocess = {
        "bucket": copy["bucket"],
        "key": copy["key"],
        "versionId": copy.get("versionId"),
        "eTag": copy["eTag"],
        "sourceLastModified": record["sourceLastModified"],
    }
    return {
        **events.execution_input(notified),
        "reprocess": {name: value for name, value in reprocess.items() if value is not None},
    }
