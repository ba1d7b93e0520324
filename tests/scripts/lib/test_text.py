"""What a state has added to its input, as reports show it."""

import json

import pytest

from scripts.lib import text


@pytest.mark.parametrize(
    ("output", "state_input", "expected"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"a": 1, "b": {"c": 2}}, {"b": {"d": 3}}),
        ({"a": None}, {}, {"a": None}),
        ({"a": [1, 2]}, {"a": [1]}, {"a": [1, 2]}),
        ({"a": 1}, {"a": 1, "b": 2}, {}),
        ({"a": {}}, {"a": {"b": 1}}, {"a": {}}),
    ],
)
def test_what_an_output_has_beyond_the_input(
    output: object, state_input: object, expected: dict[str, object]
) -> None:
    added = text.added(json.dumps(output), json.dumps(state_input))
    assert (json.loads(added) if added else {}) == expected


def test_what_is_not_an_object_has_added_nothing() -> None:
    assert text.added('"jpg"', "{}") == ""
    assert text.added('{"a": 1}', None) == '{"a": 1}'
