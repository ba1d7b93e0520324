"""Invocations of functions, out of their log groups: whose lines they are, what was billed."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.lib.executions.model import Attempt, Execution, Outcome
from scripts.lib.executions.run import Invocation, InvocationLog, LogLine
from scripts.lib.text import json_object

# Lambda's own lines, where the log format is Text.
_TEXT_LINE = re.compile(
    r"^(START|END|REPORT) RequestId: (\S+)"
    r"(?:.*?Billed Duration: (\d+) ms.*?Memory Size: (\d+) MB)?",
    re.DOTALL,
)
# A function's clock and Step Functions' differ a little; the local AWS logs when all is over.
_SLACK = timedelta(seconds=2)
# Where the local AWS unpacks a function's code; on Lambda it is /var/task.
_LOCAL_CODE = re.compile(r'/[^"\s]*/ministack-provided-code-\d+/[0-9a-f]+/')
_DEFAULT_MEMORY_MB = 128
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")


def read(events: Iterable[Mapping[str, Any]]) -> list[InvocationLog]:
    """Return the invocations in a log group's events, as filter_log_events answers them.

    Without Lambda's own lines, an invocation begins where a function's line says that it did: by
    how long it has taken so far. In a stream, invocations follow one another.
    """
    by_request: dict[str, InvocationLog] = {}
    unnamed: list[InvocationLog] = []
    current: dict[str, InvocationLog] = {}  # by stream: an environment, which does one thing
    for event in events:
        stream = str(event.get("logStreamName", ""))
        message = str(event["message"]).rstrip()
        fields = _fields(message)
        moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        if request_id := _record(fields).get("requestId"):
            current[stream] = by_request.setdefault(request_id, InvocationLog(request_id))
        logged = current.get(stream)
        ms = fields.get("ms")
        if isinstance(ms, int) and _is_another(logged, moment - timedelta(milliseconds=ms)):
            logged = current[stream] = InvocationLog("")
            unnamed.append(logged)
        if logged is not None:
            _add(logged, moment, message, fields)
    return [logged for logged in (*by_request.values(), *unnamed) if logged.lines]


def match(
    attempts: Sequence[Attempt], logged: Iterable[InvocationLog], key: str
) -> list[InvocationLog]:
    """Return the invocations that attempts were, in their order, as far as they were logged.

    An invocation belongs to an attempt if it falls into its time and names no other image; of
    several, the one whose lines name this image, then the nearest in time.
    """
    free = [call for call in logged if not call.keys or key in call.keys]
    matched = []
    for attempt in attempts:
        start = attempt.scheduled
        end = attempt.ended or max([start, *(call.lines[-1].time for call in free)])
        fitting = [call for call in free if start - _SLACK <= call.first <= end + _SLACK]
        if fitting:
            middle = start if fitting[0].keys else end
            best = min(fitting, key=lambda call: (key not in call.keys, abs(call.first - middle)))
            matched.append(best)
            free.remove(best)
    return matched


def estimate(execution: Execution, memory_mb: Mapping[str, int] | None = None) -> list[Invocation]:
    """Return invocations by the history's own times, where Lambda's reports are not at hand.

    Parameters:
        memory_mb: each function's memory by its name, where it is known.
    """
    estimated = []
    for attempt in execution.attempts:
        if attempt.ended is None or attempt.outcome is Outcome.RUNNING:
            continue
        name = function_name(attempt.resource)
        seconds = (attempt.ended - (attempt.started or attempt.scheduled)).total_seconds()
        memory = (memory_mb or {}).get(name, _DEFAULT_MEMORY_MB)
        billed_ms = max(1, math.ceil(seconds * 1000))
        estimated.append(Invocation(name, billed_ms, memory, said_by="history"))
    return estimated


def function_name(resource: str) -> str:
    """Return the function's name out of its ARN, without version or alias."""
    parts = resource.split(":")
    return parts[6] if len(parts) > 6 and parts[2] == "lambda" else resource  # noqa: PLR2004


def _is_another(current: InvocationLog | None, began: datetime) -> bool:
    """Return whether what began then is not the current invocation of its stream."""
    return current is None or (not current.is_open and began >= current.lines[-1].time)


def _fields(message: str) -> dict[str, Any]:
    """Return the fields of a line; Lambda's own lines have those that it writes as JSON."""
    if line := _TEXT_LINE.match(message):
        kind, request_id, ms, mb = line.groups()
        metrics = {"billedDurationMs": ms, "memorySizeMB": mb} if ms else {}
        record = {"requestId": request_id, "metrics": metrics}
        return {"type": f"platform.{kind.lower()}", "record": record}
    return json_object(message) if message.startswith("{") else {}


def _record(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a line of Lambda's own says of an invocation."""
    record = fields.get("record")
    return record if isinstance(record, dict) else {}


def _add(logged: InvocationLog, moment: datetime, message: str, fields: Mapping[str, Any]) -> None:
    if fields.get("type") == "platform.start":
        logged.is_open = True
    elif fields.get("type") in ("platform.end", "platform.report"):
        logged.is_open = False
    if isinstance(fields.get("ms"), int):
        logged.measured_ms = max(logged.measured_ms, fields["ms"])
    metrics = _record(fields).get("metrics") or {}
    logged.billed_ms = int(metrics.get("billedDurationMs", logged.billed_ms))
    logged.memory_mb = int(metrics.get("memorySizeMB", logged.memory_mb))
    if isinstance(fields.get("key"), str):
        logged.keys.add(fields["key"])
    level = str(fields.get("level", ""))
    line = LogLine(moment, _readable(message, fields), level if level in _LEVELS else "")
    logged.lines.append(line)


def _readable(message: str, fields: Mapping[str, Any]) -> str:
    """Return a line as a person reads it: the message, then the other fields."""
    if "message" not in fields:
        return _LOCAL_CODE.sub("/var/task/", message.replace("\t", "  "))
    rest = {name: value for name, value in fields.items() if name not in ("level", "message")}
    facts = ", ".join(f"{name} {value}" for name, value in rest.items() if value is not None)
    return f"{fields['level']} {fields['message']}{': ' if facts else ''}{facts}"
