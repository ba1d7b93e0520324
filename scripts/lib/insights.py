"""Events of log groups of the class Infrequent Access, which only Logs Insights reads.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.user_errors import UserError

INFREQUENT_ACCESS: Final = "INFREQUENT_ACCESS"

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
_MOST: Final = 10_000
_SHORTEST: Final = timedelta(seconds=1)  # queries know no shorter time
_PATIENCE: Final = 60.0  # seconds
_QUOTED: Final = re.compile(r'"([^"]*)"')


@lru_cache(maxsize=64)
def reads(clients: Clients, group: str) -> bool:
    """Return whether a log group is of that class, which no group ever changes.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    groups = clients.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    classes = {each["logGroupName"]: each.get("logGroupClass") for each in groups}
    return classes.get(group) == INFREQUENT_ACCESS


def pages(
    clients: Clients, group: str, first: datetime, last: datetime | None = None, pattern: str = ""
) -> Iterator[list[dict[str, Any]]]:
    """Yield a log group's events as FilterLogEvents has them, the oldest first.

    Parameters:
        pattern: a pattern of FilterLogEvents; what is yielded fits it, and perhaps more does.

    Raises:
        UserError: the query failed.
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    last = last or datetime.now(UTC) + _SHORTEST
    rows = _rows(clients, group, first, last, pattern)
    if len(rows) == _MOST and last - first > 2 * _SHORTEST:
        middle = first + (last - first) / 2
        yield from pages(clients, group, first, middle, pattern)
        yield from pages(clients, group, middle + timedelta(milliseconds=1), last, pattern)
        return
    events = map(_event, rows)
    since, until = first.timestamp() * 1000, last.timestamp() * 1000
    yield [event for event in events if since <= event["timestamp"] <= until]


def query(pattern: str) -> str:
    """Return the query that finds what fits a pattern of FilterLogEvents, and perhaps more."""
    stages = ["fields @timestamp, @message, @logStream"]
    # Of `a || b && c` what contains the longest piece of a's or of c's value.
    values = [_QUOTED.findall(branch) for branch in pattern.split("||")] if pattern else []
    pieces = [max(value[-1].split("*"), key=len) for value in values if value]
    if pieces:
        parts = "|".join(re.escape(piece).replace("/", r"\/") for piece in pieces)
        stages.append(f"filter @message like /{parts}/")
    return " | ".join([*stages, "sort @timestamp asc", f"limit {_MOST}"])


def _rows(
    clients: Clients, group: str, first: datetime, last: datetime, pattern: str
) -> list[dict[str, str]]:
    started = clients.logs.start_query(
        logGroupName=group,
        startTime=math.floor(first.timestamp()),
        endTime=math.ceil(last.timestamp()),
        queryString=query(pattern),
        limit=_MOST,
    )

    def ended() -> Any:
        answer = clients.logs.get_query_results(queryId=started["queryId"])
        return None if answer["status"] in ("Scheduled", "Running", "Unknown") else answer

    answer = wait.until(f"the query of {group} to end", ended, _PATIENCE)
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
