"""The source is deleted only if it is the version that was handled and it can be brought back."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_converter import clients
from image_converter.errors import InvalidRecord, InvalidSettings
from image_converter.handlers.delete_file import handler
from tests.support.awkward_keys import AWKWARD_KEYS
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud, recorded
from tests.support.faults import before, refuse
from tests.support.images import jpeg
from tests.support.states import converted, unconverted

DELETED = "Deleted from source bucket"
GONE = "Already deleted from source bucket"
KEPT = "Kept in source bucket: a newer upload has the same key"

# What a record may say of the version, from everything that S3 sends to what a person types.
PINS = {
    "notification": (),
    "no version": ("versionId",),
    "no etag": ("eTag",),
    "key only": ("versionId", "eTag", "sequencer"),
}
pins = pytest.mark.parametrize("left_out", PINS.values(), ids=PINS)
# For a JPEG, its copy identifies the version; for another file, only the input can.
naming_pins = pytest.mark.parametrize(
    "left_out", [pin for name, pin in PINS.items() if name != "key only"]
)


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_a_handled_image_is_deleted_and_stays_recoverable(cloud: Cloud, key: str) -> None:
    record = cloud.upload(key, jpeg())
    answer = handler(converted(record), None)
    assert answer == {
        "status": DELETED,
        "sourceBucket": SOURCE,
        "destinationBucket": DESTINATION,
    }
    assert cloud.keys(SOURCE) == set()
    assert cloud.content(SOURCE, key, record["s3"]["object"]["versionId"]) == jpeg()


def test_the_answer_is_the_article_s(cloud: Cloud) -> None:
    article = recorded("article_output")["deletionStatus"]
    answer = handler(converted(cloud.upload("1.jpg", jpeg())), None)
    assert answer.keys() == article.keys()
    assert answer["status"] == article["status"]


@pytest.mark.parametrize("file_type", ["txt", "png", None])
@naming_pins
def test_what_is_not_a_jpeg_is_deleted(
    cloud: Cloud, file_type: str | None, left_out: tuple[str, ...]
) -> None:
    record = cloud.upload("a", b"words")
    for name in left_out:
        del record["s3"]["object"][name]
    assert handler(unconverted(record, file_type), None)["status"] == DELETED
    assert cloud.keys(SOURCE) == set()


@pins
def test_a_newer_upload_stays(cloud: Cloud, left_out: tuple[str, ...]) -> None:
    record = cloud.upload("a.jpg", jpeg())
    for name in left_out:
        del record["s3"]["object"][name]
    state = converted(record)
    cloud.upload("a.jpg", jpeg(seed=1))
    assert handler(state, None)["status"] == KEPT
    assert cloud.content(SOURCE, "a.jpg") == jpeg(seed=1)


@pytest.mark.parametrize("left_out", [None, "versionId", "eTag"])
def test_a_jpeg_that_replaced_another_file_stays(cloud: Cloud, left_out: str | None) -> None:
    record = cloud.upload("a", b"words")
    if left_out:
        del record["s3"]["object"][left_out]
    cloud.upload("a", jpeg())
    assert handler(unconverted(record), None)["status"] == KEPT
    assert cloud.content(SOURCE, "a") == jpeg()


def test_what_no_input_identifies_is_kept(cloud: Cloud) -> None:
    """Found by random histories: a JPEG took the place of the text that the type was read from."""
    record = cloud.upload("a.jpeg", b"words")
    for name in ("versionId", "eTag", "sequencer"):
        del record["s3"]["object"][name]
    cloud.upload("a.jpeg", jpeg())
    status = handler(unconverted(record), None)["status"]
    assert status.endswith("and the input has neither versionId nor eTag")
    assert cloud.content(SOURCE, "a.jpeg") == jpeg()


def test_a_newer_upload_of_the_same_bytes_stays(cloud: Cloud) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    newer = cloud.upload("a.jpg", jpeg())
    assert handler(state, None)["status"] == KEPT
    current = cloud.s3.head_object(Bucket=SOURCE, Key="a.jpg")
    assert current["VersionId"] == newer["s3"]["object"]["versionId"]


@pytest.mark.parametrize("is_jpeg", [True, False])
def test_an_upload_between_look_and_delete_stays(cloud: Cloud, is_jpeg: bool) -> None:
    body = jpeg() if is_jpeg else b"words"
    record = cloud.upload("a", body)
    state = converted(record) if is_jpeg else unconverted(record)
    before(clients.s3(), "DeleteObject", lambda: cloud.upload("a", jpeg(seed=1)))
    assert handler(state, None)["status"] == KEPT
    assert cloud.content(SOURCE, "a") == jpeg(seed=1)


def test_deleted_again_it_says_so_and_adds_no_marker(cloud: Cloud) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    handler(state, None)
    assert handler(state, None)["status"] == GONE
    assert cloud.version_count(SOURCE) == 2


def test_deleted_by_somebody_between_look_and_delete(cloud: Cloud) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    before(clients.s3(), "DeleteObject", lambda: cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg"))
    assert handler(state, None)["status"] == GONE


def test_deleted_although_the_answer_was_lost(cloud: Cloud) -> None:
    """The SDK asks again, and S3 may refuse the condition for there is nothing to meet it."""
    state = converted(cloud.upload("a.jpg", jpeg()))
    before(clients.s3(), "DeleteObject", lambda: cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg"))
    refuse(clients.s3(), "DeleteObject", "PreconditionFailed", 412)
    assert handler(state, None)["status"] == GONE


@pytest.mark.parametrize("suspended", [False, True])
def test_what_no_version_would_bring_back_is_kept(cloud: Cloud, suspended: bool) -> None:
    """Other files have no copy: in a bucket without versions, a delete is permanent."""
    bucket = "pictures-unversioned"
    cloud.s3.create_bucket(Bucket=bucket)
    if suspended:
        cloud.s3.put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": "Suspended"}
        )
    etag = cloud.s3.put_object(Bucket=bucket, Key="a.heic", Body=b"words")["ETag"].strip('"')
    record = {"s3": {"bucket": {"name": bucket}, "object": {"key": "a.heic", "eTag": etag}}}
    status = handler(unconverted(record, "heic"), None)["status"]
    assert status.startswith("Kept in source bucket: the bucket is not versioned")
    assert cloud.content(bucket, "a.heic") == b"words"


@pytest.mark.parametrize("key", ["folder/", "a/b.jpg/"])
def test_a_folder_is_kept(cloud: Cloud, key: str) -> None:
    record = cloud.upload(key, b"")
    status = handler(unconverted(record, None), None)["status"]
    assert status == "Kept in source bucket: a folder, an empty object whose key ends in '/'"
    assert cloud.keys(SOURCE) == {key}


@pytest.mark.parametrize(("key", "content"), [("folder/", b"words"), ("empty", b"")])
def test_what_is_only_half_a_folder_is_not_one(cloud: Cloud, key: str, content: bytes) -> None:
    assert handler(unconverted(cloud.upload(key, content)), None)["status"] == DELETED


def test_a_version_that_is_already_noncurrent_leaves_the_current_one(cloud: Cloud) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    cloud.upload("a.jpg", b"words")
    handler(state, None)
    assert cloud.content(SOURCE, "a.jpg") == b"words"


@pytest.mark.parametrize("results", [{"fileType": "jpg"}, {"fileType": "jpg", "images": None}])
def test_a_jpeg_that_was_not_converted_is_not_deleted(
    cloud: Cloud, results: dict[str, object]
) -> None:
    record = cloud.upload("a.jpg", jpeg())
    with pytest.raises(InvalidRecord, match="neither copied nor converted"):
        handler({**record, "results": results}, None)
    assert cloud.keys(SOURCE) == {"a.jpg"}


def test_half_a_conversion_deletes_nothing(cloud: Cloud) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    del state["results"]["images"][1]
    with pytest.raises(InvalidRecord):
        handler(state, None)
    assert cloud.keys(SOURCE) == {"a.jpg"}


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("event", [{}, {"s3": {}}, {"results": {"fileType": "txt"}}])
def test_an_input_that_is_not_a_record(event: dict[str, object]) -> None:
    with pytest.raises(InvalidRecord):
        handler(event, None)


@pytest.mark.parametrize("operation", ["HeadObject", "DeleteObject"])
@pytest.mark.parametrize("code", ["SlowDown", "AccessDenied", "ConditionalRequestConflict"])
def test_an_error_that_may_pass_is_raised_as_it_is(cloud: Cloud, operation: str, code: str) -> None:
    state = unconverted(cloud.upload("a.txt", b"words"))
    refuse(clients.s3(), operation, code, 503)
    with pytest.raises(ClientError, match=code):
        handler(state, None)


def test_without_its_setting_it_deletes_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = unconverted(cloud.upload("a.txt", b"words"))
    monkeypatch.delenv("DESTINATION_BUCKET")
    with pytest.raises(InvalidSettings, match="DESTINATION_BUCKET"):
        handler(state, None)
    assert cloud.keys(SOURCE) == {"a.txt"}


def test_a_look_asks_for_no_checksum(cloud: Cloud) -> None:
    """S3 decrypts an object's checksum with the key, and this function may not use the key."""
    requests: list[str] = []

    def note(request: Any, **_: object) -> None:
        requests.append(f"{request.method} {request.headers.get('x-amz-checksum-mode')}")

    record = converted(cloud.upload("photo.jpg", jpeg()))
    events = clients.s3().meta.events
    events.register_first("before-send.s3.HeadObject", note)
    try:
        handler(record, None)
    finally:
        events.unregister("before-send.s3.HeadObject", note)
    assert set(requests) == {"HEAD None"}


# With settings on keep, it reports what it kept and asks S3 for nothing.
HEIC = b"\0\0\0\x18ftypheic" + bytes(100)


@pytest.fixture
def keeping(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The cloud of a stack that keeps everything."""
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    monkeypatch.setenv("OTHER_TYPES", "keep")
    return cloud


@pytest.fixture
def operations() -> Any:
    """The names of the operations that S3 is asked for."""
    names: list[str] = []

    def note(model: Any, **_: object) -> None:
        names.append(model.name)

    events = clients.s3().meta.events
    events.register_first("before-call.s3", note)
    yield names
    events.unregister("before-call.s3", note)


def test_a_converted_jpeg_is_kept(keeping: Cloud, operations: list[str]) -> None:
    state = converted(keeping.upload("a.jpg", jpeg()))
    operations.clear()
    assert handler(state, None) == {
        "status": "Kept in source bucket: source_after is keep",
        "sourceBucket": SOURCE,
        "destinationBucket": DESTINATION,
    }
    assert operations == [], "it needs no permission on the bucket"
    assert keeping.content(SOURCE, "a.jpg") == jpeg()
    assert keeping.version_count(SOURCE) == 1


@pytest.mark.parametrize(
    ("key", "content", "file_type"),
    [("a.heic", HEIC, "heic"), ("notes", b"words", None), ("folder/", b"", None)],
)
def test_another_file_is_kept(
    keeping: Cloud, operations: list[str], key: str, content: bytes, file_type: str | None
) -> None:
    state = unconverted(keeping.upload(key, content), file_type)
    operations.clear()
    assert handler(state, None)["status"] == "Kept in source bucket: other_types is keep"
    assert operations == []
    assert keeping.content(SOURCE, key) == content
    assert keeping.version_count(SOURCE) == 1


def test_a_jpeg_alone_is_kept(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    handler(converted(cloud.upload("a.jpg", jpeg())), None)
    assert handler(unconverted(cloud.upload("a.heic", HEIC), "heic"), None)["status"] == DELETED
    assert cloud.keys(SOURCE) == {"a.jpg"}


def test_other_types_alone_are_kept(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_TYPES", "keep")
    handler(unconverted(cloud.upload("a.heic", HEIC), "heic"), None)
    assert handler(converted(cloud.upload("a.jpg", jpeg())), None)["status"] == DELETED
    assert cloud.keys(SOURCE) == {"a.heic"}


def test_a_jpeg_that_was_not_converted_is_still_an_error(keeping: Cloud) -> None:
    record = keeping.upload("a.jpg", jpeg())
    with pytest.raises(InvalidRecord, match="neither copied nor converted"):
        handler({**record, "results": {"fileType": "jpg"}}, None)


@pytest.mark.parametrize("variable", ["SOURCE_AFTER", "OTHER_TYPES"])
def test_a_wrong_setting_deletes_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    monkeypatch.setenv(variable, "hide")
    with pytest.raises(InvalidSettings, match=f"{variable} must be one of delete, keep"):
        handler(state, None)
    assert cloud.keys(SOURCE) == {"a.jpg"}


REPROCESSED = "Kept in destination bucket: a reprocess deletes nothing"


@pytest.mark.parametrize("file_type", ["txt", "png", None])
def test_nothing_is_deleted_in_the_destination_bucket(cloud: Cloud, file_type: str | None) -> None:
    stored = cloud.s3.put_object(Bucket=DESTINATION, Key="a", Body=b"words")
    item = {"key": "a", "versionId": stored["VersionId"], "eTag": stored["ETag"].strip('"')}
    execution_input = {"s3": {"bucket": {"name": DESTINATION}, "object": item}}
    assert handler(unconverted(execution_input, file_type), None)["status"] == REPROCESSED
    assert cloud.keys(DESTINATION) == {"a"}


@pytest.mark.parametrize("file_type", ["jpg", "txt"])
def test_a_reprocess_deletes_nothing_in_the_source_bucket_either(
    cloud: Cloud, file_type: str
) -> None:
    record = cloud.upload("a.jpg", jpeg())
    state = converted(record)
    original = state["results"]["images"][0]["original"]
    where = {name: original[name] for name in ("bucket", "key", "versionId", "eTag")}
    state["reprocess"] = {**where, "sourceLastModified": original["sourceLastModified"]}
    if file_type != "jpg":
        state["results"] = {"fileType": file_type}
    assert handler(state, None)["status"] == REPROCESSED
    assert cloud.keys(SOURCE) == {"a.jpg"}
    assert cloud.keys(DESTINATION) == {"a.jpg", "a.png"}
