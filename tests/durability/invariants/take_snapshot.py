"""Read from a deployed stack, on AWS or the local AWS, what the promise is checked by."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from image_converter import notifications
from image_converter.errors import InvalidRecord
from image_converter.events import parse_record
from scripts.lib import storage
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect
from scripts.lib.executions.model import Execution
from tests.durability.invariants.snapshot import ExecutionSummary, Snapshot, Stored, Upload


def observed(clients: Clients, stack: Deployment, uploads: Iterable[Upload]) -> Snapshot:
    """Return what can be seen of a stack at rest, for the keys of the uploads.

    Parameters:
        uploads: what was put into the source bucket, which only its uploaders know.
    """
    uploads = list(uploads)
    keys = {upload.key for upload in uploads}
    records = {item["imageName"]: item for item in storage.records(clients, stack.table_name)}
    source = collect.source(clients, stack)
    runs = [
        _logged(source.execution(run["executionArn"]))
        if stack.express
        else _summary(clients, run["executionArn"])
        for run in source.listed()
    ]
    return Snapshot(
        uploads=uploads,
        source=stored(clients, stack.source_bucket),
        destination=stored(clients, stack.destination_bucket),
        records={key: record for key, record in records.items() if key in keys},
        runs=[run for run in runs if run.key in keys],
        dead_letters=frozenset(_dead_letters(clients, stack.name)),
    )


def stored(clients: Clients, bucket: str) -> dict[str, list[Stored]]:
    """Return the versions of a bucket by key, the oldest first."""
    return {
        key: [_stored(clients, bucket, version) for version in reversed(versions)]
        for key, versions in storage.versions(clients, bucket).items()
    }


def _stored(clients: Clients, bucket: str, version: Any) -> Stored:
    if not storage.is_object(version):
        return Stored(version["VersionId"], None)
    answer = clients.s3.get_object(
        Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"]
    )
    with answer["Body"] as body:
        return Stored(version["VersionId"], body.read(), answer["Metadata"])


def _summary(clients: Clients, arn: str) -> ExecutionSummary:
    described = clients.stepfunctions.describe_execution(executionArn=arn)
    key, version = key_and_version(described["input"])
    output = json.loads(described["output"]) if described["status"] == "SUCCEEDED" else {}
    return ExecutionSummary(
        described["name"], key, version, described["status"], output, described.get("error", "")
    )


def _logged(execution: Execution) -> ExecutionSummary:
    key, version = key_and_version(execution.input)
    return ExecutionSummary(
        execution.name, key, version, execution.status, execution.result, execution.error
    )


def key_and_version(text: str) -> tuple[str, str | None]:
    """Return the key and the version that an execution's input names; no key if it is not a record.

    People start executions by hand, too, with any input.
    """
    try:
        record = parse_record(json.loads(text))
    except InvalidRecord:
        return "", None
    return record.key, record.version_id


def _dead_letters(clients: Clients, stack: str) -> Iterator[tuple[str, str]]:
    """Yield the versions whose notifications are dead letters."""
    for message in storage.dead_letters(clients, stack):
        try:
            described = notifications.records(message["Body"])
        except InvalidRecord:
            continue
        for record in described:
            item = record["s3"]["object"]
            yield item["key"], item.get("versionId", "")
