"""Each permission of each function is needed: without it, a run of the function is denied.

The local AWS enforces most of them. What it does not enforce stands in NOT_ENFORCED with the reason
why the function has it; together, both lists are exactly what the roles may do.
"""

import base64
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from scripts.lib.functions import FUNCTIONS
from tests.conftest import Deployment
from tests.support import images, permissions, pipeline
from tests.support.permissions import Permission

pytestmark = pytest.mark.e2e

Event = dict[str, Any]

_LOGS = "the function's one way to say what it did; Lambda writes it, not the function's code"
_TRACES = "X-Ray takes traces from functions that are traced, and has no resources to name"
_KEY = "objects, records and messages are encrypted with the stack's key"
_GONE = "only callers that may list the bucket get 404 instead of 403 for what is gone, or free"
_TAGS = "a copy carries the tags along"
_QUEUE = "Lambda reads the queue under the function's role, before the function is called"

NOT_ENFORCED: dict[Permission, str] = {
    **{
        Permission(function, action, resource): reason
        for function in FUNCTIONS
        for action, resource, reason in (
            ("logs:CreateLogStream", f"logs of {function}", _LOGS),
            ("logs:PutLogEvents", f"logs of {function}", _LOGS),
            ("xray:PutTraceSegments", "everything", _TRACES),
            ("xray:PutTelemetryRecords", "everything", _TRACES),
        )
    },
    Permission("upload", "kms:GenerateDataKey", "key"): _KEY,
    Permission("trigger", "kms:Decrypt", "key"): _KEY,
    Permission("trigger", "sqs:DeleteMessage", "queue"): _QUEUE,
    Permission("trigger", "sqs:GetQueueAttributes", "queue"): _QUEUE,
    Permission("trigger", "sqs:ReceiveMessage", "queue"): _QUEUE,
    Permission("get_file_type", "kms:Decrypt", "key"): _KEY,
    Permission("copy_file", "kms:Decrypt", "key"): _KEY,
    Permission("copy_file", "kms:GenerateDataKey", "key"): _KEY,
    Permission("copy_file", "s3:GetObjectTagging", "source objects"): _TAGS,
    Permission("copy_file", "s3:GetObjectVersionTagging", "source objects"): _TAGS,
    Permission("copy_file", "s3:PutObjectTagging", "destination objects"): _TAGS,
    Permission("copy_file", "s3:AbortMultipartUpload", "destination objects"): (
        "a copy of more than 5 GB goes in parts, and leaves none behind when it fails"
    ),
    Permission("resize_image", "kms:Decrypt", "key"): _KEY,
    Permission("resize_image", "kms:GenerateDataKey", "key"): _KEY,
    Permission("write_to_dynamodb", "kms:Decrypt", "key"): _KEY,
    Permission("trigger", "s3:ListBucket", "source"): _GONE,
    Permission("trigger", "s3:ListBucket", "destination"): _GONE,
    Permission("get_file_type", "s3:ListBucket", "source"): _GONE,
    Permission("get_file_type", "s3:ListBucket", "destination"): _GONE,
    Permission("copy_file", "s3:ListBucket", "source"): _GONE,
    Permission("copy_file", "s3:ListBucket", "destination"): _GONE,
    Permission("resize_image", "s3:ListBucket", "source"): _GONE,
    Permission("resize_image", "s3:ListBucket", "destination"): _GONE,
    Permission("delete_file", "s3:ListBucket", "source"): _GONE,
}


@dataclass
class Bench:
    """Calls functions directly, while nothing else of the pipeline runs."""

    deployment: Deployment
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def image(self) -> tuple[str, str]:
        """Put a new image into the source bucket; return its key and its version."""
        key = f"necessary-{next(self._numbers)}.jpg"
        bucket = self.deployment.outputs["source_bucket"]
        stored = self.deployment.clients.s3.put_object(Bucket=bucket, Key=key, Body=images.jpeg())
        return key, stored["VersionId"]

    def record(self, key: str, version: str | None = None) -> Event:
        """Return the record of an object, or of one version of it."""
        item = {"key": key, **({"versionId": version} if version else {})}
        return {
            "s3": {"bucket": {"name": self.deployment.outputs["source_bucket"]}, "object": item}
        }

    def call(self, function: str, event: Event) -> tuple[bool, str]:
        """Call a function; return whether it did its work, and all that it said."""
        answer = self.deployment.clients.functions.invoke(
            FunctionName=self.deployment.outputs["function_names"][function],
            Payload=json.dumps(event),
            LogType="Tail",
        )
        payload = answer["Payload"].read().decode()
        failed = bool(answer.get("FunctionError")) or '"itemIdentifier"' in payload
        return not failed, payload + base64.b64decode(answer.get("LogResult", "")).decode()


def _version(bench: Bench) -> Event:
    return bench.record(*bench.image())


def _newest(bench: Bench) -> Event:
    return bench.record(bench.image()[0])


def _converted(bench: Bench) -> Event:
    """The state of an execution that has copied and converted a version."""
    state = _version(bench)
    copied, converted = (bench.call(name, state) for name in ("copy_file", "resize_image"))
    assert copied[0], copied[1]
    assert converted[0], converted[1]
    decode = json.JSONDecoder().raw_decode
    original, resized = decode(copied[1])[0], decode(converted[1])[0]
    return {**state, "results": {"images": [{"original": original}, {"resized": resized}]}}


def _notification(bench: Bench) -> Event:
    """A batch with the notification of an image that is gone: its execution ends at once."""
    record = bench.record(f"necessary-gone-{next(bench._numbers)}.jpg", "none")
    body = json.dumps({"Records": [{"eventName": "ObjectCreated:Put", **record}]})
    return {"Records": [{"messageId": "1", "body": body}]}


def _listed(bench: Bench, bucket: str, item: Event, **more: Any) -> Event:
    """A batch with the message of a backfill."""
    name = bench.deployment.outputs[f"{bucket}_bucket"]
    message = {
        "source": "image-converter.backfill",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": name}, "object": item, **more},
    }
    return {"Records": [{"messageId": "1", "body": json.dumps(message)}]}


def _found(bench: Bench) -> Event:
    return _listed(bench, "source", {"key": bench.image()[0]})


def _outdated(bench: Bench) -> Event:
    """The message of an original whose record has other settings than the stack."""
    state = _converted(bench)
    recorded = bench.call("write_to_dynamodb", {"state": state, "execution": "arn:any"})
    assert recorded[0], recorded[1]
    outputs, image = bench.deployment.outputs, state["s3"]["object"]["key"]
    bench.deployment.clients.client("dynamodb").update_item(
        TableName=outputs["table_name"],
        Key={"imageName": {"S": image}},
        UpdateExpression="SET images[1].resized.settings = :others",
        ExpressionAttributeValues={":others": {"S": "others"}},
    )
    copy = state["results"]["images"][0]["original"]
    return _listed(
        bench,
        "destination",
        {"key": copy["key"], "version-id": copy["versionId"]},
        reprocess={"imageName": image, "settings": "others"},
    )


def _copy(bench: Bench, *, version: bool = True) -> Event:
    """The input of an execution that reads the original where it was copied to."""
    state = _converted(bench)
    copy = state["results"]["images"][0]["original"]
    copied = {
        name: copy[name]
        for name in ("bucket", "key", "versionId", "eTag")
        if version or name != "versionId"
    }
    source = {"eTag": copy.get("sourceETag"), **state["s3"]["object"]}
    return {
        "s3": {**state["s3"], "object": source},
        "reprocess": {**copied, "sourceLastModified": copy["sourceLastModified"]},
    }


def _newest_copy(bench: Bench) -> Event:
    return _copy(bench, version=False)


def _request(_bench: Bench) -> Event:
    return {
        "requestContext": {"http": {"method": "POST", "path": "/upload"}},
        "queryStringParameters": {"name": "necessary.jpg"},
        "body": base64.b64encode(images.jpeg()).decode(),
        "isBase64Encoded": True,
    }


# For each permission, what to call its function with.
ENFORCED: dict[Permission, Callable[[Bench], Event]] = {
    Permission("upload", "s3:PutObject", "source objects"): _request,
    Permission("trigger", "states:StartExecution", "state machine"): _notification,
    Permission("trigger", "s3:GetObject", "source objects"): _found,
    Permission("trigger", "s3:GetObject", "destination objects"): _outdated,
    Permission("trigger", "dynamodb:GetItem", "table"): _found,
    Permission("get_file_type", "s3:GetObject", "source objects"): _newest,
    Permission("get_file_type", "s3:GetObjectVersion", "source objects"): _version,
    Permission("get_file_type", "s3:GetObject", "destination objects"): _newest_copy,
    Permission("get_file_type", "s3:GetObjectVersion", "destination objects"): _copy,
    Permission("copy_file", "s3:GetObject", "source objects"): _newest,
    Permission("copy_file", "s3:GetObjectVersion", "source objects"): _version,
    Permission("copy_file", "s3:GetObject", "destination objects"): _converted,
    Permission("copy_file", "s3:PutObject", "destination objects"): _version,
    Permission("copy_file", "s3:GetObjectVersion", "destination objects"): _copy,
    Permission("resize_image", "s3:GetObject", "source objects"): _newest,
    Permission("resize_image", "s3:GetObjectVersion", "source objects"): _version,
    Permission("resize_image", "s3:GetObject", "destination objects"): _converted,
    Permission("resize_image", "s3:GetObjectVersion", "destination objects"): _copy,
    Permission("resize_image", "s3:PutObject", "destination objects"): _version,
    Permission("write_to_dynamodb", "dynamodb:PutItem", "table"): _converted,
    Permission("delete_file", "s3:GetObject", "source objects"): _converted,
    Permission("delete_file", "s3:DeleteObject", "source objects"): _converted,
}

_DENIED = ("AccessDenied", "Forbidden", "(403)")


@pytest.fixture(scope="module")
def bench(deployment: Deployment) -> Iterator[Bench]:
    """The functions, and no notification that would also start the pipeline."""
    clients, outputs = deployment.clients, deployment.outputs
    with pipeline.paused(deployment):
        yield Bench(deployment)
        clients.sqs.purge_queue(QueueUrl=outputs["queue_url"])
        for page in clients.s3.get_paginator("list_objects_v2").paginate(
            Bucket=outputs["source_bucket"], Prefix="necessary"
        ):
            for item in page.get("Contents", []):
                clients.s3.delete_object(Bucket=outputs["source_bucket"], Key=item["Key"])


@pytest.mark.parametrize("permission", sorted(ENFORCED), ids=str)
def test_without_the_permission_a_run_is_denied(permission: Permission, bench: Bench) -> None:
    clients = bench.deployment.clients
    arns = {name: arn for arn, name in permissions.names(bench.deployment).items()}
    function_name = bench.deployment.outputs["function_names"][permission.function]
    role = permissions.role_name(clients, function_name)
    policy = permissions.read(clients, role)
    make_event = ENFORCED[permission]
    worked, answer = bench.call(permission.function, make_event(bench))
    assert worked, answer
    event = make_event(bench)

    permissions.write(
        clients, role, permissions.without(policy, permission.action, arns[permission.resource])
    )
    try:
        worked, answer = bench.call(permission.function, event)
    finally:
        permissions.write(clients, role, policy)

    assert not worked, f"it works without {permission}, so it need not have it"
    assert any(word in answer for word in _DENIED), answer


def test_roles_may_do_exactly_what_is_listed(deployment: Deployment) -> None:
    names = permissions.names(deployment)
    # The trigger may use the key through two services, which are two statements.
    permitted = {
        Permission(function, action, names[resource])
        for function, name in deployment.outputs["function_names"].items()
        for action, resource in permissions.pairs(
            permissions.read(deployment.clients, permissions.role_name(deployment.clients, name))
        )
    }
    assert permitted == {*ENFORCED, *NOT_ENFORCED}
    assert not ENFORCED.keys() & NOT_ENFORCED.keys()


def test_only_traces_name_no_resource() -> None:
    """A wildcard stands for every object of one bucket, every stream of one log group, or X-Ray."""
    for permission in [*ENFORCED, *NOT_ENFORCED]:
        assert "*" not in permission.action, permission
        if permission.resource == "everything":
            assert permission.action.startswith("xray:Put"), permission
