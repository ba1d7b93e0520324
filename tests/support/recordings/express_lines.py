"""Recorded executions as an EXPRESS state machine logs them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.lib.executions import events
from scripts.local_aws.patches import stepfunctions_logs
from tests.support.recordings import record

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:pictures"
ALL = {"level": "ALL", "includeExecutionData": True}


def of_recorded(
    folder: str,
    name: str,
    configured: Mapping[str, Any] = ALL,
    number: int = 1,
    ago: timedelta = timedelta(minutes=1),
) -> list[dict[str, Any]]:
    """Return the lines of a recorded execution.

    Args:
        folder, name: of the recording.
        configured: the state machine's logging configuration.
        number: what ends the ARN.
        ago: how long ago it ended.
    """
    recorded = record.load(folder, name)["events"]
    later = datetime.now(UTC) - ago - events.moment(recorded[-1]["timestamp"])
    arn = f"{MACHINE.replace(':stateMachine:', ':express:')}:{name}-{folder}:{number}"
    return [
        stepfunctions_logs.line(
            arn,
            {**event, "timestamp": (events.moment(event["timestamp"]) + later).isoformat()},
            configured,
        )
        for event in recorded
        if stepfunctions_logs.is_logged(configured, event["type"])
    ]
