"""What is observed of a stack survives executions that somebody started by hand, with any input."""

import json
from typing import Any

import pytest

from tests.durability.invariants import take_snapshot


@pytest.mark.parametrize(
    "execution_input", [None, [], "text", 1, {}, {"s3": None}, {"s3": {"bucket": {"name": "b"}}}]
)
def test_input_that_is_not_a_record_names_no_key(execution_input: Any) -> None:
    assert take_snapshot.key_and_version(json.dumps(execution_input)) == ("", None)


def test_input_that_is_a_record_names_its_version() -> None:
    record = {"s3": {"bucket": {"name": "b"}, "object": {"key": "a b.jpg", "versionId": "v"}}}

    assert take_snapshot.key_and_version(json.dumps(record)) == ("a b.jpg", "v")
