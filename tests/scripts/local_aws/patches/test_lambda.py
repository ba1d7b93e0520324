"""With the system log level WARN, Lambda itself logs nothing of an invocation that succeeds."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.services import cloudwatch_logs, lambda_svc

from scripts.local_aws.patches import lambda_

GROUP = "/aws/lambda/quiet"
OWN = '{"level":"INFO","message":"copied"}'


@pytest.fixture
def group() -> Iterator[None]:
    """A log group."""
    cloudwatch_logs._create_log_group({"logGroupName": GROUP})
    yield
    cloudwatch_logs._delete_log_group({"logGroupName": GROUP})


def logged(level: dict[str, str], error: bool, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is logged of an invocation."""
    monkeypatch.setattr(lambda_svc, "_emit_lambda_logs", lambda_svc._emit_lambda_logs)
    lambda_.honour_the_system_log_level()
    config: dict[str, Any] = {
        "FunctionName": "quiet",
        "LoggingConfig": {"LogGroup": GROUP, **level},
    }
    lambda_svc._emit_lambda_logs({"config": config}, "id", OWN, error, 5)
    _, _, body = cloudwatch_logs._filter_log_events({"logGroupName": GROUP})
    return [event["message"] for event in json.loads(body)["events"]]


@pytest.mark.usefixtures("group")
@pytest.mark.parametrize(
    ("level", "error", "whole"),
    [
        ({"LogFormat": "JSON", "SystemLogLevel": "WARN"}, False, False),
        ({"LogFormat": "JSON", "SystemLogLevel": "WARN"}, True, True),
        ({"LogFormat": "JSON", "SystemLogLevel": "INFO"}, False, True),
        ({"LogFormat": "Text"}, False, True),
    ],
)
def test_lambda_s_own_lines_are_logged_unless_they_need_not_be(
    level: dict[str, str], error: bool, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = logged(level, error, monkeypatch)
    assert OWN in lines
    assert (len(lines) == 4) == whole
    assert (len(lines) == 1) != whole
