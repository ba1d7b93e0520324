"""Which log lines belong to which attempt, and what Lambda billed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scripts.lib import functions
from scripts.lib.executions import invocations
from scripts.lib.executions.model import Attempt
from scripts.lib.executions.run import Invocation, Run
from scripts.report import cost
from tests.scripts.lib.executions.test_history import read

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def at(seconds: float, message: object, stream: str = "one") -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    moment = START + timedelta(seconds=seconds)
    return {"timestamp": moment.timestamp() * 1000, "message": text, "logStreamName": stream}


def invocation(seconds: float, number: str, key: str, stream: str = "one") -> list[dict[str, Any]]:
    """Return the lines of an invocation as Lambda writes them in its text format."""
    return [
        at(seconds, f"START RequestId: {number} Version: $LATEST", stream),
        at(seconds, {"level": "INFO", "message": "converted", "key": key}, stream),
        at(seconds, f"END RequestId: {number}", stream),
        at(
            seconds,
            f"REPORT RequestId: {number}\tDuration: 80.5 ms\tBilled Duration: 81 ms\t"
            "Memory Size: 1769 MB\tMax Memory Used: 120 MB\tInit Duration: 300 ms",
            stream,
        ),
    ]


def attempt(begin: float, end: float) -> Attempt:
    moments = [START + timedelta(seconds=seconds) for seconds in (begin, end)]
    return Attempt(moments[0], ended=moments[1])


def test_lines_are_distinguished_by_stream_and_request() -> None:
    both = zip(invocation(1, "a", "x.jpg"), invocation(1, "b", "y.jpg", "two"), strict=True)
    events = [event for pair in both for event in pair]  # as streams are merged

    first, second = sorted(invocations.read(events), key=lambda invocation: invocation.request_id)

    assert (first.request_id, first.billed_ms, first.memory_mb) == ("a", 81, 1769)
    assert second.request_id == "b"


def test_platform_lines_in_json_are_understood() -> None:
    metrics = {"billedDurationMs": 81, "memorySizeMB": 1769}
    events = [
        at(0, {"type": "platform.start", "record": {"requestId": "a"}}),
        at(0, {"level": "INFO", "message": "converted", "key": "x.jpg"}),
        at(0, {"type": "platform.report", "record": {"requestId": "a", "metrics": metrics}}),
    ]

    [logged] = invocations.read(events)

    assert (logged.billed_ms, logged.memory_mb, logged.keys) == (81, 1769, {"x.jpg"})


def own_line(seconds: float, ms: int, key: str, **more: str) -> dict[str, Any]:
    """Return a line of a function whose invocations Lambda itself does not log."""
    return at(seconds, {"level": "INFO", "message": "converted", "key": key, "ms": ms, **more})


def test_without_lambda_s_lines_invocations_are_distinguished_by_when_they_began() -> None:
    first, again, other = invocations.read(
        [
            own_line(1.0, 100, "x.jpg", message="bytes outside the image skipped"),
            own_line(1.2, 300, "x.jpg"),
            own_line(1.4, 150, "x.jpg"),
            own_line(2.0, 80, "y.jpg"),
        ]
    )

    assert [len(invocation.lines) for invocation in (first, again, other)] == [2, 1, 1]
    assert [invocation.ms for invocation in (first, again, other)] == [300, 150, 80]
    assert other.keys == {"y.jpg"}


def test_what_lambda_reports_counts_before_what_a_function_measured() -> None:
    start, line, *rest = invocation(1, "a", "x.jpg")
    line["message"] = json.dumps({"level": "INFO", "message": "converted", "ms": 70})
    line["timestamp"] += 80  # so it says that it began after Lambda's start
    report = {"type": "platform.report", "record": {"requestId": "b", "metrics": {}}}
    events = [start, line, *rest, own_line(9, 60, "y.jpg"), at(9, report)]

    reported, failed, measured = invocations.read(events)

    assert (reported.request_id, reported.ms) == ("a", 81)
    assert (failed.request_id, failed.ms) == ("b", 0)  # a line of Lambda's own where it failed
    assert (measured.request_id, measured.ms) == ("", 60)


def test_an_attempt_gets_its_own_image_s_invocation_and_no_others() -> None:
    logged = invocations.read(
        [
            *invocation(1, "other", "other.jpg"),
            *invocation(1.2, "first", "mine.jpg"),
            *invocation(9, "second", "mine.jpg"),
            *invocation(500, "late", "mine.jpg"),
        ]
    )

    found = invocations.match([attempt(1, 1.3), attempt(8.9, 9.2)], logged, "mine.jpg")

    assert [invocation.request_id for invocation in found] == ["first", "second"]


def test_the_bill_is_the_sum_of_its_lines_at_the_listed_prices() -> None:
    names = map(functions.on_aws, functions.TASKS)
    calls = [Invocation(f"image-converter-{name}", 1000, 1024) for name in names]
    run = Run(read("aws", "succeeded"), invocations=calls, architecture="arm64")

    bill = cost.bill(run)
    by_name = {line.what: line.dollars for line in bill.converting}

    assert by_name["State transitions"] == pytest.approx(7 * 0.025 / 1000)
    assert by_name["Function time"] == pytest.approx(5 * 0.0000133334)
    assert by_name["Function calls"] == pytest.approx(5 * 0.2e-6)
    assert by_name["S3: copies and PNGs"] == pytest.approx(2 * 0.005 / 1000)
    assert by_name["S3: GET and HEAD requests"] == pytest.approx(4 * 0.0004 / 1000)
    assert by_name["Table"] == pytest.approx(0.625e-6)  # a record of less than 1 KB
    assert "what Lambda reported" in cost.about(run)
    run.invocations[0] = replace(calls[0], said_by="function")
    assert "what the functions measured" in cost.about(run)
    assert bill.total == pytest.approx(sum(by_name.values()))


def test_the_table_is_paid_by_the_size_of_the_record() -> None:
    calls = [Invocation("image-converter-write-to-dynamodb", 1, 128)]
    record = {"imageName": "n" * 3000}
    bill = cost.bill(Run(read("aws", "succeeded"), record=record, invocations=calls))

    [table] = [line for line in bill.converting if line.what == "Table"]
    assert cost.amount(table) == "3 KB"
    assert table.dollars == pytest.approx(3 * 0.625e-6)
