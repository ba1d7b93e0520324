"""Log groups of the class Infrequent Access are read like any other, by Logs Insights."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import Stubber

from scripts.lib import insights, storage
from scripts.lib.aws import Clients
from scripts.lib.user_errors import UserError
from scripts.local_aws import LocalAws
from tests.support.stubs import ANY_ACCOUNT


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


class Group:
    """A log group without events from before its creation, as on AWS: these are to come."""

    def __init__(self, aws: LocalAws, name: str, kind: str = insights.INFREQUENT_ACCESS) -> None:
        self.clients = Clients(aws.env)
        self.name = f"/insights/{name}"
        self.clients.logs.create_log_group(logGroupName=self.name, logGroupClass=kind)  # type: ignore[arg-type]
        self.clients.logs.create_log_stream(logGroupName=self.name, logStreamName="s")
        self.begin = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=10)

    def put(self, seconds: Iterable[float]) -> None:
        """Put an event at each of these moments after the beginning; "A" and "B" by turns."""
        events = [
            {
                "timestamp": round((self.begin.timestamp() + second) * 1000),
                "message": json.dumps({"type": "AB"[number % 2], "number": number}),
            }
            for number, second in enumerate(seconds)
        ]
        self.clients.logs.put_log_events(
            logGroupName=self.name,
            logStreamName="s",
            logEvents=events,  # type: ignore[arg-type]
        )

    def numbers(self, first: float, last: float, pattern: str = "") -> list[int]:
        """Return the numbers of the events between two moments after the beginning."""
        since, until = (self.begin + timedelta(seconds=at) for at in (first, last))
        events = storage.log_events(self.clients, self.name, since, until, pattern)
        assert {event["logStreamName"] for event in events} <= {"s"}
        return [json.loads(event["message"])["number"] for event in events]


@pytest.mark.parametrize("kind", ["STANDARD", "INFREQUENT_ACCESS"])
def test_both_classes_have_the_same_events(
    unguarded_aws: LocalAws, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insights, "_MAX_RESULTS", 3)  # so that the time has to be divided
    group = Group(unguarded_aws, kind, kind)
    group.put(range(0, 27, 3))

    assert insights.reads(group.clients, group.name) == (kind == "INFREQUENT_ACCESS")
    assert group.numbers(-10, 40) == list(range(9))
    assert group.numbers(-10, 40, '"A"') == [0, 2, 4, 6, 8]
    assert group.numbers(3, 12) == [1, 2, 3, 4]
    assert group.numbers(-86_400, -3_600) == []
    assert group.numbers(-86_400, 0) == [0]


def test_no_millisecond_falls_between_two_queries(
    unguarded_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insights, "_MAX_RESULTS", 4)
    group = Group(unguarded_aws, "milliseconds")
    group.put([0, 1, 1.001, 1.999, 2, 2.501, 2.999, 3, 3.001, 5])

    assert group.numbers(0, 5.001) == list(range(10))
    assert group.numbers(1, 1) == [1]
    assert group.numbers(1.001, 2.999) == [2, 3, 4, 5, 6]


def test_more_events_in_a_second_than_a_query_returns_are_an_error(
    unguarded_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insights, "_MAX_RESULTS", 3)
    group = Group(unguarded_aws, "second")
    group.put([0, 7.1, 7.2, 7.3, 7.4])

    assert group.numbers(0, 7.2) == [0, 1, 2]
    with pytest.raises(UserError, match=r"/insights/second has at least 3 events at .* UTC"):
        group.numbers(0, 8)


def test_a_group_that_takes_the_place_of_another_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Terraform replaces a log group to change its class, while a console may be running."""
    clients = Clients(ANY_ACCOUNT)
    with Stubber(clients.logs) as stub:
        for kind in ("STANDARD", insights.INFREQUENT_ACCESS):
            group = {"logGroupName": "/replaced", "logGroupClass": kind}
            stub.add_response("describe_log_groups", {"logGroups": [group]})
        monkeypatch.setattr(insights, "_CACHE_SECONDS", 1e9)
        assert [insights.reads(clients, "/replaced") for _ in range(2)] == [False, False]
        monkeypatch.setattr(insights, "_CACHE_SECONDS", 1e-6)
        assert insights.reads(clients, "/replaced")
        stub.assert_no_pending_responses()


def test_what_is_older_than_the_retention_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(insights, "_CACHE_SECONDS", 1e9)
    clients = Clients(ANY_ACCOUNT)
    group = {
        "logGroupName": "/old",
        "logGroupClass": insights.INFREQUENT_ACCESS,
        "creationTime": 0,
        "retentionInDays": 7,
    }
    now = datetime.now(UTC)
    asked: list[int] = []
    clients.logs.meta.events.register(
        "provide-client-params.cloudwatch-logs.StartQuery",
        lambda params, **_: asked.append(params["startTime"]),
    )
    with Stubber(clients.logs) as stub:
        stub.add_response("describe_log_groups", {"logGroups": [group]})
        assert storage.log_events(clients, "/old", now - timedelta(90), now - timedelta(8)) == []

        stub.add_response("start_query", {"queryId": "q"})
        stub.add_response("get_query_results", {"status": "Complete", "results": []})
        assert storage.log_events(clients, "/old", now - timedelta(90), now) == []
        stub.assert_no_pending_responses()
    assert 0 <= asked[0] - int((now - timedelta(7)).timestamp()) < 60
