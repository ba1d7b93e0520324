"""Snapshots take any input of an execution, and count what failed with nothing left to do."""

import json
from typing import Any

import pytest

from tests.durability.invariants import (
    ExecutionSummary,
    Snapshot,
    Stored,
    Upload,
    take_snapshot,
    violations,
)
from tests.durability.load import bursts
from tests.support import images


@pytest.mark.parametrize(
    "execution_input", [None, [], "text", 1, {}, {"s3": None}, {"s3": {"bucket": {"name": "b"}}}]
)
def test_input_that_is_not_a_record_names_no_key(execution_input: Any) -> None:
    assert take_snapshot.key_and_version(json.dumps(execution_input)) == ("", None)


def test_input_that_is_a_record_names_its_version() -> None:
    record = {"s3": {"bucket": {"name": "b"}, "object": {"key": "a b.jpg", "versionId": "v"}}}

    assert take_snapshot.key_and_version(json.dumps(record)) == ("a b.jpg", "v")


def test_what_was_killed_after_the_delete_has_done_everything() -> None:
    assert violations(bursts.corrected(_failed(hidden=True))) == []


def test_what_was_killed_before_the_delete_has_something_left_to_do() -> None:
    snapshot = _failed(hidden=False)
    assert bursts.corrected(snapshot) == snapshot


def _failed(*, hidden: bool) -> Snapshot:
    """Return the snapshot of an execution that failed after it had written its record."""
    jpeg = images.jpeg()
    original, resized = Stored("o", jpeg), Stored("r", images.png(jpeg))
    record = {
        "imageName": "a.jpg",
        "sourceVersionId": "v",
        "images": [
            {"original": {"bucket": "d", "key": "a.jpg", "versionId": "o"}},
            {"resized": {"bucket": "d", "key": "a.png", "versionId": "r"}},
        ],
    }
    return Snapshot(
        uploads=[Upload("a.jpg", "v", jpeg)],
        source={"a.jpg": [Stored("v", jpeg), *[Stored("m", None)] * hidden]},
        destination={"a.jpg": [original], "a.png": [resized]},
        records={"a.jpg": record},
        runs=[ExecutionSummary("e", "a.jpg", "v", "FAILED", error="Runtime.ExitError")],
    )
