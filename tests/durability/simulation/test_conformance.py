"""The simulated S3, table and state machine answer as moto's do, which real clients talk to."""

import io
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.s3.models import s3_backends

from image_converter import records
from tests.durability.simulation import storage
from tests.durability.simulation.storage import (
    DESTINATION,
    MACHINE,
    SOURCE,
    TABLE,
    Answer,
    Storage,
    Version,
)
from tests.support import resources, s3_conditions, s3_null_versions
from tests.support.moto_aws import mock_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketVersioningStatusType

KEYS = st.sampled_from(["a.jpg", "b.jpg"])
BODIES = st.sampled_from([b"", b"one", b"two"])
# Conditions and versions are drawn by number: of what has been seen so far, or of nothing.
SEEN = st.one_of(st.none(), st.integers(0, 3))

OPERATIONS = st.one_of(
    st.tuples(st.just("put_object"), KEYS, BODIES, SEEN, st.booleans()),
    st.tuples(st.just("copy_object"), KEYS, KEYS, SEEN, SEEN),
    st.tuples(st.just("delete_object"), KEYS, SEEN),
    st.tuples(st.just("head_object"), KEYS, SEEN, SEEN),
    st.tuples(st.just("get_object"), KEYS, SEEN, SEEN, st.booleans()),
)

# Moto answers HEAD of a missing version and of a delete marker with less care than S3; the names
# that matter to the functions are the statuses.
COMPARED = ("ETag", "Metadata", "ContentType", "ContentLength", "Body", "DeleteMarker")


class Twins:
    """The model and moto side by side, their version ids matched by the order of their making."""

    def __init__(self, s3: "S3Client", versioning: str) -> None:
        self.s3 = s3
        self.storage = Storage(etags_are_md5=True, marker_answer="NoSuchKey", versioning=versioning)
        self.versions: list[tuple[str, str]] = []  # (the model's, moto's)
        self.etags: list[str] = []

    def ask(self, method: str, parameters: dict[str, Any], version: int | None = None) -> None:
        """Make the same call of both and compare the answers."""
        request = storage.request(
            "s3", method, _with_version(parameters, self._version(version, 0))
        )
        self.storage, answer = storage.perform(self.storage, request)
        simulated = _reduced(answer)
        actual = self._moto(method, _with_version(parameters, self._version(version, 1)))
        if "VersionId" in simulated and method not in ("head_object", "get_object"):
            self.versions.append((simulated["VersionId"], actual["VersionId"]))
        if "ETag" in simulated:
            self.etags.append(simulated["ETag"])
        keep = [*COMPARED, "error"]
        if "null" in (simulated.get("VersionId"), actual.get("VersionId")):
            keep.append("VersionId")
        assert {name: simulated.get(name) for name in keep} == {
            name: actual.get(name) for name in keep
        }

    def _version(self, number: int | None, side: int) -> str | None:
        if number is None or number >= len(self.versions):
            return None
        return self.versions[number][side]

    def _moto(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            answer = getattr(self.s3, method)(**parameters)
        except ClientError as error:
            return {"error": error.response["ResponseMetadata"]["HTTPStatusCode"]}
        if "Body" in answer:
            answer["Body"] = answer["Body"].read()
        if "CopyObjectResult" in answer:
            answer["ETag"] = answer["CopyObjectResult"]["ETag"]
        return dict(answer)


@pytest.fixture(scope="module")
def moto_s3() -> "Iterator[S3Client]":
    with mock_aws(), s3_conditions.enforced(), s3_null_versions.kept():
        yield boto3.client("s3", region_name="us-east-1")


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended"])
@given(operations=st.lists(OPERATIONS, min_size=1, max_size=12))
@settings(max_examples=150, deadline=None)
def test_s3_answers_as_motos_does(
    moto_s3: "S3Client",
    versioning: "BucketVersioningStatusType",
    operations: list[tuple[Any, ...]],
) -> None:
    s3_backends["123456789012"]["aws"].reset()
    for bucket in (SOURCE, DESTINATION):
        moto_s3.create_bucket(Bucket=bucket)
        status = versioning if bucket == SOURCE else "Enabled"
        moto_s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    twins = Twins(moto_s3, versioning)
    for operation in operations:
        _perform(twins, *operation)


def _perform(twins: Twins, method: str, key: str, *rest: Any) -> None:
    place = {"Bucket": SOURCE, "Key": key}
    match method, *rest:
        case "put_object", body, etag, if_none_match:
            condition = {"IfNoneMatch": "*"} if if_none_match else _if_match(twins, etag)
            metadata = {"Metadata": {"made-from": "x"}, "ContentType": "image/png"}
            twins.ask(method, {**place, "Body": body, **metadata, **condition})
        case "copy_object", target, version, etag:
            _copy(twins, (key, target), version, _if_match(twins, etag))
        case "delete_object", etag:
            if not _if_match(twins, etag):
                return  # the functions delete on a condition only
            twins.ask(method, {**place, **_if_match(twins, etag)})
        case "head_object", version, etag:
            _read(twins, method, place, version, _if_match(twins, etag))
        case "get_object", version, etag, ranged:
            part = {"Range": "bytes=0-1"} if ranged else {}
            _read(twins, method, place, version, {**_if_match(twins, etag), **part})


def _read(
    twins: Twins, method: str, place: dict[str, str], version: int | None, more: dict[str, str]
) -> None:
    twin_version = twins._version(version, 0)
    if twin_version is not None and _stored(twins, place["Key"], twin_version) is None:
        return
    twins.ask(method, {**place, **more}, version)


def _copy(
    twins: Twins, keys: tuple[str, str], version: int | None, condition: dict[str, str]
) -> None:
    """Copy a version to the destination bucket; each side knows it by its own id."""
    stored = _stored(twins, keys[0], twins._version(version, 0))
    if stored is None:
        return
    simulated_id, etag = stored.id, stored.etag
    actual_id = dict(twins.versions)[simulated_id]
    target: dict[str, Any] = {
        "Bucket": DESTINATION,
        "Key": keys[1],
        "CopySourceIfMatch": etag,
        "MetadataDirective": "REPLACE",
        "Metadata": {"copied": "yes"},
        "ContentType": "image/jpeg",
        **condition,
    }
    copy_source = {"Bucket": SOURCE, "Key": keys[0]}
    request = storage.request(
        "s3", "copy_object", {**target, "CopySource": {**copy_source, "VersionId": simulated_id}}
    )
    twins.storage, answer = storage.perform(twins.storage, request)
    actual = twins._moto(
        "copy_object", {**target, "CopySource": {**copy_source, "VersionId": actual_id}}
    )
    reduced = _reduced(answer)
    assert (reduced.get("ETag"), reduced.get("error")) == (actual.get("ETag"), actual.get("error"))


def _stored(twins: Twins, key: str, version: str | None) -> Version | None:
    """Return a version of a key with a body: moto knows versions across keys, and shows markers."""
    history = twins.storage.history(SOURCE, key)
    return next(
        (stored for stored in history if stored.id == version and stored.body is not None),
        None,
    )


def _if_match(twins: Twins, number: int | None) -> dict[str, str]:
    if number is None or number >= len(twins.etags):
        return {}
    return {"IfMatch": twins.etags[number]}


def _with_version(parameters: dict[str, Any], version: str | None) -> dict[str, Any]:
    further: dict[str, Any] = {"VersionId": version} if version else {}
    if isinstance(parameters.get("Body"), bytes):
        further["Body"] = io.BytesIO(parameters["Body"])
    return {**parameters, **further}


def _reduced(answer: Answer) -> dict[str, Any]:
    if answer.error:
        return {"error": answer.status}
    fields = {
        name: dict(value) if isinstance(value, tuple) else value for name, value in answer.fields
    }
    return {**fields, **fields.get("CopyObjectResult", {})}


@pytest.fixture
def table() -> Iterator[None]:
    with mock_aws():
        resources.table(boto3.client("dynamodb", region_name="us-east-1"), TABLE)
        yield


@pytest.mark.exercised("moto")
@pytest.mark.usefixtures("table")
def test_the_table_keeps_the_conditions_of_records_as_motos_does() -> None:
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    simulated = Storage()
    sequencers = ["0002", None, "0001", "0003", None]
    times = ["2026-01-01", "2026-01-02", "2026-01-03"]
    for sequencer in sequencers:
        for modified in times:
            item = {"imageName": {"S": "a.jpg"}, "sourceLastModified": {"S": modified}}
            values = {":modified": {"S": modified}}
            if sequencer:
                item["sequencer"] = values[":sequencer"] = {"S": sequencer}
            condition = records._NEWER_THAN_EARLIER if sequencer else records._NEWER_BY_TIME
            parameters: dict[str, Any] = {
                "TableName": TABLE,
                "Item": item,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
            simulated, answer = storage.perform(
                simulated, storage.request("dynamodb", "put_item", parameters)
            )
            try:
                dynamodb.put_item(**parameters)
                error = ""
            except ClientError as refused:
                error = refused.response["Error"]["Code"]
            assert answer.error == error
            kept = dynamodb.get_item(TableName=TABLE, Key={"imageName": {"S": "a.jpg"}})["Item"]
            assert json.loads(dict(simulated.items)["a.jpg"]) == kept


def test_an_execution_starts_once_by_its_name() -> None:
    def start(now: Storage, name: str, event: str) -> tuple[Storage, str]:
        parameters = {"stateMachineArn": MACHINE, "name": name, "input": event}
        after, answer = storage.perform(
            now, storage.request("stepfunctions", "start_execution", parameters)
        )
        return after, answer.error

    simulated, error = start(Storage(), "one", "{}")
    assert error == ""
    # As AWS documents it: the same name and input while it runs is the same execution.
    assert start(simulated, "one", "{}") == (simulated, "")
    assert start(simulated, "one", "[]") == (simulated, "ExecutionAlreadyExists")
