"""Log groups of the class Infrequent Access are read like any other, by Logs Insights."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from scripts.lib import insights, storage
from scripts.lib.aws import Clients
from scripts.local_aws import LocalAws

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", None),
        ('"Kept in source bucket"', r"Kept\ in\ source\ bucket"),
        ('{ $.execution_arn = "*:express:images:photo-1*" }', ":express:images:photo\\-1"),
        ('{ ($.type = "A") || ($.type = "B" && $.x = "*a/b*") }', r"A|a\/b"),
    ],
)
def test_a_pattern_becomes_a_query_for_what_contains_its_values(
    pattern: str, found: str | None
) -> None:
    stages = insights.query(pattern).split(" | ")

    assert [stage for stage in stages if stage.startswith("filter")] == (
        [] if found is None else [f"filter @message like /{found}/"]
    )


@pytest.mark.parametrize("kind", ["STANDARD", "INFREQUENT_ACCESS"])
def test_both_classes_have_the_same_events(
    unguarded_aws: LocalAws, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insights, "_MOST", 3)  # so that the time has to be divided
    clients = Clients(unguarded_aws.env)
    place = {"logGroupName": f"/insights/{kind}", "logStreamName": "s"}
    clients.logs.create_log_group(logGroupName=place["logGroupName"], logGroupClass=kind)  # type: ignore[arg-type]
    clients.logs.create_log_stream(**place)
    written = [
        {
            "timestamp": round((NOW - timedelta(seconds=30 - 3 * number)).timestamp() * 1000),
            "message": json.dumps({"type": "AB"[number % 2], "number": number}),
        }
        for number in range(9)
    ]
    clients.logs.put_log_events(**place, logEvents=written)  # type: ignore[arg-type]

    def numbers(pattern: str, first: int, last: int | None) -> list[int]:
        until = None if last is None else NOW - timedelta(seconds=last)
        since = NOW - timedelta(seconds=first)
        events = storage.log_events(clients, place["logGroupName"], since, until, pattern)
        assert {event["logStreamName"] for event in events} == {"s"}
        return [json.loads(event["message"])["number"] for event in events]

    assert insights.reads(clients, place["logGroupName"]) == (kind == "INFREQUENT_ACCESS")
    assert numbers("", 40, None) == list(range(9))
    assert numbers('"A"', 40, None) == [0, 2, 4, 6, 8]
    assert numbers("", 27, 18) == [1, 2, 3, 4]
