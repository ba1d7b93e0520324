"""What a backfill will find, counted without changing anything.

Whatever asks AWS raises BotoCoreError or ClientError where AWS does not answer or refuses.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from image_converter import keys, reprocessing
from scripts.lib import deployed, storage
from scripts.lib.aws import Clients
from scripts.lib.backfill import manifests
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival

FOLDERS = "folders"
OTHER_KEYS = "outside source_filter"
OTHER_BUCKETS = "in the wrong bucket, which fails a run"
_KEYS_PER_BATCH = 100  # of BatchGetItem
_UNKNOWN_SIZE = -1

# An object as S3's listing or a line of a manifest describes it.
Item = Mapping[str, Any]


@dataclass
class Count:
    """What a backfill finds.

    Attributes:
        images: objects that are to be handled.
        bytes: of these; None where a manifest does not say.
        named_otherwise: how many of these are not named like a JPEG.
        converted: objects whose record describes them already.
        dropped: objects that are not sent, by the reason.
    """

    images: int = 0
    bytes: int | None = 0
    named_otherwise: int = 0
    converted: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


def objects(clients: Clients, execution_input: Mapping[str, Any]) -> Iterator[Item]:
    """Yield the objects that the state machine would find with that input, as S3 names fields.

    Raises:
        UserError: a manifest is an inventory, which is not read here, or is damaged.
    """
    if "manifest" in execution_input:
        yield from manifests.objects(clients, execution_input["manifest"])
        return
    pages = clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=execution_input["bucket"], Prefix=execution_input["prefix"]
    )
    yield from filter(None, pages.search("Contents[]"))


def count(clients: Clients, stack: Deployment, items: Iterable[Item]) -> Count:
    """Count objects, without changing anything."""
    counted = Count()
    candidates = _candidates(clients, stack, items, counted.dropped)
    settings_hash = deployed.settings_hash(deployed.resize_settings(clients, stack))
    while batch := list(itertools.islice(candidates, _KEYS_PER_BATCH)):
        records = storage.records_of(clients, stack.table_name, set(map(_image_name, batch)))
        for item in batch:
            record = records.get(_image_name(item))
            if (
                record
                and _describes(record, item)
                and not reprocessing.is_outdated(record, settings_hash)
            ):
                counted.converted += 1
                continue
            counted.images += 1
            counted.named_otherwise += not keys.is_named_like_a_jpeg(_image_name(item))
            size = item.get("Size")
            counted.bytes = None if counted.bytes is None or size is None else counted.bytes + size
    return counted


def _candidates(
    clients: Clients, stack: Deployment, items: Iterable[Item], dropped: Counter[str]
) -> Iterator[Item]:
    """Yield the objects that are sent, and count the others by the reason."""
    source_filter = arrival.source_filter(clients, stack)
    for item in items:
        is_original = "Reprocess" in item  # sent whatever its key is
        bucket = stack.destination_bucket if is_original else stack.source_bucket
        if item.get("Bucket", bucket) != bucket:
            dropped[OTHER_BUCKETS] += 1
        elif is_original:
            yield item
        elif keys.is_folder(item["Key"], item.get("Size", _UNKNOWN_SIZE)):
            dropped[FOLDERS] += 1
        elif source_filter and not source_filter.accepts(item["Key"]):
            dropped[OTHER_KEYS] += 1
        else:
            yield item


def _image_name(item: Item) -> str:
    """Return the name of the image that an object is, or is the original of."""
    return str(item["Reprocess"]["imageName"] if "Reprocess" in item else item["Key"])


def _describes(record: Mapping[str, Any], item: Item) -> bool:
    """Return whether a record is of exactly that version of an object."""
    if "Reprocess" in item:
        return True  # where it names another original, nothing is started either
    if item.get("VersionId"):
        return bool(record["sourceVersionId"] == item["VersionId"])
    if "ETag" not in item:
        return False
    modified = item["LastModified"].replace(microsecond=0)  # records have whole seconds
    same_time = datetime.fromisoformat(record["sourceLastModified"]) == modified
    return same_time and bool(record["sourceETag"] == item["ETag"].strip('"'))
