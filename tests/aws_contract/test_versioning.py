"""Two uploads of one key, whatever versions the source bucket keeps: all of the real functions."""

from typing import TYPE_CHECKING

import pytest

from image_converter.handlers import copy_file, resize_image
from tests.support.asl import machine
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud, Record
from tests.support.images import jpeg, pixels

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketVersioningStatusType

A, B = jpeg(), jpeg(seed=1)
KEPT = "Kept in source bucket: a newer upload has the same key"

each_versioning = pytest.mark.parametrize("versioning", ["Enabled", "Suspended", None])
# What a record says of a version that has no id of its own: S3's "null", or nothing.
each_naming = pytest.mark.parametrize("naming", ["as S3 answers", "nothing"])


def upload(cloud: Cloud, body: bytes, naming: str = "as S3 answers") -> Record:
    record = cloud.upload("a.jpg", body)
    item = record["s3"]["object"]
    if item.get("versionId") == "null" and naming == "nothing":
        del item["versionId"]
    return record


def assert_current(cloud: Cloud, body: bytes, record: Record) -> None:
    """Destination, table and record are of that upload, and of it alone."""
    assert cloud.content(DESTINATION, "a.jpg") == body
    assert pixels(cloud.content(DESTINATION, "a.png")) == pixels(body)
    item = cloud.item("a.jpg")
    assert item is not None
    assert item["sourceETag"]["S"] == record["s3"]["object"]["eTag"]
    for place, kind in enumerate(("original", "resized")):
        location = item["images"]["L"][place]["M"][kind]["M"]
        content = cloud.content(DESTINATION, location["key"]["S"], location["versionId"]["S"])
        assert pixels(content) == pixels(body)


@each_naming
@each_versioning
def test_one_after_the_other_and_both_again(
    cloud: Cloud, versioning: "BucketVersioningStatusType | None", naming: str
) -> None:
    cloud.keep_versions(versioning)
    first = upload(cloud, A, naming)
    assert machine.run(first).status == "SUCCEEDED"
    assert_current(cloud, A, first)
    assert cloud.keys(SOURCE) == set()
    second = upload(cloud, B, naming)
    assert machine.run(second).status == "SUCCEEDED"
    assert_current(cloud, B, second)
    assert cloud.keys(SOURCE) == set()
    for record in (first, second):  # gone where no version keeps it, else made again from it
        result = machine.run(record)
        assert result.status == "SUCCEEDED" if versioning == "Enabled" else result.error
        assert_current(cloud, B, second)


@each_naming
@each_versioning
@pytest.mark.parametrize("function", ["write_to_dynamodb", "delete_file"])
def test_the_second_comes_before_the_first_is_done(
    cloud: Cloud, versioning: "BucketVersioningStatusType | None", naming: str, function: str
) -> None:
    cloud.keep_versions(versioning)
    second: list[Record] = []
    result = machine.run(
        upload(cloud, A, naming),
        **{function: machine.preceded(function, lambda: second.append(upload(cloud, B, naming)))},
    )
    assert result.output["deletionStatus"]["status"] == KEPT
    assert cloud.content(SOURCE, "a.jpg") == B
    assert machine.run(second[0]).output["deletionStatus"]["status"].startswith("Deleted")
    assert_current(cloud, B, second[0])


@each_naming
@each_versioning
def test_the_second_comes_before_the_first_s_turn(
    cloud: Cloud, versioning: "BucketVersioningStatusType | None", naming: str
) -> None:
    cloud.keep_versions(versioning)
    first, second = upload(cloud, A, naming), upload(cloud, B, naming)
    overtaken = machine.run(first)
    assert overtaken.error == (None if versioning == "Enabled" else "SourceChanged")
    assert cloud.content(SOURCE, "a.jpg") == B
    assert machine.run(second).status == "SUCCEEDED"
    assert_current(cloud, B, second)


@pytest.mark.parametrize("forged", ["sourceETag", "sourceLastModified", "sourceVersionId"])
@pytest.mark.parametrize("of", ["original", "resized"])
@each_versioning
def test_nothing_is_deleted_that_is_not_what_was_copied_and_converted(
    cloud: Cloud, versioning: "BucketVersioningStatusType | None", of: str, forged: str
) -> None:
    """Checked by the last step itself, whatever the steps before it say or the record names."""
    cloud.keep_versions(versioning)
    record = upload(cloud, A)
    images = [
        {"original": copy_file.handler(record, None)},
        {"resized": resize_image.handler(record, None)},
    ]
    images[of == "resized"][of][forged] = "another's"  # type: ignore[literal-required]
    state = {**record, "results": {"fileType": "jpg", "images": images}}
    assert machine.HANDLERS["delete_file"](state, None)["status"] == KEPT
    assert cloud.content(SOURCE, "a.jpg") == A


def test_the_second_where_versioning_begins_between_them(cloud: Cloud) -> None:
    """A version called "null" stays one next to those with ids, and is distinguished from them."""
    cloud.keep_versions(None)
    first = upload(cloud, A)
    first["s3"]["object"]["versionId"] = "null"
    cloud.keep_versions("Enabled")
    second = upload(cloud, B)
    for _ in range(2):
        assert machine.run(first).output["deletionStatus"]["status"] == KEPT
    assert cloud.content(SOURCE, "a.jpg") == B
    assert machine.run(second).status == "SUCCEEDED"
    assert_current(cloud, B, second)


def test_the_same_bytes_again_where_etags_are_of_the_bytes(cloud: Cloud) -> None:
    """ETag and time distinguish them: without them, the second's headers would be the first's."""
    cloud.keep_versions("Suspended")
    first = cloud.upload("a.jpg", A, ContentType="image/first")
    copy_file.handler(first, None)
    second = cloud.upload("a.jpg", A, ContentType="image/second")
    cloud.age(second, seconds=60)
    answer = copy_file.handler(second, None)
    current = cloud.s3.head_object(Bucket=DESTINATION, Key=answer["key"])
    assert current["ContentType"] == "image/second"
