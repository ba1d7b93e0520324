"""S3, DynamoDB, PutEvents and StartExecution as one immutable value, with AWS's conditions.

Both buckets are strongly consistent, so each request happens at one instant. The destination bucket
is versioned, the source bucket may be. Sources:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any, NamedTuple

from boto3.dynamodb.types import TypeDeserializer
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.models.dynamo_type import DynamoType, Item

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

SOURCE = "source-bucket"
DESTINATION = "destination-bucket"
TABLE = "images"
MACHINE = "arn:aws:states:eu-central-1:123456789012:stateMachine:image-converter"

Pairs = tuple[tuple[str, str], ...]


class Version(NamedTuple):
    """A version of an object, or a delete marker where `body` is None.

    Attributes:
        id: "null" where the bucket keeps no versions, as S3 calls it.
        number: how many versions of its key there were before, those no longer kept too.
    """

    id: str
    body: bytes | None
    etag: str = ""
    metadata: Pairs = ()
    content_type: str = "binary/octet-stream"
    created: datetime = CREATED
    number: int = 0

    @property
    def name(self) -> str:
        """What distinguishes it from all others: its id, or else its ETag, with KMS."""
        return self.etag if self.id == "null" else self.id


class Request(NamedTuple):
    """A call of a client, as a value.

    Attributes:
        parameters: the call's, as JSON; bytes as {"base64": ...}.
    """

    service: str
    method: str
    parameters: str

    def get(self) -> Mapping[str, Any]:
        """Return the parameters, which nobody may change."""
        return _parsed(self.parameters)


class Answer(NamedTuple):
    """What comes back: fields, or an error.

    Attributes:
        fields: pairs, as a client returns them but for `Body`, which is bytes, `Item`, which is
            JSON, and `Metadata`.
        error: AWS's error code; "lost" where no answer came.
    """

    fields: tuple[tuple[str, Any], ...] = ()
    error: str = ""
    status: int = 200


LOST = Answer(error="lost", status=0)


def refusal(service: str) -> Answer:
    """Return a transient error of the service, such as the SDK gives up on."""
    codes = {"s3": "SlowDown", "dynamodb": "ThrottlingException"}
    return Answer(error=codes.get(service, "ThrottlingException"), status=503)


class Storage(NamedTuple):
    """Everything that the functions see.

    Attributes:
        objects: the versions of each (bucket, key), the oldest first.
        items: the table's items by name, each as JSON.
        started: the executions' names and inputs.
        etags_are_md5: as with SSE-S3; with KMS, which is what is deployed, each upload has its own.
        seconds_pass: whether two uploads of a key are made in different seconds. S3's times are no
            more precise, so that two uploads within a second have the same time.
        marker_answer: the error of a conditional delete whose current version is a delete marker,
            which AWS leaves open.
        versioning: the source bucket's: "Enabled", "Suspended", or "" if it never was enabled.
        events: keys and versions of the images that events on the bus say are converted.
        event_contents: what those events say, except for the execution, as JSON.
        express: whether each start is an execution, whatever its name is.
    """

    objects: tuple[tuple[tuple[str, str], tuple[Version, ...]], ...] = ()
    items: Pairs = ()
    started: Pairs = ()
    closed: frozenset[str] = frozenset()
    etags_are_md5: bool = False
    seconds_pass: bool = False
    marker_answer: str = "PreconditionFailed"
    versioning: str = "Enabled"
    events: frozenset[tuple[str, str]] = frozenset()
    event_contents: frozenset[str] = frozenset()
    express: bool = False

    def history(self, bucket: str, key: str) -> tuple[Version, ...]:
        """Return the versions of a key, the oldest first."""
        return next((history for name, history in self.objects if name == (bucket, key)), ())

    def current(self, bucket: str, key: str) -> Version | None:
        """Return the current version, or None where there is none or a delete marker."""
        history = self.history(bucket, key)
        return history[-1] if history and history[-1].body is not None else None

    def put(
        self,
        bucket: str,
        key: str,
        body: bytes | None,
        metadata: Pairs = (),
        content_type: str = "binary/octet-stream",
    ) -> "tuple[Storage, Version]":
        """Add a version, or a delete marker where `body` is None."""
        history = self.history(bucket, key)
        number = history[-1].number + 1 if history else 0
        # Named by its place in the history of its key, so that writes to different keys commute.
        version = hashlib.sha256(f"{bucket}/{key}/{number}".encode()).hexdigest()[:16]
        etag = ""
        if body is not None:
            marked = body if self.etags_are_md5 else body + version.encode()
            etag = hashlib.md5(marked, usedforsecurity=False).hexdigest()
        # What is made of an upload never has its time.
        created = CREATED + timedelta(hours=bucket != SOURCE)
        created += timedelta(seconds=number if self.seconds_pass else 0)
        if bucket == SOURCE and self.versioning != "Enabled":
            version, history = "null", tuple(kept for kept in history if kept.id != "null")
        new = Version(version, body, etag, metadata, content_type, created, number)
        objects = dict(self.objects) | {(bucket, key): (*history, new)}
        return self._replace(objects=tuple(sorted(objects.items()))), new


NOTHING = Storage()


@lru_cache(maxsize=100_000)
def perform(storage: Storage, request: Request) -> tuple[Storage, Answer]:
    """Return the storage after a request, and the request's answer."""
    operation = _OPERATIONS[request.service, request.method]
    return operation(storage, request.get())


def plain_item(item: str) -> dict[str, Any]:
    """Return a table's item with plain values."""
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in json.loads(item).items()}


def request(service: str, method: str, parameters: Mapping[str, Any]) -> Request:
    """Return a client's call as a value."""
    return Request(service, method, json.dumps(parameters, default=_as_base64, sort_keys=True))


@cache
def _parsed(parameters: str) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = json.loads(parameters, object_hook=_bytes_again)
    return parsed


def _as_base64(value: Any) -> dict[str, str]:
    content = value if isinstance(value, bytes) else value.read()
    return {"base64": base64.b64encode(content).decode()}


def _bytes_again(item: dict[str, Any]) -> Any:
    return base64.b64decode(item["base64"]) if item.keys() == {"base64"} else item


def _look_up(storage: Storage, parameters: Mapping[str, Any]) -> Version | Answer:
    """Return the version that a read names, or its error."""
    history = storage.history(parameters["Bucket"], parameters["Key"])
    if "VersionId" in parameters:
        version = next((listed for listed in history if listed.id == parameters["VersionId"]), None)
        if version is None:
            return Answer(error="NoSuchVersion", status=404)
        if version.body is None:
            return Answer(error="MethodNotAllowed", status=405)
    else:
        version = storage.current(parameters["Bucket"], parameters["Key"])
        if version is None:
            return Answer(error="NoSuchKey", status=404)
    if parameters.get("IfMatch", version.etag).strip('"') != version.etag:
        return Answer(error="PreconditionFailed", status=412)
    return version


def _head_object(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    version = _look_up(storage, parameters)
    if isinstance(version, Answer):  # HEAD's answers have no body, and so no code but the status
        return storage, Answer(error=str(version.status), status=version.status)
    return storage, Answer(_headers(storage, version))


def _get_object(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    version = _look_up(storage, parameters)
    if isinstance(version, Answer):
        return storage, version
    body = version.body or b""
    if "Range" in parameters:
        if not body:
            return storage, Answer(error="InvalidRange", status=416)
        first, last = parameters["Range"].removeprefix("bytes=").split("-")
        body = body[int(first) : int(last) + 1]
    headers = dict(_headers(storage, version)) | {"Body": body, "ContentLength": len(body)}
    return storage, Answer(tuple(headers.items()))


def _headers(storage: Storage, version: Version) -> tuple[tuple[str, Any], ...]:
    # Where a bucket never kept versions, answers do not say "null" either.
    names_version = version.id != "null" or storage.versioning
    return (
        ("ContentLength", len(version.body or b"")),
        ("ContentType", version.content_type),
        ("ETag", f'"{version.etag}"'),
        ("LastModified", version.created),
        ("Metadata", version.metadata),
        *((("VersionId", version.id),) if names_version else ()),
    )


def _failed_condition(storage: Storage, parameters: Mapping[str, Any]) -> Answer | None:
    """Return the error of a conditional write whose condition does not hold."""
    current = storage.current(parameters["Bucket"], parameters["Key"])
    if parameters.get("IfNoneMatch") == "*" and current is not None:
        return Answer(error="PreconditionFailed", status=412)
    if "IfMatch" in parameters:
        if current is None:
            return Answer(error="NoSuchKey", status=404)
        if parameters["IfMatch"].strip('"') != current.etag:
            return Answer(error="PreconditionFailed", status=412)
    return None


def _put_object(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    if failed := _failed_condition(storage, parameters):
        return storage, failed
    storage, new = _write(storage, parameters, parameters["Body"])
    return storage, Answer((("ETag", f'"{new.etag}"'), ("VersionId", new.id)))


def _copy_object(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    source = {**parameters["CopySource"], "IfMatch": parameters.get("CopySourceIfMatch", "")}
    if not source["IfMatch"]:
        del source["IfMatch"]
    version = _look_up(storage, source)
    if isinstance(version, Answer):
        return storage, version
    if failed := _failed_condition(storage, parameters):
        return storage, failed
    assert parameters["MetadataDirective"] == "REPLACE"
    storage, new = _write(storage, parameters, version.body or b"")
    result = (("ETag", f'"{new.etag}"'),)
    return storage, Answer((("CopyObjectResult", result), ("VersionId", new.id)))


def _write(storage: Storage, parameters: Mapping[str, Any], body: bytes) -> tuple[Storage, Version]:
    metadata = tuple(sorted(parameters.get("Metadata", {}).items()))
    content_type = parameters.get("ContentType", "binary/octet-stream")
    return storage.put(parameters["Bucket"], parameters["Key"], body, metadata, content_type)


def _delete_object(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    assert "VersionId" not in parameters, "a version must never be deleted for good"
    history = storage.history(parameters["Bucket"], parameters["Key"])
    if "IfMatch" in parameters:
        if not history:
            return storage, Answer(error="NoSuchKey", status=404)
        if history[-1].body is None:
            status = 412 if storage.marker_answer == "PreconditionFailed" else 404
            return storage, Answer(error=storage.marker_answer, status=status)
        if parameters["IfMatch"].strip('"') != history[-1].etag:
            return storage, Answer(error="PreconditionFailed", status=412)
    storage, marker = storage.put(parameters["Bucket"], parameters["Key"], None)
    return storage, Answer((("DeleteMarker", True), ("VersionId", marker.id)))


def _put_item(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    items = dict(storage.items)
    name = parameters["Item"]["imageName"]["S"]
    condition = parameters.get("ConditionExpression")
    values = json.dumps(parameters.get("ExpressionAttributeValues"))
    if condition and not _holds(condition, items.get(name, "{}"), values):
        return storage, Answer(error="ConditionalCheckFailedException", status=400)
    items[name] = json.dumps(parameters["Item"], sort_keys=True)
    answer = (("HTTPStatusCode", 200), ("RequestId", "R"))
    stored = storage._replace(items=tuple(sorted(items.items())))
    return stored, Answer((("ResponseMetadata", answer),))


def _get_item(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    assert parameters["ConsistentRead"], "what was read could be older than what there is"
    item = dict(storage.items).get(parameters["Key"]["imageName"]["S"])
    return storage, Answer((("Item", item),) if item else ())


@cache
def _holds(condition: str, item: str, values: str) -> bool:
    parsed = get_filter_expression(condition, None, json.loads(values))
    return bool(parsed.expr(Item(DynamoType({"S": ""}), None, json.loads(item))))


def _start_execution(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    started = dict(storage.started)
    name = parameters.get("name", f"unnamed-{len(started)}")
    if storage.express:
        name = f"{name}:{len(started)}"
    if name in storage.closed or started.get(name, parameters["input"]) != parameters["input"]:
        return storage, Answer(error="ExecutionAlreadyExists", status=400)
    started[name] = parameters["input"]
    arn = f"{parameters['stateMachineArn'].replace(':stateMachine:', ':execution:')}:{name}"
    return storage._replace(started=tuple(sorted(started.items()))), Answer(
        (("executionArn", arn),)
    )


def _put_events(storage: Storage, parameters: Mapping[str, Any]) -> tuple[Storage, Answer]:
    objects = [json.loads(entry["Detail"])["object"] for entry in parameters["Entries"]]
    sent = {(item["key"], item.get("version-id") or item["etag"]) for item in objects}
    details = [json.loads(entry["Detail"]) for entry in parameters["Entries"]]
    contents = {json.dumps(detail | {"execution": ""}, sort_keys=True) for detail in details}
    answer = (("FailedEntryCount", 0), ("Entries", ()))
    stored = storage._replace(
        events=storage.events | sent, event_contents=storage.event_contents | contents
    )
    return stored, Answer(answer)


_Operation = Callable[[Storage, Mapping[str, Any]], tuple[Storage, Answer]]
_OPERATIONS: dict[tuple[str, str], _Operation] = {
    ("s3", "head_object"): _head_object,
    ("s3", "get_object"): _get_object,
    ("s3", "put_object"): _put_object,
    ("s3", "copy_object"): _copy_object,
    ("s3", "delete_object"): _delete_object,
    ("dynamodb", "get_item"): _get_item,
    ("dynamodb", "put_item"): _put_item,
    ("events", "put_events"): _put_events,
    ("stepfunctions", "start_execution"): _start_execution,
}
