"""The local AWS calls versions without an id of their own "null" where AWS does."""

from collections.abc import Iterator
from typing import Any

import pytest

from scripts.lib.aws import Clients
from scripts.local_aws import LocalAws

pytestmark = pytest.mark.e2e

BUCKET = "null-versions"
OBJECT: dict[str, Any] = {"Bucket": BUCKET, "Key": "a"}


@pytest.fixture
def clients(unguarded_aws: LocalAws) -> Iterator[Clients]:
    """Clients of a local AWS with a bucket that never kept versions."""
    local = Clients(unguarded_aws.env)
    local.s3.create_bucket(Bucket=BUCKET)
    yield local
    listed = local.s3.list_object_versions(Bucket=BUCKET)
    for version in [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]:
        local.s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    local.s3.delete_bucket(Bucket=BUCKET)


def keep(clients: Clients, status: str) -> None:
    clients.s3.put_bucket_versioning(
        Bucket=BUCKET,
        VersioningConfiguration={"Status": status},  # type: ignore[typeddict-item]
    )


def answers(clients: Clients) -> dict[str, str | None]:
    """Return the version id in the answers about the current object."""
    s3 = clients.s3
    copied: dict[str, Any] = {"Bucket": BUCKET, "Key": "b", "CopySource": {**OBJECT}}
    return {
        "put": s3.put_object(**OBJECT, Body=b"a").get("VersionId"),
        "head": s3.head_object(**OBJECT).get("VersionId"),
        "get": s3.get_object(**OBJECT).get("VersionId"),
        "range": s3.get_object(**OBJECT, Range="bytes=0-0").get("VersionId"),
        "copy": s3.copy_object(**copied).get("VersionId"),
    }


def test_where_versioning_is_suspended(clients: Clients) -> None:
    keep(clients, "Suspended")
    assert set(answers(clients).values()) == {"null"}
    assert clients.s3.get_object(**OBJECT, VersionId="null")["VersionId"] == "null"
    assert clients.s3.delete_object(**OBJECT)["VersionId"] == "null"


def test_where_versioning_never_was(clients: Clients) -> None:
    assert set(answers(clients).values()) == {None}


def test_where_versioning_began_after_the_object(clients: Clients) -> None:
    clients.s3.put_object(**OBJECT, Body=b"before")
    keep(clients, "Enabled")
    assert clients.s3.head_object(**OBJECT)["VersionId"] == "null"
    version_ids = set(answers(clients).values())
    assert None not in version_ids
    assert "null" not in version_ids
    assert clients.s3.get_object(**OBJECT, VersionId="null")["Body"].read() == b"before"


def test_what_is_asked_about_buckets_and_tags_names_no_version(clients: Clients) -> None:
    keep(clients, "Suspended")
    clients.s3.put_object(**OBJECT, Body=b"a")
    for answer in (clients.s3.head_bucket(Bucket=BUCKET), clients.s3.get_object_acl(**OBJECT)):
        assert "x-amz-version-id" not in answer["ResponseMetadata"]["HTTPHeaders"]
