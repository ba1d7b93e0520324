"""What a stack keeps: versions of objects, records in the table, dead letters, log events.

All functions raise BotoCoreError or ClientError where AWS does not answer or refuses.
"""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from scripts.lib import insights
from scripts.lib.aws import Clients

_GONE = {"404", "NoSuchKey", "NoSuchVersion", "NoSuchBucket", "405", "MethodNotAllowed"}
_VERSIONS_OF_A_KEY = 100
# Longer than it takes to look at every message, but short enough to wait for afterwards.
_MESSAGE_HIDDEN_SECONDS = 60


def versions(clients: Clients, bucket: str, key: str | None = None) -> dict[str, list[Any]]:
    """Return a bucket's versions and delete markers by their key, the newest of each first.

    Parameters:
        key: only this key's, a hundred at the most.
    """
    pages = clients.s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket,
        Prefix=key or "",
        PaginationConfig={"PageSize": _VERSIONS_OF_A_KEY} if key else {},
    )
    by_key: dict[str, list[Any]] = {}
    # A key comes before all longer ones that begin with it.
    for page in itertools.islice(pages, 1 if key else None):
        for version in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            if key in (None, version["Key"]):
                by_key.setdefault(str(version["Key"]), []).append(version)
    for listed in by_key.values():
        # Of several in one second S3 lists the newest first, and says which one is the latest.
        listed.sort(key=lambda item: (item["LastModified"], item["IsLatest"]), reverse=True)
    return by_key


def is_object(version: Any) -> bool:
    """Return whether a listed version is an object, and not a delete marker."""
    return "Size" in version


def is_gone(error: ClientError) -> bool:
    """Return whether S3 answered that the object, its version or its bucket is not there."""
    return error.response["Error"]["Code"] in _GONE


def lines(clients: Clients, bucket: str, key: str) -> Iterator[bytes]:
    """Yield the lines of an object, each with its end."""
    body = clients.s3.get_object(Bucket=bucket, Key=key)["Body"]
    with body:
        yield from body.iter_lines(keepends=True)


def record(clients: Clients, table: str, key: str) -> dict[str, Any] | None:
    """Return an image's record as JSON has it, or None."""
    item = clients.dynamodb.get_item(TableName=table, Key={"imageName": {"S": key}}).get("Item")
    return _plain(item) if item else None


def records_of(clients: Clients, table: str, keys: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the records of images that have one, by imageName; of a hundred keys at the most."""
    records: dict[str, dict[str, Any]] = {}
    unprocessed: Any = {table: {"Keys": [{"imageName": {"S": key}} for key in keys]}}
    while unprocessed and keys:
        answer = clients.dynamodb.batch_get_item(RequestItems=unprocessed)
        items = map(_plain, answer["Responses"].get(table, []))
        records |= {item["imageName"]: item for item in items}
        unprocessed = answer.get("UnprocessedKeys")
    return records


def records(clients: Clients, table: str, prefix: str = "") -> Iterator[dict[str, Any]]:
    """Yield the table's records of images whose keys begin so, as JSON has them."""
    pages = clients.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    for page in pages:
        for item in page["Items"]:
            if item["imageName"]["S"].startswith(prefix):
                yield _plain(item)


def queue_url(clients: Clients, name: str) -> str:
    """Return the URL of a queue."""
    return clients.sqs.get_queue_url(QueueName=name)["QueueUrl"]


def message_count(clients: Clients, url: str) -> int:
    """Return about how many messages a queue holds, those that somebody has received included."""
    answer = clients.sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )
    return sum(int(count) for count in answer["Attributes"].values())


def dead_letters(clients: Clients, stack: str) -> Iterator[Any]:
    """Yield each message of a stack's dead-letter queue once.

    Those that are not deleted meanwhile can be received again as soon as all have been yielded.
    """
    url = queue_url(clients, f"{stack}-dead-letters")
    handles: dict[str, str] = {}
    while new := [
        message
        for message in clients.sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_MESSAGE_HIDDEN_SECONDS,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
        if message["MessageId"] not in handles
    ]:
        for message in new:
            handles[message["MessageId"]] = message["ReceiptHandle"]
            yield message
    entries: Iterator[Any] = (
        {"Id": str(number), "ReceiptHandle": handle, "VisibilityTimeout": 0}
        for number, handle in enumerate(handles.values())
    )
    while batch := list(itertools.islice(entries, 10)):
        # For those that were deleted, the answer is that they are not there.
        clients.sqs.change_message_visibility_batch(QueueUrl=url, Entries=batch)


def sent_at(message: Any) -> datetime:
    """Return when a dead letter was sent to the queue, before it became one."""
    return datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)


def log_events(
    clients: Clients, group: str, first: datetime, last: datetime | None = None, pattern: str = ""
) -> list[Any]:
    """Return the events of a log group from one moment to another, or to now.

    Parameters:
        pattern: only those that it fits, in CloudWatch Logs' syntax.
    """
    pages = log_pages(clients, group, first, last, pattern)
    return list(itertools.chain.from_iterable(pages))


def log_pages(
    clients: Clients, group: str, first: datetime, last: datetime | None = None, pattern: str = ""
) -> Iterator[list[Any]]:
    """Yield what `log_events` returns, page by page; pages may be empty."""
    if insights.reads(clients, group):
        yield from insights.pages(clients, group, first, last, pattern)
        return
    options: dict[str, Any] = {"startTime": int(first.timestamp() * 1000)}
    if last:
        options["endTime"] = int(last.timestamp() * 1000)
    if pattern:
        options["filterPattern"] = pattern
    pages = clients.logs.get_paginator("filter_log_events").paginate(logGroupName=group, **options)
    yield from (page["events"] for page in pages)


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    values = {name: deserialize(value) for name, value in item.items()}
    plain: dict[str, Any] = json.loads(json.dumps(values, default=_number))
    return plain


def _number(value: Any) -> int | float:
    """Return DynamoDB's decimal as JSON has numbers."""
    return int(value) if value == int(value) else float(value)
