"""Executions out of their state machine's log group, the only place that has EXPRESS ones.

The lines are read with FilterLogEvents, which costs nothing but is given a time: what was logged
last is read first, further back bit by bit. Lines arrive late and in any order, and AWS delivers
them as well as it can, not all of them for certain.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.lib import storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment, ExecutionLog
from scripts.lib.executions import events as history_events
from scripts.lib.executions import history
from scripts.lib.executions.model import RUNNING, Execution, name_of
from scripts.lib.user_errors import UserError

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LONGEST = timedelta(minutes=5)
_DELIVERY = timedelta(minutes=1)  # in which a line usually arrives
_FIRST_WINDOW = timedelta(seconds=15)  # a flood writes a hundred thousand lines in it
_WIDER = 4  # each window before the last one
_REMEMBERED = timedelta(days=90)  # as AWS remembers STANDARD executions
_KEPT = 1000  # executions whose lines are kept, of somebody who watches for days
_FAILURES = ("Failed", "TimedOut", "Aborted")

_PLAIN = re.compile(r"[\w/ .-]+", re.ASCII)  # what JSON and filter patterns have as it is

Progress = Callable[[str], None]
Line = dict[str, Any]


class Log:
    """Reads the executions of one EXPRESS state machine."""

    def __init__(
        self,
        clients: Clients,
        state_machine_arn: str,
        log: ExecutionLog,
        *,
        definition: Mapping[str, Any] | None = None,
        since: datetime | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Prepare, without asking AWS.

        Parameters:
            definition: the state machine's, where it is known.
            since: nothing earlier is looked for; by default the last 90 days.
            progress: called with a sentence for each page of the log that was read.
        """
        self._clients = clients
        self._machine = state_machine_arn
        self.log = log
        self._since = since or datetime.now(UTC) - _REMEMBERED
        self._progress = progress
        self._definition = definition or {}
        self._lines: dict[str, dict[int, Line]] = {}  # by execution, then by their ids
        self._read_from: datetime | None = None
        self._read_to = self._since

    def listed(self, status: str | None = None, most: int | None = None) -> list[dict[str, Any]]:
        """Return the executions as ListExecutions has them, the newest first.

        Each further call reads only what was logged meanwhile.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        if not self.log.group:
            return []
        now = datetime.now(UTC)
        if self._read_from is None:
            for first, last in windows(now, self._since):
                self._read(first, last)
                self._read_from = first
                if most and len(self._whole()) >= most:
                    break
        else:
            self._read(self._read_to - _DELIVERY, now)
        self._read_to = now
        found = [summary(arn, self._events(arn)) for arn in self._whole()]
        found.sort(key=lambda one: one["startDate"], reverse=True)
        self._forget(one["executionArn"] for one in found[_KEPT:])
        chosen = [one for one in found if status in (None, one["status"])]
        return chosen[:most]

    def execution(self, arn: str, definition: Mapping[str, Any] | None = None) -> Execution:
        """Return an execution by its lines.

        Parameters:
            definition: the state machine as it is now; it saves a request to AWS.

        Raises:
            UserError: nothing is logged of it.
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        if arn not in self._lines:
            self._find(arn)
        if arn not in self._lines:
            raise UserError(
                f"Nothing is logged of the execution {arn}. {self.log.missing or _WHERE}"
            )
        events = self._events(arn)
        return history.read(arn, events, definition or self._asl(), whole=False)

    def named(self, name: str, since: datetime) -> list[dict[str, Any]]:
        """Return the executions whose names begin so, as DescribeExecution has them.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        machine = self._machine.rpartition(":")[2]
        return self._search(f'$.execution_arn = "*:express:{machine}:{name}*"', since)

    def of_image(self, name: str, key: str, since: datetime) -> list[dict[str, Any]]:
        """Return the executions of an image, the oldest first, whoever has started them.

        Parameters:
            name: how the names begin of those that uploads have started.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        machine = self._machine.rpartition(":")[2]
        by_name = f'$.execution_arn = "*:express:{machine}:{name}*"'
        plain = max(_PLAIN.findall(key), key=len, default="")
        by_input = f'$.type = "ExecutionStarted" && $.details.input = "*{plain}*"'
        return self._search(f"({by_name}) || ({by_input})" if plain else by_name, since)

    def failed(self) -> list[dict[str, Any]]:
        """Return what failed, timed out or was stopped, as ListExecutions has it.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        if not self.log.group:
            return []
        ends = " || ".join(f'$.type = "Execution{end}"' for end in _FAILURES)
        return [
            summary(arn, events(lines.values()))
            for arn, lines in self._matching(f"{{ {ends} }}", self._since).items()
        ]

    def _search(self, condition: str, since: datetime) -> list[dict[str, Any]]:
        if not self.log.group:
            return []
        found = []
        for arn, lines in self._matching(f"{{ {condition} }}", since).items():
            known = self._lines.setdefault(arn, {})
            known |= lines
            if not _is_whole(known):
                self._read_around(arn)
            found.append(summary(arn, self._events(arn)))
        return sorted(found, key=lambda one: one["startDate"])

    def _matching(self, pattern: str, since: datetime) -> dict[str, dict[int, Line]]:
        found: dict[str, dict[int, Line]] = {}
        for line in self._pages(max(since, self._since), None, pattern):
            found.setdefault(line["execution_arn"], {})[int(line["id"])] = line
        return found

    def _find(self, arn: str) -> None:
        """Look for an execution of which nothing but its ARN is known."""
        pattern = f'{{ $.execution_arn = "{arn}" }}'
        for first, last in windows(datetime.now(UTC), self._since) if self.log.group else ():
            self._keep(self._pages(first, last, pattern))
            if arn in self._lines:
                self._read_around(arn)
                return

    def _read_around(self, arn: str) -> None:
        """Read all lines of an execution of which some are known."""
        times = [_at(line) for line in self._lines[arn].values()]
        first, last = min(times) - LONGEST, max(times) + LONGEST
        self._keep(self._pages(first, last, f'{{ $.execution_arn = "{arn}" }}'))

    def _read(self, first: datetime, last: datetime) -> None:
        self._keep(self._pages(first, last))

    def _keep(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._lines.setdefault(line["execution_arn"], {})[int(line["id"])] = line

    def _pages(self, first: datetime, last: datetime | None, pattern: str = "") -> Iterator[Line]:
        count = 0
        for page in storage.log_pages(self._clients, self.log.group, first, last, pattern):
            for event in page:
                line = text.json_object(event["message"])
                if line.get("execution_arn") and line.get("id"):
                    yield line
            count += len(page)
            if self._progress:
                self._progress(
                    f"{text.counted(count, 'line', 'lines')} of the log since "
                    f"{first:%Y-%m-%d %H:%M:%S} UTC"
                )

    def _whole(self) -> list[str]:
        """Return the executions that did not begin before the log was read."""
        begun = self._read_from or self._since
        return [
            arn
            for arn, lines in self._lines.items()
            if _is_whole(lines)
            or self.log.level != "ALL"
            or min(map(_at, lines.values())) - begun > LONGEST  # its first line was lost
        ]

    def _events(self, arn: str) -> list[Line]:
        return events(self._lines[arn].values())

    def _forget(self, arns: Iterable[str]) -> None:
        for arn in list(arns):
            del self._lines[arn]

    def _asl(self) -> Mapping[str, Any]:
        if not self._definition:
            told = self._clients.stepfunctions.describe_state_machine(stateMachineArn=self._machine)
            self._definition = json.loads(told["definition"])
        return self._definition


_WHERE = (
    "`image-converter status KEY` lists the executions of an image; log_retention_days is how long "
    "they are known."
)


def of_stack(
    clients: Clients,
    stack: Deployment,
    *,
    since: datetime | None = None,
    progress: Progress | None = None,
) -> Log:
    """Return a reader of an EXPRESS stack's executions; its parameters are those of `Log`."""
    begun = max(filter(None, (since, stack.created)), default=None)
    oldest = datetime.now(UTC) - _REMEMBERED
    return Log(
        clients,
        stack.state_machine_arn,
        stack.log,
        since=max(begun, oldest) if begun else oldest,
        progress=progress,
    )


def of_execution(clients: Clients, arn: str, since: datetime | None = None) -> Log:
    """Return a reader of the executions of the state machine that an execution's ARN names.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked, or the state machine does not exist.
    """
    machine = ":".join(arn.replace(":express:", ":stateMachine:").split(":")[:7])
    told = clients.stepfunctions.describe_state_machine(stateMachineArn=machine)
    definition = json.loads(told["definition"])
    return Log(clients, machine, ExecutionLog.read(told), definition=definition, since=since)


def windows(now: datetime, since: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield spans of time back to a moment, each of them wider than the one after it."""
    last, width = now, _FIRST_WINDOW
    while last > since:
        first = max(last - width, since)
        yield first, last
        last, width = first, width * _WIDER


def events(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return log lines as GetExecutionHistory has the same events, in their order.

    An execution whose end must be over and was not logged gets one that says so.
    """
    found = [_event(line) for line in sorted(lines, key=lambda line: int(line["id"]))]
    last = found[-1]
    age = datetime.now(UTC) - found[0]["timestamp"]
    if not any(one["type"] in history.STATUS_OF for one in found) and age > LONGEST + 2 * _DELIVERY:
        details = {"error": "EndNotLogged", "cause": "AWS has not logged how it ended"}
        found.append(
            {
                "id": last["id"] + 1,
                "previousEventId": 0,
                "type": "ExecutionAborted",
                "timestamp": last["timestamp"],
                "loggedEventDetails": details,
            }
        )
    return found


def summary(arn: str, of_it: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an execution's events as ListExecutions and DescribeExecution sum them up."""
    read = history_events.read(of_it)
    end = next((one for one in read if one.type in history.STATUS_OF), None)
    found = {
        "executionArn": arn,
        "name": name_of(arn),
        "status": history.STATUS_OF[end.type] if end else RUNNING,
        "startDate": read[0].time,
        "input": history.input_of(read),
    }
    if end:
        found["stopDate"] = end.time
        found |= {name: end.details[name] for name in ("error", "cause") if name in end.details}
    return found


def _event(line: Line) -> dict[str, Any]:
    return {
        "id": int(line["id"]),
        "previousEventId": int(line.get("previous_event_id") or 0),
        "type": line["type"],
        "timestamp": _at(line),
        "loggedEventDetails": line.get("details") or {},
    }


def _at(line: Line) -> datetime:
    return datetime.fromtimestamp(int(line["event_timestamp"]) / 1000, UTC)


def _is_whole(lines: Mapping[int, Line]) -> bool:
    return 1 in lines
