"""The pipeline's two buckets and its table in moto, with methods for tests."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import boto3
import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from image_converter import clients, events
from tests.support import faults, resources, s3_conditions, s3_null_versions
from tests.support.moto_aws import mock_aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketVersioningStatusType

REGION = "us-east-1"
SOURCE = "pictures-source"
DESTINATION = "pictures-destination"
TABLE = "pictures"

ENVIRONMENT = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "SOURCE_BUCKET": SOURCE,
    "MAX_UPLOAD_BYTES": "1000000",
    "MAX_FORM_BYTES": "2000000",
    "FORM_SECONDS": "300",
    "DESTINATION_BUCKET": DESTINATION,
    "MAX_IMAGE_BYTES": "20000000",
    "MAX_IMAGE_PIXELS": "40000000",
    "TABLE_NAME": TABLE,
    "TRACING": "off",
    "LOG_LEVEL": "INFO",
}

EVENTS = Path(__file__).parent / "events"

Record = dict[str, Any]


def recorded(name: str) -> Any:
    """Return the recorded event `tests/support/events/<name>.json`."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


@dataclass
class Cloud:
    """The buckets, versioned, and the table, as the Terraform makes them."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    _sequencers: Iterator[int] = field(default_factory=lambda: itertools.count(0x55AED6DCD90281E5))

    def upload(self, key: str, body: bytes, **parameters: Any) -> Record:
        """Put an object into the source bucket; return its execution's input."""
        stored = self.s3.put_object(Bucket=SOURCE, Key=key, Body=body, **parameters)
        version = stored.get("VersionId")
        record: Record = recorded("s3_created_2_1")["Records"][0]
        record["awsRegion"] = REGION
        record["s3"]["bucket"].update(name=SOURCE, arn=f"arn:aws:s3:::{SOURCE}")
        record["s3"]["object"] = {
            "key": key,
            "size": len(body),
            "eTag": stored["ETag"].strip('"'),
            **({"versionId": version} if version else {}),
            "sequencer": f"{next(self._sequencers):018X}",
        }
        return events.execution_input(record)

    def keep_versions(self, status: "BucketVersioningStatusType | None") -> None:
        """Set the source bucket's versioning; None means that it was never enabled."""
        if status:
            self.s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": status})
        else:
            s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_bucket(SOURCE).versioning_status = None

    def date(self, record: Record, when: datetime) -> None:
        """Set the time at which the record's version was created."""
        item = record["s3"]["object"]
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        version = backend.get_object(SOURCE, item["key"], version_id=item["versionId"])
        assert version is not None
        version.last_modified = when

    def age(self, record: Record, seconds: int) -> None:
        """Move the time at which the record's object was created by so many seconds."""
        stored = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_object(
            SOURCE, record["s3"]["object"]["key"]
        )
        assert stored is not None
        stored.last_modified += timedelta(seconds=seconds)

    def keys(self, bucket: str) -> set[str]:
        """Return the keys of the bucket's current objects."""
        return {item["Key"] for item in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])}

    def version_count(self, bucket: str) -> int:
        """Return how many versions and delete markers the bucket holds."""
        listed = self.s3.list_object_versions(Bucket=bucket)
        return len(listed.get("Versions", [])) + len(listed.get("DeleteMarkers", []))

    def content(self, bucket: str, key: str, version: str | None = None) -> bytes:
        """Return the bytes of an object, or of one version of it."""
        pin: Any = {"VersionId": version} if version else {}
        return self.s3.get_object(Bucket=bucket, Key=key, **pin)["Body"].read()

    def metadata(self, key: str) -> dict[str, str]:
        """Return the user metadata of an object in the destination bucket."""
        return self.s3.head_object(Bucket=DESTINATION, Key=key)["Metadata"]

    def item(self, name: str) -> dict[str, Any] | None:
        """Return the table's record of an image, as DynamoDB writes it."""
        return self.dynamodb.get_item(TableName=TABLE, Key={"imageName": {"S": name}}).get("Item")


def edited(execution_input: Record, **fields: object) -> Record:
    """Return the input that the trigger would have made if S3 had sent these fields.

    Args:
        execution_input: an execution's input.
        fields: fields of its object; None leaves one out.
    """
    changed: Record = json.loads(json.dumps(execution_input))
    changed["s3"]["object"].update(fields)
    return events.execution_input(changed)


def notification(*records: Record) -> dict[str, Any]:
    """Return the S3 notification of the records, their keys encoded as S3 encodes them."""
    sample = recorded("s3_created_2_1")["Records"][0]
    encoded = [{**sample, **record} for record in json.loads(json.dumps(records))]
    for record in encoded:
        record["s3"]["object"]["key"] = quote_plus(record["s3"]["object"]["key"], safe="/")
        record["s3"]["object"].pop("sequencerOf", None)
    return {"Records": encoded}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The buckets and the table, empty, and the functions' environment."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    with mock_aws(), s3_conditions.enforced(), s3_null_versions.kept():
        s3, dynamodb = _clients()
        for bucket in (SOURCE, DESTINATION):
            resources.bucket(s3, bucket)
        resources.table(dynamodb, TABLE)
        yield Cloud(s3, dynamodb)
    faults.end()


@cache
def _clients() -> "tuple[S3Client, DynamoDBClient]":
    """Make the tests' clients and the functions' clients, once: it takes longer than most tests.

    They are made before any thread is started, because boto3 cannot make clients in two threads at
    the same time. On Lambda, each function has its own process.
    """
    for functions in (clients.s3, clients.s3_copies, clients.dynamodb, clients.stepfunctions):
        functions()
    return boto3.client("s3", region_name=REGION), boto3.client("dynamodb", region_name=REGION)
