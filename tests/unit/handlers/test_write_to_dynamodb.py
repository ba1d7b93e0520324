"""The record describes the newest upload, however often and in whatever order it is written."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from image_converter import clients, locations, records
from image_converter.errors import EventNotSent, InvalidRecord, InvalidSettings, SourceChanged
from image_converter.handlers.write_to_dynamodb import handler
from scripts.cost.model import item_bytes
from tests.support.awkward_keys import AWKWARD_KEYS
from tests.support.fake_cloud import SOURCE, TABLE, Cloud, edited, recorded
from tests.support.faults import refuse
from tests.support.images import jpeg
from tests.support.states import converted, unconverted


def item(cloud: Cloud, name: str) -> dict[str, Any]:
    """Return the table's record of an image as plain values."""
    stored = cloud.item(name)
    assert stored is not None
    read = TypeDeserializer().deserialize
    return {attribute: read(value) for attribute, value in stored.items()}


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_the_record_says_what_was_made_of_the_image(cloud: Cloud, key: str) -> None:
    state = converted(cloud.upload(key, jpeg(30, 20)))
    answer = handler(state, None)
    assert answer["status"] == "Item saved successfully"
    written = item(cloud, key)
    assert datetime.fromisoformat(written.pop("writtenAt")).tzinfo == UTC
    original = state["results"]["images"][0]["original"]
    assert written == {
        "imageName": key,
        "images": _without_source(_whole(state)),
        "fileType": "jpg",
        "sourceBucket": SOURCE,
        "sourceVersionId": state["s3"]["object"]["versionId"],
        "sourceETag": state["s3"]["object"]["eTag"],
        "sourceLastModified": original["sourceLastModified"],
        "sequencer": state["s3"]["object"]["sequencer"].ljust(32, "0"),
        "uploadedAt": "1970-01-01T00:00:00.000Z",
    }
    assert written["images"][1]["resized"]["width"] == 30
    assert written["images"][1]["resized"]["contentType"] == "image/png"
    assert written["images"][0]["original"]["contentType"] == "binary/octet-stream"


def test_the_record_is_found_as_it_was_written(cloud: Cloud) -> None:
    assert records.find(TABLE, "a.jpg") is None
    handler(converted(cloud.upload("a.jpg", jpeg())), None)
    assert records.find(TABLE, "a.jpg") == item(cloud, "a.jpg")


@pytest.mark.parametrize("value", [None, True, "text", 7, 0.5, [1, ["a"]], {"a": {"b": None}}])
def test_json_values_come_back_as_they_were(value: Any) -> None:
    assert records.from_attribute_value(records.to_attribute_value(value)) == value


def test_a_set_is_not_a_json_value() -> None:
    with pytest.raises(TypeError, match="'SS'"):
        records.from_attribute_value({"SS": ["a"]})


def _without_source(value: Any) -> Any:
    """Return what was found with no field that names the source version, at any depth."""
    if isinstance(value, list):
        return [_without_source(element) for element in value]
    if isinstance(value, dict):
        return {k: _without_source(v) for k, v in value.items() if not k.startswith("source")}
    return value


def _whole(state: dict[str, Any]) -> list[dict[str, Any]]:
    original, resized = locations.required_images(state)
    return [{"original": original}, {"resized": resized}]


def test_further_renditions_do_not_repeat_the_source_either(cloud: Cloud) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    resized = state["results"]["images"][1]["resized"]
    state["results"]["images"][1]["resized"] = {**resized, "renditions": [resized]}
    handler(state, None)
    assert item(cloud, "a.jpg")["images"] == _without_source(_whole(state))


def test_the_record_of_a_short_key_is_a_single_kb(cloud: Cloud) -> None:
    new = records.item(converted(cloud.upload("holiday/DSC_0042.jpg", jpeg())))
    assert item_bytes(new) < 1024


def test_the_answer_has_the_article_s_shape(cloud: Cloud) -> None:
    article = recorded("article_output")["writeStatus"]
    answer: Any = handler(converted(cloud.upload("1.jpg", jpeg())), None)
    assert answer.keys() == article.keys()
    details = answer["details"]["$metadata"]
    assert details.keys() == article["details"]["$metadata"].keys()
    assert details == {
        "httpStatusCode": 200,
        "requestId": details["requestId"],
        "attempts": 1,
        "totalRetryDelay": 0,
    }
    assert details["requestId"]


def test_written_again_the_record_says_the_same(cloud: Cloud) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    handler(state, None)
    first = item(cloud, "a.jpg")
    handler(state, None)
    second = item(cloud, "a.jpg")
    assert {**second, "writtenAt": first["writtenAt"]} == first


def test_a_newer_upload_s_record_replaces_an_older_one_s(cloud: Cloud) -> None:
    older = converted(cloud.upload("a.jpg", jpeg()))
    newer = converted(cloud.upload("a.jpg", jpeg(seed=1)))
    handler(older, None)
    handler(newer, None)
    assert item(cloud, "a.jpg")["sourceVersionId"] == newer["s3"]["object"]["versionId"]


def test_a_newer_upload_s_record_stays(cloud: Cloud) -> None:
    older = converted(cloud.upload("a.jpg", jpeg()))
    newer = converted(cloud.upload("a.jpg", jpeg(seed=1)))
    handler(newer, None)
    answer = handler(older, None)
    assert answer["status"] == "Item of a newer upload kept"
    assert item(cloud, "a.jpg")["sourceVersionId"] == newer["s3"]["object"]["versionId"]


@pytest.mark.parametrize("padding", ["", "0", "00"])
def test_a_sequencer_s_length_does_not_matter(cloud: Cloud, padding: str) -> None:
    older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
    older = edited(older, sequencer="0055AED6DCD90281E5" + padding)
    newer = edited(newer, sequencer="0056")
    states = converted(older), converted(newer)
    handler(states[1], None)
    assert handler(states[0], None)["status"] == "Item of a newer upload kept"


@pytest.mark.parametrize("started_by_a_person", ["older", "newer", "both"])
@pytest.mark.parametrize("older_last", [True, False])
def test_without_sequencers_time_decides_the_order(
    cloud: Cloud, started_by_a_person: str, older_last: bool
) -> None:
    older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
    cloud.date(older, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
    if started_by_a_person != "newer":
        del older["s3"]["object"]["sequencer"]
    if started_by_a_person != "older":
        del newer["s3"]["object"]["sequencer"]
    states = [converted(older), converted(newer)]
    for state in reversed(states) if older_last else states:
        handler(state, None)
    assert item(cloud, "a.jpg")["sourceVersionId"] == newer["s3"]["object"]["versionId"]


def test_the_least_record_is_written_down(cloud: Cloud) -> None:
    cloud.upload("a.jpg", jpeg())
    event = {"s3": {"bucket": {"name": SOURCE}, "object": {"key": "a.jpg"}}}
    handler(converted(event), None)
    written = item(cloud, "a.jpg")
    assert not {"sequencer", "uploadedAt"} & written.keys()


def test_an_original_and_a_png_of_two_versions_are_not_recorded(cloud: Cloud) -> None:
    named_by_its_key = {"s3": {"bucket": {"name": SOURCE}, "object": {"key": "a.jpg"}}}
    cloud.upload("a.jpg", jpeg())
    first = converted(named_by_its_key)
    cloud.upload("a.jpg", jpeg(seed=1))
    second = converted(named_by_its_key)
    first["results"]["images"][1] = second["results"]["images"][1]
    with pytest.raises(SourceChanged, match=r"s3\.object\.versionId"):
        handler(first, None)
    assert cloud.item("a.jpg") is None


def test_a_state_without_images_is_refused(cloud: Cloud) -> None:
    with pytest.raises(InvalidRecord, match="images"):
        handler(unconverted(cloud.upload("a.txt", b"words")), None)


@pytest.mark.parametrize("image", [0, 1])
def test_an_image_without_its_version_is_refused(cloud: Cloud, image: int) -> None:
    named_by_its_key = cloud.upload("a.jpg", jpeg())
    del named_by_its_key["s3"]["object"]["versionId"], named_by_its_key["s3"]["object"]["eTag"]
    state = converted(named_by_its_key)
    (location,) = state["results"]["images"][image].values()
    del location["sourceETag"]
    with pytest.raises(InvalidRecord, match="sourceETag"):
        handler(state, None)


@pytest.mark.parametrize(
    "code", ["ProvisionedThroughputExceededException", "ThrottlingException", "InternalServerError"]
)
def test_an_error_that_may_pass_is_raised_as_it_is(cloud: Cloud, code: str) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    refuse(clients.dynamodb(), "PutItem", code, 500)
    with pytest.raises(ClientError, match=code):
        handler(state, None)


def test_a_table_that_is_not_there(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    monkeypatch.setenv("TABLE_NAME", "no-such-table")
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        handler(state, None)


def test_the_table_s_name_is_needed(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    monkeypatch.delenv("TABLE_NAME")
    with pytest.raises(InvalidSettings, match="TABLE_NAME"):
        handler(state, None)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The events that are sent; the stack has a bus."""
    monkeypatch.setenv("EVENT_BUS", "default")
    monkeypatch.setenv("EVENT_SOURCE", "image-converter")
    entries: list[dict[str, Any]] = []

    class Bus:
        def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
            entries.extend(Entries)
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}

    monkeypatch.setattr(clients, "events", Bus)
    return entries


EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:image-converter:a"


def test_without_a_bus_no_event_is_sent(
    cloud: Cloud, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EVENT_BUS")
    state = converted(cloud.upload("a.jpg", jpeg()))
    assert handler({"state": state, "execution": EXECUTION}, None) is not None
    assert item(cloud, "a.jpg")
    assert not sent


def test_the_event_follows_the_record(cloud: Cloud, sent: list[dict[str, Any]]) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    handler({"state": state, "execution": EXECUTION}, None)
    [entry] = sent
    assert (entry["Source"], entry["DetailType"]) == ("image-converter", "Image Converted")
    detail = json.loads(entry["Detail"])
    assert detail["execution"] == EXECUTION
    assert detail["object"]["version-id"] == state["s3"]["object"]["versionId"]
    assert detail["outputs"] == [locations.required_images(state)[1]]
    assert detail["outputs"][0]["sourceVersionId"] == state["s3"]["object"]["versionId"]


def test_an_image_that_is_older_than_the_record_has_its_event(
    cloud: Cloud, sent: list[dict[str, Any]]
) -> None:
    older = converted(cloud.upload("a.jpg", jpeg()))
    newer = converted(cloud.upload("a.jpg", jpeg(seed=1)))
    for state in (newer, older):
        handler({"state": state, "execution": EXECUTION}, None)
    versions = [json.loads(event["Detail"])["object"]["version-id"] for event in sent]
    assert versions == [state["s3"]["object"]["versionId"] for state in (newer, older)]


def test_no_event_is_sent_of_what_is_not_recorded(cloud: Cloud, sent: list[dict[str, Any]]) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    refuse(clients.dynamodb(), "PutItem", "InternalServerError", 500)
    with pytest.raises(ClientError, match="InternalServerError"):
        handler({"state": state, "execution": EXECUTION}, None)
    assert not sent


def test_an_event_that_cannot_be_sent_is_sent_by_the_next_attempt(
    cloud: Cloud, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing:
        def put_events(self, **_: object) -> dict[str, Any]:
            return {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]}

    event = {"state": converted(cloud.upload("a.jpg", jpeg())), "execution": EXECUTION}
    with monkeypatch.context() as patch:
        patch.setattr(clients, "events", Refusing)
        with pytest.raises(EventNotSent):
            handler(event, None)
    assert item(cloud, "a.jpg"), "the record is written"
    handler(event, None)
    assert len(sent) == 1
