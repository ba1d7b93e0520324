"""What is put into the source bucket comes out of the destination bucket, or is deleted."""

import hashlib

import pytest

from image_converter import keys
from scripts.lib.executions.model import SUCCEEDED
from tests.conftest import Deployment, of_both_types
from tests.support import images, pipeline
from tests.support.awkward_keys import AWKWARD_KEYS

pytestmark = [pytest.mark.e2e, of_both_types, pytest.mark.usefixtures("deployed_type")]


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_jpeg_becomes_a_png(deployment: Deployment, key: str) -> None:
    content = images.jpeg(seed=len(key))
    execution = pipeline.execution_of(deployment, pipeline.upload(deployment, key, content))

    assert execution.status == SUCCEEDED, execution.sentence
    assert execution.key == key
    assert hashlib.sha256(pipeline.destination(deployment, key)).digest() == (
        hashlib.sha256(content).digest()
    )
    png = pipeline.destination(deployment, keys.png_key(key))
    assert images.pixels(png) == images.pixels(content)
    assert key not in pipeline.source_keys(deployment)


@pytest.mark.parametrize(
    ("key", "content", "file_type"),
    [
        ("notes.txt", b"text", "txt"),
        ("document-called.jpg", b"%PDF-1.7", "pdf"),
        ("no-extension", b"text", None),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(20), "png"),
    ],
)
def test_what_is_not_a_jpeg_is_deleted_and_can_be_restored(
    deployment: Deployment, key: str, content: bytes, file_type: str | None
) -> None:
    version_id = pipeline.upload(deployment, key, content)
    execution = pipeline.execution_of(deployment, version_id)

    assert execution.status == SUCCEEDED, execution.sentence
    assert execution.result["fileType"] == file_type
    assert key not in pipeline.source_keys(deployment)
    stored = deployment.clients.s3.get_object(
        Bucket=deployment.outputs["source_bucket"], Key=key, VersionId=version_id
    )
    assert stored["Body"].read() == content


@pytest.mark.parametrize(
    ("key", "content"),
    [("text-called.jpg", b"text"), ("empty.jpg", b""), ("start-of-a-jpeg", b"\xff\xd8")],
)
def test_what_may_be_a_jpeg_and_is_of_no_known_type_fails_and_stays(
    deployment: Deployment, key: str, content: bytes
) -> None:
    execution = pipeline.execution_of(deployment, pipeline.upload(deployment, key, content))

    assert (execution.status, execution.error) == ("FAILED", "UnknownType")
    assert key in pipeline.source_keys(deployment)


def test_a_folder_is_left_alone(deployment: Deployment) -> None:
    execution = pipeline.execution_of(deployment, pipeline.upload(deployment, "folder/", b""))

    assert execution.status == SUCCEEDED, execution.sentence
    assert "a folder" in execution.result["deletionStatus"]["status"]
    assert "folder/" in pipeline.source_keys(deployment)


def test_newer_upload_of_a_key_replaces_the_older(deployment: Deployment) -> None:
    key = "twice.jpg"
    for seed in (1, 2):
        content = images.jpeg(seed=seed)
        execution = pipeline.execution_of(deployment, pipeline.upload(deployment, key, content))
        assert execution.status == SUCCEEDED, execution.sentence
        assert images.pixels(pipeline.destination(deployment, "twice.png")) == (
            images.pixels(content)
        )
