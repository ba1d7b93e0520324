"""An execution's input is a record, or is refused with a sentence that says what is missing."""

from typing import Any

import pytest

from image_converter import events
from image_converter.errors import InvalidRecord
from tests.support.fake_cloud import recorded


def test_the_article_s_record() -> None:
    record = events.parse_record(recorded("article_input"))
    assert record.bucket == "poc-2-transform-init-bucket"
    assert record.key == "1.jpg"
    assert record.version_id is None
    assert record.etag == "d93c7bc95f0e90dff6fc89098ccfe36b"
    assert record.sequencer is None  # it did not come through the queue
    assert record.event_time == "2023-11-05T16:53:33.584Z"


def test_the_record_of_a_notification() -> None:
    sent = recorded("s3_created_2_1")["Records"][0]
    record = events.parse_record(events.execution_input(sent))
    assert record.sequencer == "0055AED6DCD90281E5" + "0" * 14
    assert record._replace(sequencer=None) == events.parse_record(sent)


@pytest.mark.parametrize("name", ["sequencer", "key", "eTag", "versionId", "sequencerOf"])
@pytest.mark.parametrize("value", ["another", None])
def test_a_sequencer_is_of_one_version_of_one_object(name: str, value: str | None) -> None:
    execution_input = events.execution_input(recorded("s3_created_2_1")["Records"][0])
    assert events.parse_record(execution_input).sequencer
    execution_input["s3"]["object"][name] = value
    if (name, value) != ("key", None):
        assert events.parse_record(execution_input).sequencer is None


def test_a_sequencer_is_of_one_bucket() -> None:
    execution_input = events.execution_input(recorded("s3_created_2_1")["Records"][0])
    execution_input["s3"]["bucket"]["name"] = "another"
    assert events.parse_record(execution_input).sequencer is None


def test_the_least_that_is_a_record() -> None:
    event = {"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}
    assert events.parse_record(event) == events.Record(bucket="b", key="k")


def test_what_is_null_or_empty_is_not_there() -> None:
    item = {"key": "k", "versionId": None, "eTag": "", "sequencer": ""}
    event = {"s3": {"bucket": {"name": "b"}, "object": item}}
    assert events.parse_record(event) == events.Record(bucket="b", key="k")


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ({}, "s3.bucket.name is missing"),
        ([], "s3.bucket.name is missing"),
        ("text", "s3.bucket.name is missing"),
        (None, "s3.bucket.name is missing"),
        ({"s3": None}, "s3.bucket.name is missing"),
        ({"s3": {"bucket": "b", "object": {"key": "k"}}}, "s3.bucket.name is missing"),
        ({"s3": {"bucket": {"name": ""}, "object": {"key": "k"}}}, "s3.bucket.name is missing"),
        ({"s3": {"bucket": {"name": "b"}}}, "s3.object.key is missing"),
        ({"s3": {"bucket": {"name": "b"}, "object": {"key": ""}}}, "s3.object.key is missing"),
        ({"s3": {"bucket": {"name": "b"}, "object": {"key": 1}}}, "s3.object.key must be a string"),
        ({"Records": [{"s3": {}}]}, "s3.bucket.name is missing"),
        (
            {"s3": {"bucket": {"name": "b"}, "object": {"key": "k", "versionId": 7}}},
            "s3.object.versionId must be a string",
        ),
    ],
)
def test_an_input_that_is_not_a_record_is_refused_and_says_what_is_wrong(
    event: Any, what: str
) -> None:
    with pytest.raises(InvalidRecord, match=what):
        events.parse_record(event)


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6"),
        # The shorter one is padded on its right, as S3 documents the comparison.
        ("0055AED6DCD90281", "0055AED6DCD90281E5"),
        ("0055AED6DCD90281E5", "0056"),
        ("0055aed6dcd90281e5", "0055AED6DCD90281E6"),
    ],
)
def test_sequencers_compare_as_uploads_follow_each_other(earlier: str, later: str) -> None:
    first, second = events.padded_sequencer(earlier), events.padded_sequencer(later)
    assert first is not None
    assert second is not None
    assert first < second


def test_the_version_null_is_not_a_version_of_its_own() -> None:
    assert events.real_version_id("null") is None
    assert events.real_version_id(None) is None
    assert events.real_version_id("4ab7") == "4ab7"


REPROCESS: dict[str, Any] = {
    "s3": {"bucket": {"name": "source"}, "object": {"key": "a.jpg", "eTag": "e"}},
    "reprocess": {
        "bucket": "destination",
        "key": "in/a.jpg",
        "eTag": '"c"',
        "sourceLastModified": "2026-01-02T03:04:05Z",
    },
}


def test_a_reprocess_says_where_the_copy_is() -> None:
    record = events.parse_record(REPROCESS)
    assert (record.bucket, record.key) == ("source", "a.jpg")
    assert record.copy == events.Copy("destination", "in/a.jpg", None, "c", "2026-01-02T03:04:05Z")


@pytest.mark.parametrize("name", REPROCESS["reprocess"])
def test_a_reprocess_that_does_not_say_it_all_is_refused(name: str) -> None:
    lacking = {
        kept: REPROCESS["reprocess"][kept] for kept in REPROCESS["reprocess"].keys() - {name}
    }
    with pytest.raises(InvalidRecord, match=name):
        events.parse_record({**REPROCESS, "reprocess": lacking})


def test_a_reprocess_must_name_the_source_by_its_etag() -> None:
    unnamed = {"bucket": {"name": "source"}, "object": {"key": "a.jpg"}}
    with pytest.raises(InvalidRecord, match="eTag"):
        events.parse_record({**REPROCESS, "s3": unnamed})


def test_nobody_waits_for_a_reprocess_since_the_upload() -> None:
    record = events.parse_record({**REPROCESS, "eventTime": "2026-01-02T03:04:05.000Z"})
    assert events.seconds_since_upload(record) is None
    assert events.seconds_since_upload(record._replace(copy=None))
