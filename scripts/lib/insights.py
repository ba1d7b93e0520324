"""Events of log groups of the class Infrequent Access, which only Logs Insights reads.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
All functions raise BotoCoreError or ClientError where AWS does not answer or refuses.
"""

import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.user_errors import UserError

INFREQUENT_ACCESS: Final = "INFREQUENT_ACCESS"

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
_MAX_RESULTS: Final = 10_000
_TIMEOUT_SECONDS: Final = 60.0
_CACHE_SECONDS: Final = 30.0
_QUOTED: Final = re.compile(r'"([^"]*)"')


def reads(clients: Clients, group: str) -> bool:
    """Return whether a log group is of that class.

    No group ever changes its class, but another one may take its place and its name.
    """
    return _described(clients, group).get("logGroupClass") == INFREQUENT_ACCESS


def pages(
    clients: Clients, group: str, first: datetime, last: datetime | None = None, pattern: str = ""
) -> Iterator[list[dict[str, Any]]]:
    """Yield a log group's events as FilterLogEvents returns them, the oldest first.

    Parameters:
        pattern: a pattern of FilterLogEvents; what is yielded fits it, and perhaps more does.

    Raises:
        UserError: the query failed, or a second has more events than a query returns.
    """
    last = last or datetime.now(UTC) + timedelta(seconds=1)
    # A query that ends before the group's creation, or before what it retains, is refused.
    first = max(first, _oldest(_described(clients, group)))
    if first <= last:
        since, until = (round(at.timestamp() * 1000) for at in (first, last))
        yield from _between(clients, group, since, until, pattern)


def query(pattern: str) -> str:
    """Return the query that finds what fits a pattern of FilterLogEvents, and perhaps more."""
    stages = ["fields @timestamp, @message, @logStream"]
    # Of `a || b && c` what contains the longest piece of a's or of c's value.
    values = [_QUOTED.findall(branch) for branch in pattern.split("||")] if pattern else []
    pieces = [max(value[-1].split("*"), key=len) for value in values if value]
    if pieces:
        parts = "|".join(re.escape(piece).replace("/", r"\/") for piece in pieces)
        stages.append(f"filter @message like /{parts}/")
    return " | ".join([*stages, "sort @timestamp asc", f"limit {_MAX_RESULTS}"])


def _described(clients: Clients, group: str) -> Mapping[str, Any]:
    """Return a log group as it was at most some seconds ago; nothing if it does not exist."""
    return _described_in(clients, group, int(time.monotonic() // _CACHE_SECONDS))


@lru_cache(maxsize=64)
def _described_in(clients: Clients, group: str, _span: int) -> Mapping[str, Any]:
    """Return a log group as DescribeLogGroups does, which is asked once in a span of time."""
    groups = clients.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    return next((described for described in groups if described["logGroupName"] == group), {})


def _oldest(group: Mapping[str, Any]) -> datetime:
    """Return since when a group may have events."""
    created = datetime.fromtimestamp(group.get("creationTime", 0) / 1000, UTC)
    days = group.get("retentionInDays")
    return max(created, datetime.now(UTC) - timedelta(days=days)) if days else created


def _between(
    clients: Clients, group: str, since: int, until: int, pattern: str
) -> Iterator[list[dict[str, Any]]]:
    """Yield the events between two moments, in milliseconds, both included."""
    start, end = since // 1000, until // 1000 + 1  # queries know only whole seconds
    events = [_event(row) for row in _rows(clients, group, start, end, pattern)]
    if len(events) < _MAX_RESULTS or events[-1]["timestamp"] > until:
        yield [event for event in events if since <= event["timestamp"] <= until]
    elif end - start > 1:
        middle = (start + end) // 2 * 1000
        yield from _between(clients, group, since, middle - 1, pattern)
        yield from _between(clients, group, middle, until, pattern)
    else:
        at = datetime.fromtimestamp(start, UTC)
        raise UserError(
            f"{group} has at least {_MAX_RESULTS:,} events at {at:%Y-%m-%d %H:%M:%S} UTC, and Logs "
            "Insights returns no more of them. Log groups of the class STANDARD have no such limit."
        )


def _rows(clients: Clients, group: str, start: int, end: int, pattern: str) -> list[dict[str, str]]:
    query_id = clients.logs.start_query(
        logGroupName=group,
        startTime=start,
        endTime=end,
        queryString=query(pattern),
        limit=_MAX_RESULTS,
    )["queryId"]

    def ended() -> Any:
        answer = clients.logs.get_query_results(queryId=query_id)
        return None if answer["status"] in ("Scheduled", "Running", "Unknown") else answer

    answer = wait.until(f"the query of {group} to end", ended, _TIMEOUT_SECONDS)
    if answer["status"] != "Complete":
        raise UserError(f"The Logs Insights query of {group} ended as {answer['status']}.")
    return [{field["field"]: field["value"] for field in row} for row in answer["results"]]


def _event(row: dict[str, str]) -> dict[str, Any]:
    at = datetime.fromisoformat(row["@timestamp"]).replace(tzinfo=UTC)
    return {
        "timestamp": round(at.timestamp() * 1000),
        "message": row["@message"],
        "logStreamName": row.get("@logStream", ""),
    }
