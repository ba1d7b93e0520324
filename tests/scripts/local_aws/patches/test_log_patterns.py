"""The local AWS reads filter patterns for JSON as CloudWatch Logs does."""

import json

import pytest

from scripts.local_aws.patches import log_patterns

# The event and the patterns of
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
EVENT = {
    "eventType": "UpdateTrail",
    "sourceIPAddress": "111.111.111.111",
    "user": {"id": 1, "email": "John.Stiles@example.com"},
}


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ('{ $.eventType = "UpdateTrail" }', True),
        ("{ $.eventType = UpdateTrail }", True),
        ('{ $.eventType = "updatetrail" }', False),
        ('{ $.eventType = "Update*" }', True),
        ('{ $.eventType = "*Trail*" }', True),
        ('{ $.eventType = "UpdateTrai?" }', False),
        ("{ $.sourceIPAddress != 123.123.* }", True),
        ("{ $.sourceIPAddress != 111.111.* }", False),
        ('{ $.user.email = "John*" && $.eventType = "x" }', False),
        ('{ ($.user.email = "John*") && ($.user.id = 1) }', True),
        ('{ $.user.id = 2 || ($.user.id = 1 && $.eventType = "*" ) }', True),
        ('{ $.user.id = 1 || $.user.id = 2 && $.eventType = "x" }', True),
        ('{ ($.user.id = 1 || $.user.id = 2) && $.eventType = "x" }', False),
        ('{ $.eventType = "a && b" || $.user.id = 1 }', True),
        ('{ $.user.name = "*" }', False),
        ('{ $.user.name != "*" }', False),
        (r'{ $.eventType = "Up\"date" }', False),
    ],
)
def test_a_pattern_fits_as_documented(pattern: str, fits: bool) -> None:
    assert log_patterns.matcher(pattern)(json.dumps(EVENT)) is fits


def test_what_is_not_json_fits_no_pattern() -> None:
    assert not log_patterns.matcher('{ $.a = "*" }')("START RequestId: 1")


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.a }",
        "{ }",
        "{ 0 }",
        '{ ($.a = "b" }',
        '{ $.a = "b" && }',
        '{ $.a = "b" & $.a = "c" }',
        '{ $.a = "b" $.a = "c" }',
        '{ $.a = "b" ($.a = "c") }',
        '{ $.a = "b" && 0 }',
        '{ $.a = "b" and $.a = "b" }',
    ],
)
def test_what_is_not_a_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="filter pattern"):
        log_patterns.matcher(pattern)
