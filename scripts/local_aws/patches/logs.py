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
from typing import Any, ClassVar

from ministack.services import cloudwatch_logs

from scripts.local_aws.patches import log_patterns
from scripts.local_aws.patches.answers import Response, json_answer, json_error

# What FilterLogEvents answers at a time.
_PAGE_EVENTS = 10_000
_PAGE_BYTES = 1024**2


def install() -> None:
    """Keep saved queries, refuse others, read patterns for JSON, and answer page by page."""
    _keep_saved_queries()
    _refuse_queries_of_nothing()
    _read_patterns_for_json()
    cloudwatch_logs._filter_log_events = filter_log_events


def _keep_saved_queries() -> None:
    handle = cloudwatch_logs.handle_request
    queries = SavedQueries()

    async def handle_request(
        method: str, path: str, headers: Any, body: Any, query_params: Any
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        answered = queries.answer(action, json.loads(body)) if action in queries.ACTIONS else None
        if answered is not None:
            return json_answer(answered)
        answer: Response = await handle(method, path, headers, body, query_params)
        return answer

    cloudwatch_logs.handle_request = handle_request


def _refuse_queries_of_nothing() -> None:
    start = cloudwatch_logs._start_query

    def start_query(data: dict[str, Any]) -> Response:
        group = cloudwatch_logs._log_groups.get(data.get("logGroupName"))
        if group and data["endTime"] * 1000 < _oldest(group):
            sentence = (
                "Query's end date and time is either before the log groups creation time or "
                "exceeds the log groups log retention settings"
            )
            return json_error("MalformedQueryException", sentence)
        answer: Response = start(data)
        return answer

    cloudwatch_logs._start_query = start_query


def _oldest(group: dict[str, Any]) -> float:
    """Return since when a group may have events, in milliseconds."""
    days = group["retentionInDays"] or math.inf
    oldest: float = max(group["creationTime"], (time.time() - days * 86_400) * 1000)
    return oldest


def _read_patterns_for_json() -> None:
    matches_terms = cloudwatch_logs._subscription_pattern_matches
    compile_terms = cloudwatch_logs._compile_filter_pattern

    def matches(pattern: str, message: str) -> bool:
        if _is_for_json(pattern):
            return log_patterns.matcher(pattern)(message)
        fits: bool = matches_terms(pattern, message)
        return fits

    def compile_pattern(pattern: str) -> Any:
        return log_patterns.matcher(pattern) if _is_for_json(pattern) else compile_terms(pattern)

    cloudwatch_logs._subscription_pattern_matches = matches
    cloudwatch_logs._compile_filter_pattern = compile_pattern


def _is_for_json(pattern: str | None) -> bool:
    return (pattern or "").lstrip().startswith("{")


def filter_log_events(data: dict[str, Any]) -> Response:
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
    page: list[dict[str, Any]] = []
    size = 0
    for place, event in enumerate(events[start:], start):
        size += len(event["message"].encode())
        if place > start and (size > _PAGE_BYTES or len(page) == most):
            return json_answer({"events": page, "searchedLogStreams": [], "nextToken": str(place)})
        if fits(event["message"]):
            page.append(event)
    return json_answer({"events": page, "searchedLogStreams": []})


def _between(group: str, data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of a group between two moments, in the order of time and arrival."""
    first, last = data.get("startTime", -math.inf), data.get("endTime", math.inf)
    wanted = data.get("logStreamNames")
    events: list[dict[str, Any]] = []
    with cloudwatch_logs._log_events_lock:
        for name, stream in cloudwatch_logs._log_groups[group]["streams"].items():
            if not wanted or name in wanted:
                kept = stream["events"]  # the oldest first
                since, until = bisect_left(kept, first, key=_at), bisect_right(kept, last, key=_at)
                events += ({**event, "logStreamName": name} for event in kept[since:until])
    return sorted(events, key=lambda event: (event["timestamp"], event.get("ingestionTime", 0)))


def _at(event: dict[str, Any]) -> int:
    at: int = event["timestamp"]
    return at


class SavedQueries:
    """Keeps queries for as long as the local AWS runs."""

    ACTIONS: ClassVar = frozenset(
        {"PutQueryDefinition", "DescribeQueryDefinitions", "DeleteQueryDefinition"}
    )

    def __init__(self) -> None:
        self._queries: dict[str, dict[str, Any]] = {}

    def answer(self, action: str, data: dict[str, Any]) -> dict[str, Any]:
        """Return what CloudWatch Logs answers to one of the actions."""
        if action == "PutQueryDefinition":
            return self._put(data)
        if action == "DeleteQueryDefinition":
            deleted = self._queries.pop(data["queryDefinitionId"], None)
            return {"success": deleted is not None}
        prefix = data.get("queryDefinitionNamePrefix", "")
        queries = [query for query in self._queries.values() if query["name"].startswith(prefix)]
        return {"queryDefinitions": queries}

    def _put(self, data: dict[str, Any]) -> dict[str, Any]:
        number = data.get("queryDefinitionId") or str(uuid.uuid4())
        wanted = ("name", "queryString", "logGroupNames")
        kept: dict[str, Any] = {name: data[name] for name in wanted if name in data}
        modified = int(time.time() * 1000)
        self._queries[number] = {"queryDefinitionId": number, "lastModified": modified, **kept}
        return {"queryDefinitionId": number}
