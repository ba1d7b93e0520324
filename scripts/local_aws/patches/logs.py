"""CloudWatch Logs: saved queries, refused ones, filter patterns for JSON, and pages.

Sources:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_QueryDefinition.html,
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
"""

import json
import math
import time
import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from ministack.services import cloudwatch_logs

from scripts.local_aws.patches import log_patterns
from scripts.local_aws.patches.answers import Call, Handler, Json, Response, json_answer, json_error
from scripts.local_aws.patches.around import around

# What FilterLogEvents answers at a time.
_PAGE_EVENTS = 10_000
_PAGE_BYTES = 1024**2

_QUERY_FIELDS = ("name", "queryString", "logGroupNames")
_SAVED_QUERIES: dict[str, Json] = {}  # by their ids, for as long as the local AWS runs


@around(cloudwatch_logs.handle_request)
async def handle_request(
    handle: Call, method: str, path: str, headers: Json, body: bytes, query_params: Json
) -> Response:
    """Keep saved queries, of which the emulator knows nothing."""
    action = headers.get("x-amz-target", "").rpartition(".")[2]
    if action in QUERY_ACTIONS:
        return json_answer(QUERY_ACTIONS[action](json.loads(body)))
    response: Response = await handle(method, path, headers, body, query_params)
    return response


def append(group: str, stream: str, milliseconds: int, lines: Iterable[str]) -> None:
    """Write lines, all of one moment, into a stream of a group."""
    place = {"logGroupName": group, "logStreamName": stream}
    cloudwatch_logs._create_log_stream(place)  # answers that there is one, from the second on
    events = [{"timestamp": milliseconds, "message": line} for line in lines]
    cloudwatch_logs._put_log_events({**place, "logEvents": events})


def _put_query(data: Json) -> Json:
    number = data.get("queryDefinitionId") or str(uuid.uuid4())
    query = {name: data[name] for name in _QUERY_FIELDS if name in data}
    modified = int(time.time() * 1000)
    _SAVED_QUERIES[number] = {"queryDefinitionId": number, "lastModified": modified, **query}
    return {"queryDefinitionId": number}


def _describe_queries(data: Json) -> Json:
    prefix = data.get("queryDefinitionNamePrefix", "")
    queries = [query for query in _SAVED_QUERIES.values() if query["name"].startswith(prefix)]
    return {"queryDefinitions": queries}


def _delete_query(data: Json) -> Json:
    return {"success": _SAVED_QUERIES.pop(data["queryDefinitionId"], None) is not None}


QUERY_ACTIONS = {
    "PutQueryDefinition": _put_query,
    "DescribeQueryDefinitions": _describe_queries,
    "DeleteQueryDefinition": _delete_query,
}


@around(cloudwatch_logs._start_query)
def start_query(start: Handler, data: Json) -> Response:
    """Refuse a query of a time from which a log group has no events."""
    group = cloudwatch_logs._log_groups.get(data.get("logGroupName"))
    if group and data["endTime"] * 1000 < _oldest(group):
        sentence = (
            "Query's end date and time is either before the log groups creation time or "
            "exceeds the log groups log retention settings"
        )
        return json_error("MalformedQueryException", sentence)
    return start(data)


def _oldest(group: Json) -> float:
    """Return since when a group may have events, in milliseconds."""
    days = group["retentionInDays"] or math.inf
    oldest: float = max(group["creationTime"], (time.time() - days * 86_400) * 1000)
    return oldest


def _is_for_json(pattern: str | None) -> bool:
    return (pattern or "").lstrip().startswith("{")


@around(cloudwatch_logs._subscription_pattern_matches)
def matches(original: Call, pattern: str, message: str) -> bool:
    """Read patterns for JSON, too; the emulator takes every line."""
    if _is_for_json(pattern):
        return log_patterns.matcher(pattern)(message)
    return bool(original(pattern, message))


@around(cloudwatch_logs._compile_filter_pattern)
def compile_filter_pattern(original: Call, pattern: str) -> object:
    """Read patterns for JSON, too."""
    return log_patterns.matcher(pattern) if _is_for_json(pattern) else original(pattern)


@around(cloudwatch_logs._filter_log_events)
def filter_log_events(_original: Handler, data: Json) -> Response:
    """Answer FilterLogEvents: a page, and the token of the next one.

    As on AWS, a page may hold nothing although another one follows.
    """
    group = data.get("logGroupName") or str(data.get("logGroupIdentifier", ""))
    group = group.partition(":log-group:")[2].removesuffix(":*") or group
    if group not in cloudwatch_logs._log_groups:
        sentence = f"The specified log group does not exist: {group}"
        return json_error("ResourceNotFoundException", sentence)
    try:
        fits = cloudwatch_logs._compile_filter_pattern(data.get("filterPattern", ""))
    except ValueError as error:
        return json_error("InvalidParameterException", f"Invalid filter pattern: {error}")
    events = _between(group, data)
    start = int(data.get("nextToken") or 0)
    most = min(int(data.get("limit") or _PAGE_EVENTS), _PAGE_EVENTS)
    page: list[Json] = []
    size = 0
    for place, event in enumerate(events[start:], start):
        size += len(event["message"].encode())
        if place > start and (size > _PAGE_BYTES or len(page) == most):
            return json_answer({"events": page, "searchedLogStreams": [], "nextToken": str(place)})
        if fits(event["message"]):
            page.append(event)
    return json_answer({"events": page, "searchedLogStreams": []})


def _between(group: str, data: Json) -> list[Json]:
    """Return the events of a group between two moments, in the order of time and arrival."""
    first, last = data.get("startTime", -math.inf), data.get("endTime", math.inf)
    names = data.get("logStreamNames")
    events: list[Json] = []
    with cloudwatch_logs._log_events_lock:
        for name, stream in cloudwatch_logs._log_groups[group]["streams"].items():
            if not names or name in names:
                kept = stream["events"]  # the oldest first
                since = bisect_left(kept, first, key=_time)
                until = bisect_right(kept, last, key=_time)
                events += ({**event, "logStreamName": name} for event in kept[since:until])
    return sorted(events, key=lambda event: (event["timestamp"], event.get("ingestionTime", 0)))


def _time(event: Json) -> int:
    timestamp: int = event["timestamp"]
    return timestamp
