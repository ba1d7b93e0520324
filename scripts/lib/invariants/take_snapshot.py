"""Look at a deployed stack, on AWS or the local one, as a world on which the promise is judged."""

import json
from collections.abc import Iterable
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from image_converter import notifications
from image_converter.errors import InvalidRecord
from image_converter.events import parse_record
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.invariants.snapshot import Run, Stored, Upload, World


def observed(clients: Clients, stack: Deployment, uploads: Iterable[Upload]) -> World:
    """Return what can be seen of a stack that has come to rest, as far as the uploads' keys go.

    Parameters:
        uploads: what was put into the source bucket, which only its uploaders know.
    """
    uploads = list(uploads)
    keys = {upload.key for upload in uploads}
    items = records(clients, stack.table_name)
    return World(
        uploads=uploads,
        source=history(clients, stack.source_bucket),
        destination=history(clients, stack.destination_bucket),
        records={key: item for key, item in items.items() if key in keys},
        runs=[run for run in _runs(clients, stack.state_machine_arn) if run.key in keys],
        dead_letters=frozenset(_dead_letters(clients, f"{stack.name}-dead-letters")),
    )


def history(clients: Clients, bucket: str) -> dict[str, list[Stored]]:
    """Return the versions of a bucket by key, the oldest first."""
    found: dict[str, list[Any]] = {}
    for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for one in [*page.get("Versions", []), *page.get("DeleteMarkers", [])]:
            found.setdefault(one["Key"], []).append(one)
    # Several in a second: the listing has the newest first, and says which one is the latest.
    return {
        key: [_stored(clients, bucket, one) for one in sorted(versions, key=_age)]
        for key, versions in found.items()
    }


def _age(version: Any) -> tuple[Any, bool]:
    return version["LastModified"], version["IsLatest"]


def _stored(clients: Clients, bucket: str, version: Any) -> Stored:
    if "Size" not in version:
        return Stored(version["VersionId"], None)
    answer = clients.s3.get_object(
        Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"]
    )
    with answer["Body"] as body:
        return Stored(version["VersionId"], body.read(), answer["Metadata"])


def records(clients: Clients, table: str) -> dict[str, dict[str, Any]]:
    """Return the table's items by imageName."""
    deserialize = TypeDeserializer().deserialize
    pages = clients.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [
        {name: deserialize(value) for name, value in item.items()}
        for page in pages
        for item in page["Items"]
    ]
    return {item["imageName"]: item for item in items}


def _runs(clients: Clients, state_machine_arn: str) -> list[Run]:
    pages = clients.stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine_arn
    )
    return [_run(clients, one["executionArn"]) for page in pages for one in page["executions"]]


def _run(clients: Clients, arn: str) -> Run:
    told = clients.stepfunctions.describe_execution(executionArn=arn)
    key, version = named(told["input"])
    output = json.loads(told["output"]) if told["status"] == "SUCCEEDED" else {}
    return Run(told["name"], key, version, told["status"], output, told.get("error", ""))


def named(text: str) -> tuple[str, str | None]:
    """Return the key and the version that an execution's input names; no key where it is no record.

    Executions are started by hand too, and with anything.
    """
    try:
        record = parse_record(json.loads(text))
    except InvalidRecord:
        return "", None
    return record.key, record.version_id


def _dead_letters(clients: Clients, queue: str) -> Iterable[tuple[str, str]]:
    """Yield the versions whose notifications are dead letters; they stay where they are."""
    url = clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    seen: dict[str, str] = {}
    while messages := [
        one
        for one in clients.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30
        ).get("Messages", [])
        if one["MessageId"] not in seen
    ]:
        for message in messages:
            seen[message["MessageId"]] = message["ReceiptHandle"]
            try:
                told = notifications.records(message["Body"])
            except InvalidRecord:
                continue
            for record in told:
                item = record["s3"]["object"]
                yield item["key"], item.get("versionId", "")
    for handle in seen.values():
        clients.sqs.change_message_visibility(
            QueueUrl=url, ReceiptHandle=handle, VisibilityTimeout=0
        )
