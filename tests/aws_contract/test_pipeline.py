"""The real functions under the real state machine, on buckets and a table that moto keeps."""

import json
from typing import Any

import pytest

from tests.support.asl import machine
from tests.support.asl.interpreter import LambdaFailureError, Result
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud, Record, recorded
from tests.support.images import jpeg, pixels

FAIL_STATES = {
    "get_file_type": "QuitMain",
    "copy_file": "QuitCopy",
    "resize_image": "QuitResize",
    "write_to_dynamodb": "QuitMain",
    "delete_file": "QuitMain",
}
each_function = pytest.mark.parametrize("function", machine.HANDLERS)


def assert_converted(cloud: Cloud, result: Result, image: bytes) -> None:
    """What an execution that says SUCCEEDED reports is true."""
    assert (result.status, result.error, result.cause) == ("SUCCEEDED", None, None)
    original = result.output["images"][0]["original"]
    resized = result.output["images"][1]["resized"]
    assert cloud.content(DESTINATION, original["key"], original["versionId"]) == image
    png = cloud.content(DESTINATION, resized["key"], resized["versionId"])
    assert png.startswith(b"\x89PNG")
    assert pixels(png) == pixels(image)


def assert_failed(cloud: Cloud, result: Result, error: str, record: Record, image: bytes) -> None:
    """A failed execution says why, and its source is still the current object."""
    assert (result.status, result.output, result.error) == ("FAILED", None, error)
    assert result.cause is not None
    assert json.loads(result.cause)["errorType"] == error
    item = record["s3"]["object"]
    current = cloud.s3.head_object(Bucket=SOURCE, Key=item["key"])
    assert current["VersionId"] == item["versionId"]
    assert cloud.content(SOURCE, item["key"]) == image


def key_tree(value: Any) -> Any:
    """Return the names in a JSON value, without what stands there."""
    if isinstance(value, dict):
        return {name: key_tree(item) for name, item in value.items()}
    if isinstance(value, list):
        return [key_tree(item) for item in value]
    return None


class TestSuccess:
    def test_the_article_s_input_makes_the_article_s_output(self, cloud: Cloud) -> None:
        uploaded = cloud.upload("1.jpg", jpeg())
        event = recorded("article_input")
        event["s3"]["bucket"]["name"] = SOURCE
        event["s3"]["object"]["eTag"] = uploaded["s3"]["object"]["eTag"]
        result = machine.run(event)
        assert_converted(cloud, result, jpeg())
        article = recorded("article_output")
        for place, kind in enumerate(("original", "resized")):
            printed = article["images"][place][kind]
            actual = result.output["images"][place][kind]
            assert printed.keys() <= actual.keys()
            assert (actual["region"], actual["key"]) == (printed["region"], printed["key"])
            # We may add to what the article prints of an image, and to nothing else.
            result.output["images"][place][kind] = {name: actual[name] for name in printed}
        assert key_tree(result.output) == key_tree(article)
        assert result.output["fileType"] == "jpg"
        for status in ("writeStatus", "deletionStatus"):
            assert result.output[status]["status"] == article[status]["status"]

    @pytest.mark.parametrize("key", ["a b+c%2B.JPEG", "Straße/猫", "photo.txt", "/photo.jpg"])
    def test_an_image_of_any_name(self, cloud: Cloud, key: str) -> None:
        result = machine.run(cloud.upload(key, jpeg()))
        assert_converted(cloud, result, jpeg())
        assert cloud.keys(SOURCE) == set()
        record = cloud.item(key)
        assert record is not None
        assert (
            record["images"]["L"][1]["M"]["resized"]["M"]["versionId"]["S"]
            == (result.output["images"][1]["resized"]["versionId"])
        )

    def test_the_states_follow_each_other_as_in_the_article(self, cloud: Cloud) -> None:
        states = machine.run(cloud.upload("a.jpg", jpeg())).states
        assert states[:3] == ["GetFileType", "CheckFileType", "ProcessFile"]
        assert set(states[3:5]) == {"CopyToDestination", "ResizeImage"}
        assert states[5:] == ["WriteToDynamoDb", "DeleteSourceFile"]

    def test_the_least_input(self, cloud: Cloud) -> None:
        cloud.upload("a.jpg", jpeg())
        event = {"s3": {"bucket": {"name": SOURCE}, "object": {"key": "a.jpg"}}}
        assert_converted(cloud, machine.run(event), jpeg())
        assert cloud.keys(SOURCE) == set()


@pytest.mark.parametrize(
    ("key", "content", "file_type"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n", "png"),
        ("a.txt", b"words", "txt"),
        ("a.jpg", b"%PDF-1.7", "pdf"),
        ("a", b"words", None),
    ],
)
def test_what_is_not_a_jpeg_is_deleted_and_stays_recoverable(
    cloud: Cloud, key: str, content: bytes, file_type: str | None
) -> None:
    record = cloud.upload(key, content)
    result = machine.run(record)
    assert result.output == {
        "fileType": file_type,
        "deletionStatus": {
            "status": "Deleted from source bucket",
            "sourceBucket": SOURCE,
            "destinationBucket": DESTINATION,
        },
    }
    assert result.states == ["GetFileType", "CheckFileType", "DeleteSourceFile"]
    assert cloud.keys(SOURCE) == cloud.keys(DESTINATION) == set()
    assert cloud.content(SOURCE, key, record["s3"]["object"]["versionId"]) == content


class TestWhatCanNeverSucceed:
    """It fails at once, says why, and loses nothing."""

    @pytest.mark.parametrize(
        ("key", "content", "error"),
        [
            ("a.jpg", jpeg(64, 64)[:-300], "DamagedImage"),
            ("a.jpg", b"\xff\xd8\xff" + b"\0" * 100, "DamagedImage"),
            ("x" * 1021, jpeg(), "KeyTooLong"),
        ],
    )
    def test_an_image(self, cloud: Cloud, key: str, content: bytes, error: str) -> None:
        record = cloud.upload(key, content)
        result = machine.run(record)
        assert_failed(cloud, result, error, record, content)
        assert result.waits == []
        assert "QuitResize" in result.states
        assert cloud.item(key) is None

    def test_an_image_of_more_pixels_than_the_memory_takes(
        self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MAX_IMAGE_PIXELS", "100")
        record = cloud.upload("a.jpg", jpeg())
        result = machine.run(record)
        assert_failed(cloud, result, "ImageTooLarge", record, jpeg())
        assert result.waits == []

    @pytest.mark.parametrize("event", [{}, {"s3": {}}, {"Records": []}, {"s3": {"object": {}}}])
    def test_an_input_that_is_not_a_record(self, cloud: Cloud, event: dict[str, Any]) -> None:
        cloud.upload("a.jpg", jpeg())
        result = machine.run(event)
        assert (result.status, result.error) == ("FAILED", "InvalidRecord")
        assert "s3.bucket.name is missing" in str(result.cause)
        assert result.states == ["GetFileType", "QuitMain"]
        assert result.waits == []
        assert cloud.keys(SOURCE) == {"a.jpg"}

    @pytest.mark.parametrize(
        ("field", "value"), [("key", "b.jpg"), ("versionId", "no-such-version")]
    )
    def test_an_object_that_is_not_there(self, cloud: Cloud, field: str, value: str) -> None:
        record = cloud.upload("a.jpg", jpeg())
        record["s3"]["object"][field] = value
        result = machine.run(record)
        assert (result.status, result.error) == ("FAILED", "SourceNotFound")
        assert result.waits == []

    def test_a_bucket_that_is_not_there(self, cloud: Cloud) -> None:
        record = cloud.upload("a.jpg", jpeg())
        record["s3"]["bucket"]["name"] = "no-such-bucket"
        assert machine.run(record).error == "SourceNotFound"

    def test_the_article_s_input_with_another_object_of_its_key(self, cloud: Cloud) -> None:
        uploaded = cloud.upload("1.jpg", jpeg())
        event = recorded("article_input")
        event["s3"]["bucket"]["name"] = SOURCE
        result = machine.run(event)
        assert_failed(cloud, result, "SourceChanged", uploaded, jpeg())
        assert result.waits == []

    @pytest.mark.parametrize(
        ("function", "variable"),
        [
            ("resize_image", "MAX_IMAGE_PIXELS"),
            ("write_to_dynamodb", "TABLE_NAME"),
            ("delete_file", "DESTINATION_BUCKET"),
        ],
    )
    def test_a_setting_that_is_missing(
        self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, function: str, variable: str
    ) -> None:
        record = cloud.upload("a.jpg", jpeg())

        def without(event: Any, context: Any) -> Any:
            with monkeypatch.context() as environment:
                environment.delenv(variable)
                return machine.HANDLERS[function](event, context)

        result = machine.run(record, **{function: without})
        assert_failed(cloud, result, "InvalidSettings", record, jpeg())
        assert variable in str(result.cause)


@each_function
class TestFaults:
    """A function fails before or after its effect, once or until its retries end."""

    @pytest.mark.parametrize("after", [False, True])
    @pytest.mark.parametrize("times", [1, 2])
    def test_that_pass(self, cloud: Cloud, function: str, after: bool, times: int) -> None:
        record = cloud.upload("a.jpg", jpeg())
        faulty = machine.failing(function, times, after_its_effect=after)
        result = machine.run(record, **{function: faulty})
        assert_converted(cloud, result, jpeg())
        assert result.waits == [5, 10][:times]
        assert cloud.keys(SOURCE) == set()
        assert cloud.version_count(SOURCE) == 2
        assert cloud.version_count(DESTINATION) == 2

    @pytest.mark.parametrize("after", [False, True])
    def test_that_stay(self, cloud: Cloud, function: str, after: bool) -> None:
        record = cloud.upload("a.jpg", jpeg())
        faulty = machine.failing(function, after_its_effect=after)
        result = machine.run(record, **{function: faulty})
        assert (result.status, result.error) == ("FAILED", "ConnectionError")
        assert json.loads(str(result.cause))["errorMessage"] == f"{function} lost its connection"
        assert result.waits == [5, 10]
        assert FAIL_STATES[function] in result.states
        item = record["s3"]["object"]
        assert cloud.content(SOURCE, "a.jpg", item["versionId"]) == jpeg()
        deleted = function == "delete_file" and after
        assert cloud.keys(SOURCE) == (set() if deleted else {"a.jpg"})
        # Started again when the fault is gone, it succeeds and has written nothing twice.
        assert_converted(cloud, machine.run(record), jpeg())
        assert cloud.version_count(DESTINATION) == 2
        assert cloud.keys(SOURCE) == set()

    def test_of_lambda_itself(self, cloud: Cloud, function: str) -> None:
        calls: list[object] = []

        def throttled(event: Any, context: Any) -> Any:
            calls.append(event)
            if len(calls) <= 4:
                raise LambdaFailureError("Lambda.TooManyRequestsException", "Rate Exceeded.")
            return machine.HANDLERS[function](event, context)

        result = machine.run(cloud.upload("a.jpg", jpeg()), **{function: throttled})
        assert_converted(cloud, result, jpeg())
        assert len(result.waits) == 4
        # Full jitter: anything up to 1, 2, 4, 8 seconds.
        assert all(0 <= wait <= 2**number for number, wait in enumerate(result.waits))

    def test_a_newer_upload_before_it_is_neither_lost_nor_hidden(
        self, cloud: Cloud, function: str
    ) -> None:
        older = cloud.upload("a.jpg", jpeg())
        uploads: list[Record] = []
        result = machine.run(
            older,
            **{
                function: machine.preceded(
                    function, lambda: uploads.append(cloud.upload("a.jpg", jpeg(seed=1)))
                )
            },
        )
        assert_converted(cloud, result, jpeg())
        assert result.output["deletionStatus"]["status"].startswith("Kept in source bucket")
        assert cloud.content(SOURCE, "a.jpg") == jpeg(seed=1)
        assert_converted(cloud, machine.run(uploads[0]), jpeg(seed=1))
        assert cloud.keys(SOURCE) == set()
        assert cloud.content(DESTINATION, "a.jpg") == jpeg(seed=1)


def test_both_branches_fail(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg())
    result = machine.run(
        record,
        copy_file=machine.failing("copy_file"),
        resize_image=machine.failing("resize_image"),
    )
    assert_failed(cloud, result, "ConnectionError", record, jpeg())
    assert {"QuitCopy", "QuitResize"} & set(result.states)
    assert cloud.item("a.jpg") is None


class TestDelivery:
    def test_the_same_upload_twice(self, cloud: Cloud) -> None:
        record = cloud.upload("a.jpg", jpeg())
        first, second = machine.run(record), machine.run(record)
        assert_converted(cloud, second, jpeg())
        assert second.output["images"] == first.output["images"]
        assert second.output["deletionStatus"]["status"] == "Already deleted from source bucket"
        assert cloud.version_count(SOURCE) == 2
        assert cloud.version_count(DESTINATION) == 2

    def test_two_uploads_of_a_key_in_the_wrong_order(self, cloud: Cloud) -> None:
        older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
        assert_converted(cloud, machine.run(newer), jpeg(seed=1))
        late = machine.run(older)
        assert_converted(cloud, late, jpeg())
        assert late.output["writeStatus"]["status"] == "Item of a newer upload kept"
        assert cloud.content(DESTINATION, "a.jpg") == jpeg(seed=1)
        assert pixels(cloud.content(DESTINATION, "a.png")) == pixels(jpeg(seed=1))
        item = cloud.item("a.jpg")
        assert item is not None
        assert item["sourceVersionId"]["S"] == newer["s3"]["object"]["versionId"]

    def test_an_overwrite_between_the_two_branches_of_an_unversioned_input(
        self, cloud: Cloud
    ) -> None:
        """Copy and PNG would be of two images: it fails, and the newer one stays."""
        cloud.upload("a.jpg", jpeg())
        event = {"s3": {"bucket": {"name": SOURCE}, "object": {"key": "a.jpg"}}}

        def second_branch(event: Any, context: Any) -> Any:
            cloud.upload("a.jpg", jpeg(seed=1))
            return machine.HANDLERS["resize_image"](event, context)

        def joined(event: Any, context: Any) -> Any:
            state = event["state"]
            state["results"]["images"][1]["resized"] = second_branch(state, context)
            return machine.HANDLERS["write_to_dynamodb"](event, context)

        result = machine.run(event, write_to_dynamodb=joined)
        assert (result.status, result.error) == ("FAILED", "SourceChanged")
        assert cloud.content(SOURCE, "a.jpg") == jpeg(seed=1)
        assert cloud.item("a.jpg") is None


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("a.jpg", b"words"),
        ("A.JFIF", b"\xef\xbb\xbf" + jpeg()),
        ("a", b"\xff\xd8\0\0" + jpeg()),
        ("a.txt", b""),
    ],
)
def test_what_may_be_a_jpeg_and_is_of_no_known_type_fails_and_stays(
    cloud: Cloud, key: str, content: bytes
) -> None:
    record = cloud.upload(key, content)
    result = machine.run(record)
    assert_failed(cloud, result, "UnknownType", record, content)
    assert result.states == ["GetFileType", "QuitMain"]
    assert cloud.keys(DESTINATION) == set()


def test_a_folder_is_left_alone(cloud: Cloud) -> None:
    result = machine.run(cloud.upload("holidays.jpg/", b""))
    assert result.status == "SUCCEEDED"
    assert result.output["fileType"] is None
    assert result.output["deletionStatus"]["status"].startswith("Kept in source bucket: a folder")
    assert cloud.keys(SOURCE) == {"holidays.jpg/"}


class TestWhatOnlyLaterStatesWrite:
    """An input has it too, by mistake or not; the first state drops it."""

    @pytest.mark.parametrize("left_out", [(), ("eTag", "versionId")])
    def test_a_file_that_is_not_a_jpeg_is_judged_as_ever(
        self, cloud: Cloud, left_out: tuple[str, ...]
    ) -> None:
        """With images, it would count as copied, and be deleted where nothing brings it back."""
        cloud.keep_versions("Suspended")
        record = cloud.upload("a.txt", b"%PDF-words")
        images = [{"original": _forged(cloud, record)}, {"resized": _forged(cloud, record)}]
        for name in left_out:
            del record["s3"]["object"][name]
        result = machine.run({**record, "results": {"images": images}})
        assert result.output["deletionStatus"]["status"].startswith("Kept in source bucket")
        assert cloud.content(SOURCE, "a.txt") == b"%PDF-words"
        assert result.output.keys() == {"fileType", "deletionStatus"}

    def test_a_jpeg_s_output_is_what_was_made(self, cloud: Cloud) -> None:
        record = cloud.upload("a.jpg", jpeg())
        forged = {"original": {"key": "forged"}, "resized": {"key": "forged"}, "forged": 1}
        result = machine.run(
            {**record, "image": forged, "error": {"Error": "Forged"}, "results": {"images": []}}
        )
        assert_converted(cloud, result, jpeg())
        assert [image.keys() for image in result.output["images"]] == [{"original"}, {"resized"}]


def _forged(cloud: Cloud, record: Record) -> dict[str, str]:
    """Return what an image made from that object would say of it."""
    item = record["s3"]["object"]
    current = cloud.s3.head_object(Bucket=SOURCE, Key=item["key"])
    return {
        "sourceVersionId": item["eTag"],
        "sourceETag": item["eTag"],
        "sourceLastModified": current["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
