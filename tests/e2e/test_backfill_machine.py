"""The backfill's state machine as Terraform makes it: listing and manifests become messages."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.lib import wait
from tests.conftest import Deployment
from tests.support import pipeline, workflow

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

PREFIX = "backfill-machine/"
IMAGES = tuple(f"{PREFIX}{year}/{number} ä+.jpg" for year in (2019, 2020) for number in range(24))
FOLDERS = (f"{PREFIX}2019/", f"{PREFIX}2020/")
MANIFESTS = "backfill-manifests/backfill-machine/"


@pytest.fixture(scope="module")
def paused(deployment: Deployment) -> Iterator[Deployment]:
    """The deployment with some fifty objects, whose notifications nobody reads."""
    clients, outputs = deployment.clients, deployment.outputs
    with pipeline.paused(deployment):
        for key in (*IMAGES, *FOLDERS):
            content = b"" if key in FOLDERS else b"\xff\xd8\xff"
            clients.s3.put_object(Bucket=outputs["source_bucket"], Key=key, Body=content)
        _take(deployment, len(IMAGES) + len(FOLDERS))  # the notifications of these uploads
        yield deployment
        for key in (*IMAGES, *FOLDERS):
            clients.s3.delete_object(Bucket=outputs["source_bucket"], Key=key)
        clients.sqs.purge_queue(QueueUrl=outputs["queue_url"])


def _take(deployment: Deployment, count: int) -> list[dict[str, Any]]:
    """Take that many messages off the queue, and no more are there."""
    sqs, url = deployment.clients.sqs, deployment.outputs["queue_url"]
    messages: list[dict[str, Any]] = []

    def receive() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            messages.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return len(messages) >= count

    wait.until(f"{count} messages", receive)
    assert not sqs.receive_message(QueueUrl=url).get("Messages")
    assert len(messages) == count
    return messages


def _run(deployment: Deployment, given: dict[str, Any]) -> dict[str, Any]:
    machine = deployment.outputs["backfill_state_machine_arn"]
    run = workflow.ended(deployment.clients, workflow.started(deployment.clients, machine, given))
    assert run["status"] == "SUCCEEDED", (run.get("error"), run.get("cause"))
    result: dict[str, Any] = json.loads(run["output"])
    return result


def _write(deployment: Deployment, name: str, content: bytes) -> str:
    key = f"{MANIFESTS}{name}"
    deployment.clients.s3.put_object(
        Bucket=deployment.outputs["destination_bucket"], Key=key, Body=content
    )
    return key


def _encoded(key: str) -> str:
    return key.replace("ä", "%C3%A4").replace("+", "%2B").replace(" ", "+")


def _manifest(deployment: Deployment, kind: str) -> str:
    """Write a manifest of all images, and folders, in a format; return its key."""
    source = deployment.outputs["source_bucket"]
    rows = [{"Bucket": source, "Key": key} for key in IMAGES]
    if kind == "JSONL":
        return _write(deployment, "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())
    text = io.StringIO()
    if kind == "CSV":
        writer = csv.DictWriter(text, ["Bucket", "Key", "VersionId"], restval="")
        writer.writeheader()
        writer.writerows(rows)
        return _write(deployment, "rows.csv", text.getvalue().encode())
    listed = csv.writer(text, quoting=csv.QUOTE_ALL)
    listed.writerows((source, _encoded(key), 3) for key in IMAGES)
    listed.writerows((source, _encoded(key), 0) for key in FOLDERS)
    data = _write(deployment, "data.csv.gz", gzip.compress(text.getvalue().encode()))
    manifest = {"fileFormat": "CSV", "fileSchema": "Bucket, Key, Size", "files": [{"key": data}]}
    return _write(deployment, "manifest.json", json.dumps(manifest).encode())


def test_a_prefix_and_every_kind_of_manifest(paused: Deployment) -> None:
    source, destination = (paused.outputs[f"{name}_bucket"] for name in ("source", "destination"))
    runs: dict[str, dict[str, Any]] = {"listing": {"bucket": source, "prefix": PREFIX}} | {
        kind: {
            "manifest": {
                "bucket": destination,
                "key": _manifest(paused, kind),
                "format": kind,
            }
        }
        for kind in ("CSV", "JSONL", "INVENTORY")
    }
    for kind, given in runs.items():
        result = _run(paused, given)
        messages = _take(paused, len(IMAGES))
        assert {m["detail"]["object"]["key"] for m in messages} == set(IMAGES), kind
        assert {m["detail"]["bucket"]["name"] for m in messages} == {source}, kind
        place = result["ResultWriterDetails"]
        assert place["Bucket"] == destination
        assert place["Key"].startswith("backfill/results/")
