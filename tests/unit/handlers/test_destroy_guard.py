"""What the guard answers to Terraform, which calls it before it destroys anything."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_converter import clients
from image_converter.errors import DestroyRefused
from image_converter.handlers.destroy_guard import handler
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud
from tests.support.faults import refuse
from tests.support.images import jpeg


def guard_event(action: str = "delete", **changed: Any) -> dict[str, Any]:
    """Return what Terraform's provider calls the guard with."""
    settings = {
        "buckets": [SOURCE, DESTINATION],
        "forceDestroy": False,
        "tableDeletionProtection": False,
        **changed,
    }
    return {**settings, "tf": {"action": action, "prev_input": settings}}


@pytest.mark.usefixtures("cloud")
def test_an_empty_stack_may_go() -> None:
    assert handler(guard_event(), None) == {"status": "Destroyed empty"}


@pytest.mark.parametrize("bucket", [SOURCE, DESTINATION])
def test_an_image_in_either_bucket_keeps_the_stack(cloud: Cloud, bucket: str) -> None:
    cloud.s3.put_object(Bucket=bucket, Key="a.jpg", Body=jpeg())
    with pytest.raises(DestroyRefused, match=rf"^Nothing was destroyed: bucket {bucket} still"):
        handler(guard_event(), None)


def test_a_deleted_image_keeps_it_too(cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket=SOURCE, Key="a.jpg", Body=jpeg())
    cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg")
    with pytest.raises(DestroyRefused, match="versions of deleted ones"):
        handler(guard_event(), None)


def test_a_delete_marker_alone_keeps_it_as_s3_would(cloud: Cloud) -> None:
    version = cloud.s3.put_object(Bucket=SOURCE, Key="a.jpg", Body=jpeg())["VersionId"]
    cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg")
    cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg", VersionId=version)
    with pytest.raises(DestroyRefused):
        handler(guard_event(), None)


def test_images_may_be_destroyed_by_those_who_agreed_to_lose_them(cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket=SOURCE, Key="a.jpg", Body=jpeg())
    answer = handler(guard_event(forceDestroy=True), None)
    assert answer == {"status": "Destroyed with whatever is in it"}


@pytest.mark.parametrize("force", [False, True])
def test_a_protected_table_keeps_the_stack(force: bool) -> None:
    with pytest.raises(DestroyRefused, match="table_deletion_protection=false"):
        handler(guard_event(forceDestroy=force, tableDeletionProtection=True), None)


@pytest.mark.usefixtures("cloud")
def test_a_bucket_that_somebody_deleted_by_hand_is_empty() -> None:
    assert handler(guard_event(buckets=["gone-by-hand"]), None) == {"status": "Destroyed empty"}


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("code", ["AccessDenied", "SlowDown"])
def test_a_bucket_that_cannot_be_listed_is_not_taken_for_empty(code: str) -> None:
    refuse(clients.s3(), "ListObjectVersions", code, 403)
    with pytest.raises(ClientError, match=code):
        handler(guard_event(), None)


@pytest.mark.parametrize("action", ["create", "update"])
def test_it_looks_at_nothing_before(action: str) -> None:
    assert handler(guard_event(action), None) == {"status": "On guard"}
