"""The events of an execution's history, as plain values.

Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# What of an event is left out of a log without data of executions.
_DATA = frozenset({"input", "output", "parameters", "error", "cause"})


@dataclass(frozen=True)
class HistoryEvent:
    """One event.

    Attributes:
        id: its number in the history.
        previous: the number of the event that led to it; 0 where the history does not say.
        type: AWS's name for what happened.
        time: when, in UTC.
        details: the details object of its type.
    """

    id: int
    previous: int
    type: str
    time: datetime
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The state that was entered or exited."""
        return str(self.details.get("name", ""))

    def logged(self, execution_arn: str, *, with_data: bool) -> dict[str, Any]:
        """Return it as Step Functions logs it.

        https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
        """
        details = {
            name: value for name, value in self.details.items() if with_data or name not in _DATA
        }
        for name in details.keys() & {"input", "output"}:
            details[f"{name}Details"] = {"truncated": False}
        return {
            "id": str(self.id),
            "type": self.type,
            "details": details,
            "previous_event_id": str(self.previous),
            "event_timestamp": str(int(self.time.timestamp() * 1000)),
            "execution_arn": execution_arn,
            "redrive_count": "0",
        }


def read(raw: Iterable[Mapping[str, Any]]) -> list[HistoryEvent]:
    """Return events as get_execution_history answers them, from boto3 or from the CLI's JSON."""
    events = [
        HistoryEvent(
            id=int(event["id"]),
            previous=int(event.get("previousEventId") or 0),
            type=str(event["type"]),
            time=moment(event["timestamp"]),
            details=next((event[key] for key in event if key.endswith("EventDetails")), {}) or {},
        )
        for event in raw
    ]
    return sorted(events, key=lambda event: event.id)


def moment(value: datetime | str | float) -> datetime:
    """Return a time in UTC, given as boto3, the CLI or the wire protocol have it.

    Raises:
        ValueError: it is not a time.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.fromtimestamp(value, UTC)
