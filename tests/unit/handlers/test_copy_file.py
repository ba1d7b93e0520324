"""The original is copied whole with its headers, in one request or in parts, however often."""

from datetime import UTC, datetime
from itertools import pairwise
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from moto.s3 import models as moto_s3

from image_converter import clients, s3_copy
from image_converter.errors import InvalidSettings, SourceChanged, SourceNotFound
from image_converter.handlers.copy_file import handler
from tests.support.awkward_keys import AWKWARD_KEYS
from tests.support.fake_cloud import DESTINATION, REGION, SOURCE, Cloud, recorded
from tests.support.faults import before, refuse
from tests.support.images import jpeg

MIB = 1024**2


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every object copied in parts of 1,000 bytes."""
    monkeypatch.setattr(s3_copy, "MAX_SINGLE_COPY", 0)
    monkeypatch.setattr(s3_copy, "_PART", 1000)
    monkeypatch.setattr(moto_s3, "S3_UPLOAD_PART_MIN_SIZE", 1)


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_the_original_arrives_whole_under_its_own_key(cloud: Cloud, key: str) -> None:
    body = jpeg()
    answer = handler(cloud.upload(key, body), None)
    assert cloud.content(DESTINATION, key) == body
    current = cloud.s3.head_object(Bucket=DESTINATION, Key=key)
    assert answer == {
        "region": REGION,
        "bucket": DESTINATION,
        "key": key,
        "versionId": current["VersionId"],
        "eTag": current["ETag"].strip('"'),
        "size": len(body),
        "contentType": "binary/octet-stream",
        "sourceLastModified": answer["sourceLastModified"],
    }
    source = cloud.s3.head_object(Bucket=SOURCE, Key=key)
    modified = datetime.fromisoformat(answer["sourceLastModified"])
    assert modified == source["LastModified"].replace(microsecond=0)


def test_the_answer_has_what_the_article_prints(cloud: Cloud) -> None:
    article = recorded("article_output")["images"][0]["original"]
    answer = handler(cloud.upload("1.jpg", jpeg()), None)
    assert article.keys() <= answer.keys()


def _upload_with_everything(cloud: Cloud) -> dict[str, object]:
    return cloud.upload(
        "a b.jpg",
        jpeg(),
        ContentType="image/jpeg",
        CacheControl="max-age=60",
        ContentDisposition='attachment; filename="a.jpg"',
        ContentEncoding="identity",
        ContentLanguage="de",
        Expires=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        Metadata={"camera": "X100", "owner": "me & you"},
        Tagging="album=summer%202024&rating=5",
    )


def _assert_everything_is_kept(cloud: Cloud) -> None:
    copied = cloud.s3.head_object(Bucket=DESTINATION, Key="a b.jpg")
    assert copied["ContentType"] == "image/jpeg"
    assert copied["CacheControl"] == "max-age=60"
    assert copied["ContentDisposition"] == 'attachment; filename="a.jpg"'
    assert copied["ContentEncoding"] == "identity"
    assert copied["ContentLanguage"] == "de"
    assert copied["Expires"] == datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert copied["Metadata"].items() >= {"camera": "X100", "owner": "me & you"}.items()
    tags = cloud.s3.get_object_tagging(Bucket=DESTINATION, Key="a b.jpg")["TagSet"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {"album": "summer 2024", "rating": "5"}


def test_headers_metadata_and_tags_are_kept(cloud: Cloud) -> None:
    answer = handler(_upload_with_everything(cloud), None)
    assert "contentType" not in answer  # image/jpeg
    _assert_everything_is_kept(cloud)


@pytest.mark.usefixtures("in_parts")
def test_headers_metadata_and_tags_are_kept_by_a_copy_in_parts(cloud: Cloud) -> None:
    handler(_upload_with_everything(cloud), None)
    _assert_everything_is_kept(cloud)


# moto names the key in an answer in XML, which has no control characters.
IN_XML = {name: key for name, key in AWKWARD_KEYS.items() if "\x07" not in key}


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("key", IN_XML.values(), ids=IN_XML)
def test_a_copy_in_parts_is_whole(cloud: Cloud, key: str) -> None:
    body = jpeg(120, 90)
    answer = handler(cloud.upload(key, body), None)
    assert cloud.content(DESTINATION, key, answer["versionId"]) == body
    assert answer["eTag"].endswith(f"-{-(-len(body) // 1000)}")
    assert "Uploads" not in cloud.s3.list_multipart_uploads(Bucket=DESTINATION)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
def test_a_failed_copy_in_parts_leaves_nothing(cloud: Cloud, operation: str) -> None:
    record = cloud.upload("a.jpg", jpeg())
    refuse(clients.s3_copies(), operation, "SlowDown", 503)
    with pytest.raises(ClientError, match="SlowDown"):
        handler(record, None)
    assert "Uploads" not in cloud.s3.list_multipart_uploads(Bucket=DESTINATION)
    assert cloud.keys(DESTINATION) == set()


@pytest.mark.usefixtures("in_parts")
def test_the_error_of_a_copy_in_parts_is_not_hidden_by_that_of_its_abort(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg())
    refuse(clients.s3_copies(), "CompleteMultipartUpload", "SlowDown", 503)
    refuse(clients.s3_copies(), "AbortMultipartUpload", "NoSuchUpload", 404)
    with pytest.raises(ClientError, match="SlowDown"):
        handler(record, None)


@pytest.mark.usefixtures("in_parts")
def test_a_copy_in_parts_is_conditional_too(cloud: Cloud) -> None:
    earlier = cloud.upload("a.jpg", jpeg())
    later = cloud.upload("a.jpg", jpeg(seed=1))
    before(clients.s3_copies(), "CompleteMultipartUpload", lambda: handler(later, None))
    answer = handler(earlier, None)
    assert answer["key"].startswith("aside/")
    assert cloud.content(DESTINATION, "a.jpg") == jpeg(seed=1)
    assert cloud.content(DESTINATION, answer["key"]) == jpeg()


@pytest.mark.parametrize(
    "size",
    [
        1,
        512 * MIB,
        512 * MIB + 1,
        5 * 1024**3 + 1,
        10_000 * 512 * MIB + 1,
        5 * 1024**4,
        50 * 10**12,
    ],
)
def test_the_parts_of_a_copy_keep_to_s3_s_limits(size: int) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
    ranges = [
        tuple(map(int, part.removeprefix("bytes=").split("-")))
        for part in s3_copy.byte_ranges(size)
    ]
    assert 1 <= len(ranges) <= 10_000
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size - 1
    assert all(next_first == last + 1 for (_, last), (next_first, _) in pairwise(ranges))
    sizes = [last - first + 1 for first, last in ranges]
    assert max(sizes) <= 5 * 1024**3
    assert all(part >= 5 * MIB for part in sizes[:-1])


def test_a_single_copy_is_within_s3_s_limit() -> None:
    assert s3_copy.MAX_SINGLE_COPY <= 5 * 1024**3


def test_a_repeated_copy_writes_nothing_and_answers_the_same(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg(), ContentType="image/jpeg", Metadata={"a": "b"})
    first = handler(record, None)
    second = handler(record, None)
    assert second == first
    assert cloud.version_count(DESTINATION) == 1


def test_the_version_that_the_record_names_is_copied(cloud: Cloud) -> None:
    earlier = cloud.upload("a.jpg", jpeg())
    cloud.upload("a.jpg", jpeg(seed=1))
    handler(earlier, None)
    assert cloud.content(DESTINATION, "a.jpg") == jpeg()


def test_a_newer_upload_meanwhile_does_not_change_what_is_copied(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg())
    item = record["s3"]["object"]
    del item["versionId"], item["eTag"]
    before(clients.s3_copies(), "CopyObject", lambda: cloud.upload("a.jpg", jpeg(seed=1)))
    answer = handler(record, None)
    assert cloud.content(DESTINATION, "a.jpg") == jpeg()
    versions = cloud.s3.list_object_versions(Bucket=SOURCE)["Versions"]
    assert answer["sourceVersionId"] == next(v["VersionId"] for v in versions if not v["IsLatest"])


def test_a_version_that_goes_between_look_and_copy(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg())
    version = record["s3"]["object"]["versionId"]
    before(
        clients.s3_copies(),
        "CopyObject",
        lambda: cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg", VersionId=version),
    )
    with pytest.raises(SourceNotFound, match=version):
        handler(record, None)


def test_an_object_that_changes_between_look_and_copy_in_a_bucket_without_versions(
    cloud: Cloud,
) -> None:
    cloud.s3.create_bucket(Bucket="unversioned")
    cloud.s3.put_object(Bucket="unversioned", Key="a.jpg", Body=jpeg())
    event = {"s3": {"bucket": {"name": "unversioned"}, "object": {"key": "a.jpg"}}}
    before(
        clients.s3_copies(),
        "CopyObject",
        lambda: cloud.s3.put_object(Bucket="unversioned", Key="a.jpg", Body=jpeg(seed=1)),
    )
    with pytest.raises(SourceChanged):
        handler(event, None)
    assert cloud.keys(DESTINATION) == set()


def test_a_bucket_without_versions_is_copied_from(cloud: Cloud) -> None:
    cloud.s3.create_bucket(Bucket="unversioned")
    stored = cloud.s3.put_object(Bucket="unversioned", Key="a.jpg", Body=jpeg())
    event = {"s3": {"bucket": {"name": "unversioned"}, "object": {"key": "a.jpg"}}}
    first = handler(event, None)
    assert first["sourceVersionId"] == stored["ETag"].strip('"')
    assert handler(event, None) == first


def test_a_destination_bucket_that_is_missing_is_not_blamed_on_the_source(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION_BUCKET", "no-such-bucket")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        handler(cloud.upload("a.jpg", jpeg()), None)


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "AccessDenied"])
def test_an_error_that_may_pass_is_raised_as_it_is(cloud: Cloud, code: str) -> None:
    record = cloud.upload("a.jpg", jpeg())
    refuse(clients.s3_copies(), "CopyObject", code, 503)
    with pytest.raises(ClientError, match=code):
        handler(record, None)


def test_the_destination_s_name_is_needed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESTINATION_BUCKET")
    with pytest.raises(InvalidSettings, match="DESTINATION_BUCKET"):
        handler(cloud.upload("a.jpg", jpeg()), None)


def test_metadata_that_s3_returns_encoded_is_copied_as_it_is(cloud: Cloud) -> None:
    encoded = f"=?UTF-8?Q?{quote('Straße')}?="
    handler(cloud.upload("a.jpg", jpeg(), Metadata={"place": encoded}), None)
    assert cloud.metadata("a.jpg")["place"] == encoded
