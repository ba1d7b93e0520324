"""Answers that the local AWS completes as AWS gives them, without a server."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
from ministack.services import cloudwatch as emulated
from starlette.datastructures import Headers

from scripts.local_aws import gate
from scripts.local_aws.patches import cloudwatch, s3, stepfunctions_history


@pytest.fixture
def alarms() -> Iterator[dict[str, Any]]:
    """The emulator's alarms, which a test may add to."""
    yield emulated._alarms
    emulated._alarms.clear()


def _described(*alarms: dict[str, Any], **parameters: str) -> Element:
    """Return the result of DescribeAlarms in the Query protocol, without its namespace."""
    for alarm in alarms:
        emulated._alarms[alarm["AlarmName"]] = {"AlarmArn": "arn", "StateValue": "OK", **alarm}
    query = {name: [value] for name, value in parameters.items()}
    _, _, body = cloudwatch.describe_alarms(emulated._describe_alarms, query, None, is_cbor=False)
    text = re.sub(' xmlns="[^"]*"', "", body.decode())
    [result] = fromstring(text).iter("DescribeAlarmsResult")  # noqa: S314 - made a line above
    return result


@pytest.mark.usefixtures("alarms")
def test_alarm_is_reported_whole() -> None:
    alarm = {
        "AlarmName": "failed & gone",
        "Dimensions": [{"Name": "FunctionName", "Value": "f"}],
        "AlarmActions": ["arn:one", "arn:two"],
        "ActionsEnabled": True,
        "Period": 60,
        "Threshold": 1.0,
        "Unit": None,
        "StateUpdatedTimestamp": 0,
    }

    root = _described(alarm, {"AlarmName": "further"}, MaxRecords="1")

    assert root.findtext("MetricAlarms/member/AlarmName") == "failed & gone"
    assert root.findtext("MetricAlarms/member/Dimensions/member/Value") == "f"
    actions = root.findall("MetricAlarms/member/AlarmActions/member")
    assert [action.text for action in actions] == ["arn:one", "arn:two"]
    assert root.findtext("MetricAlarms/member/ActionsEnabled") == "true"
    assert root.findtext("MetricAlarms/member/StateUpdatedTimestamp", "").startswith("1970-01-01T")
    assert root.find("MetricAlarms/member/Unit") is None
    assert root.findtext("NextToken") == "further"


@pytest.mark.usefixtures("alarms")
def test_alarm_has_one_kind_of_statistic() -> None:
    alarm = {"AlarmName": "slow", "Statistic": "Average", "ExtendedStatistic": "p99"}

    root = _described(alarm)

    assert root.find("MetricAlarms/member/Statistic") is None
    assert root.findtext("MetricAlarms/member/ExtendedStatistic") == "p99"


FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"


@pytest.mark.parametrize(
    ("kind", "event", "expected"),
    [
        (
            "TaskScheduled",
            {"resource": FUNCTION, "resourceType": "lambda"},
            ["LambdaFunctionScheduled", "LambdaFunctionStarted"],
        ),
        ("TaskSucceeded", {"resource": FUNCTION, "output": "1"}, ["LambdaFunctionSucceeded"]),
        (
            "TaskFailed",
            {"resource": FUNCTION, "error": "Boom", "cause": ""},
            ["LambdaFunctionFailed"],
        ),
        (
            "TaskFailed",
            {"resource": FUNCTION, "error": "States.Timeout", "cause": ""},
            ["LambdaFunctionTimedOut"],
        ),
        ("TaskScheduled", {"resource": "arn:aws:states:::sqs:sendMessage"}, ["TaskScheduled"]),
    ],
)
def test_invocations_are_reported_as_on_aws(
    kind: str, event: dict[str, str], expected: list[str]
) -> None:
    details = {f"{kind[0].lower()}{kind[1:]}EventDetails": event}

    events = stepfunctions_history.as_on_aws(kind, details)

    assert [event for event, _details in events] == expected


def test_parallel_starts_and_succeeds() -> None:
    entered = stepfunctions_history.as_on_aws(
        "ParallelStateEntered", {"stateEnteredEventDetails": {"name": "P"}}
    )
    exited = stepfunctions_history.as_on_aws(
        "ParallelStateExited", {"stateExitedEventDetails": {"name": "P"}}
    )

    assert [kind for kind, _ in entered] == ["ParallelStateEntered", "ParallelStateStarted"]
    assert [kind for kind, _ in exited] == ["ParallelStateSucceeded", "ParallelStateExited"]


def test_listed_keys_are_encoded() -> None:
    listing = (
        b'<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Prefix>a %</Prefix><Version><Key>a %/b</Key><VersionId>a %</VersionId></Version>"
        b"</ListVersionsResult>"
    )

    encoded = s3.url_encoded(listing)

    assert b"<Key>a%20%25/b</Key>" in encoded
    assert b"<Prefix>a%20%25</Prefix>" in encoded
    assert b"<VersionId>a %</VersionId>" in encoded
    assert b"<EncodingType>url</EncodingType>" in encoded


def test_a_request_names_one_host() -> None:
    here, elsewhere = b"127.0.0.1:4566", b"evil.example:4566"

    assert _refusal(4566, here) is None
    for hosts in ([], [here, here], [here, elsewhere], [elsewhere]):
        assert _refusal(4566, *hosts) is not None


def test_the_port_of_http_goes_without_saying() -> None:
    assert _refusal(80, b"127.0.0.1") is None
    assert _refusal(4566, b"127.0.0.1") is not None


def _refusal(port: int, *hosts: bytes) -> str | None:
    return gate.refusal(Headers(raw=[(b"host", host) for host in hosts]), port)
