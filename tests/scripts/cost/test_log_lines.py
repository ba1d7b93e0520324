"""The bytes of an execution's log are those of the lines that Step Functions writes."""

from __future__ import annotations

from datetime import UTC, datetime

from scripts.cost.observation import log_line
from scripts.lib.executions.events import HistoryEvent

STANDARD = "arn:aws:states:us-east-1:123456789012:execution:converter:photo-1"
EXPRESS = "arn:aws:states:us-east-1:123456789012:express:converter:photo-1:a1b2"
AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def test_a_line_is_as_aws_documents_it() -> None:
    entered = HistoryEvent(
        2, 1, "TaskStateEntered", AT, {"name": "A", "input": '{"key": "\u00e9"}'}
    )

    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    assert log_line(EXPRESS, entered, with_data=True) == (
        '{"id":"2","type":"TaskStateEntered","details":{"name":"A",'
        '"input":"{\\"key\\":\\"\u00e9\\"}","inputDetails":{"truncated":false}},'
        '"previous_event_id":"1","event_timestamp":"1795780800000",'
        f'"execution_arn":"{EXPRESS}","redrive_count":"0"}}'
    )
    assert '"details":{"name":"A"}' in log_line(EXPRESS, entered, with_data=False)


def test_a_functions_answer_is_logged_as_it_wrote_it() -> None:
    answered = HistoryEvent(5, 4, "LambdaFunctionSucceeded", AT, {"output": '{"a": 1}'})

    assert '"output":"{\\"a\\": 1}"' in log_line(EXPRESS, answered, with_data=True)


def test_a_standard_execution_is_counted_with_the_arn_that_express_would_give_it() -> None:
    line = log_line(STANDARD, HistoryEvent(1, 0, "ExecutionStarted", AT), with_data=True)

    of_express = STANDARD.replace(":execution:", ":express:")
    assert f'"execution_arn":"{of_express}:00000000-0000-0000-0000-000000000000"' in line
