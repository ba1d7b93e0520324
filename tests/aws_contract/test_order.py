"""What orders uploads of one key: S3's sequencers that came through the queue, or S3's times."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support.asl import machine
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud, Record, recorded
from tests.support.images import jpeg

A, B, C = jpeg(), jpeg(seed=1), jpeg(seed=2)
EARLIER = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)


def sample(record: Record, **fields: object) -> dict[str, Any]:
    """Return AWS's sample event with another object, as a person starts an execution with it.

    https://docs.aws.amazon.com/lambda/latest/dg/with-s3-example.html
    """
    event: dict[str, Any] = recorded("article_input")
    event["s3"]["bucket"]["name"] = SOURCE
    item = {"key": record["s3"]["object"]["key"], "sequencer": "0A1B2C3D4E5F678901", **fields}
    event["s3"]["object"] = item
    return event


def assert_current(cloud: Cloud, body: bytes) -> None:
    assert cloud.content(DESTINATION, "a.jpg") == body
    assert cloud.keys(DESTINATION) == {"a.jpg", "a.png"}


@pytest.mark.parametrize("fields", [(), ("eTag",), ("versionId",), ("eTag", "versionId")])
def test_a_sequencer_by_hand_spoils_no_key(cloud: Cloud, fields: tuple[str, ...]) -> None:
    first = cloud.upload("a.jpg", A)
    cloud.date(first, EARLIER)
    execution_input = sample(first, **{name: first["s3"]["object"][name] for name in fields})
    assert machine.run(execution_input).status == "SUCCEEDED"
    assert_current(cloud, A)
    assert machine.run(cloud.upload("a.jpg", B)).status == "SUCCEEDED"
    assert_current(cloud, B)
    item = cloud.item("a.jpg")
    assert item is not None
    assert item["sequencer"]["S"].startswith("0055")
    assert machine.run(cloud.upload("a.jpg", C)).status == "SUCCEEDED"
    assert_current(cloud, C)


def test_an_input_that_was_copied_and_edited_goes_by_s3_s_times(cloud: Cloud) -> None:
    """Somebody copies a newer upload's input and puts an older version's id into it."""
    older, newer = cloud.upload("a.jpg", A), cloud.upload("a.jpg", B)
    cloud.date(older, EARLIER)
    machine.run(newer)
    edited = {**newer, "s3": {**newer["s3"], "object": {**newer["s3"]["object"]}}}
    edited["s3"]["object"].update(
        {name: older["s3"]["object"][name] for name in ("versionId", "eTag")}
    )
    result = machine.run(edited)
    assert result.output["images"][0]["original"]["key"].startswith("aside/")
    assert cloud.content(DESTINATION, "a.jpg") == B


def test_an_input_that_is_started_again_keeps_its_place(cloud: Cloud) -> None:
    """As `make redrive` does, under another name: nothing else orders a second's uploads."""
    older, newer = cloud.upload("a.jpg", A), cloud.upload("a.jpg", B)
    machine.run(newer)
    restarted = machine.run(older)
    assert restarted.output["images"][0]["original"]["key"].startswith("aside/")
    assert cloud.content(DESTINATION, "a.jpg") == B


def test_the_article_s_input_is_not_trusted_with_the_order(cloud: Cloud) -> None:
    cloud.upload("1.jpg", A)
    event = recorded("article_input")
    event["s3"]["bucket"]["name"] = SOURCE
    del event["s3"]["object"]["eTag"]
    assert machine.run(event).status == "SUCCEEDED"
    assert "source-sequencer" not in cloud.metadata("1.jpg")
