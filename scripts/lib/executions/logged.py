"""Executions out of their state machine's log group, the only place that has EXPRESS ones.

The lines are read with FilterLogEvents, or with Logs Insights, which charges by what it reads: what
was logged last is read first, further back bit by bit, for a limited time. Lines arrive late and in
any order, and AWS delivers them as well as it can, not all of them for certain.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.lib import storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment, ExecutionLog
from scripts.lib.executions import events as history_events
from scripts.lib.executions import history
from scripts.lib.executions.model import RUNNING, Execution, name_of, source_of
from scripts.lib.user_errors import UserError

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LONGEST = timedelta(minutes=5)
_DELIVERY = timedelta(minutes=1)  # in which a line usually arrives
_CLOCKS_DIFFER = timedelta(seconds=5)
_USUALLY_WITHIN = timedelta(minutes=20)  # of its upload, an execution ends
_PATIENCE_SECONDS = 60  # of a person who asks for something that may be far back in a large log
_FIRST_WINDOW = timedelta(seconds=15)  # a flood writes a hundred thousand lines in it
_WIDER = 4  # each window before the last one
_REMEMBERED = timedelta(days=90)  # as AWS remembers STANDARD executions
_KEPT = 1000  # executions whose lines are kept, of somebody who watches for days
_FORGOTTEN = 20_000  # of those no longer kept, whose late lines are not taken for new executions
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
        self.newest: list[dict[str, Any]] = []  # what was listed last
        self._read_from: datetime | None = None
        self._read_to = self._since
        self._latest = datetime.now(UTC)  # of all lines, once there are any
        self._forgotten: dict[str, None] = {}  # the oldest first

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
            # This machine's clock may be ahead of AWS's.
            self._read(min(self._read_to, self._latest) - _DELIVERY, now)
        self._read_to = now
        runs = [summary(arn, self._events(arn)) for arn in self._whole()]
        runs.sort(key=lambda run: run["startDate"], reverse=True)
        self._forget(run["executionArn"] for run in runs[_KEPT:])
        self.newest = runs[:_KEPT]
        wanted = [run for run in runs if status in (None, run["status"])]
        return wanted[:most]

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
        execution = history.read(arn, events, definition or self._asl(), whole=False)
        execution.not_logged = self.log.missing
        return execution

    def named(self, name: str, uploaded: datetime | None = None) -> list[dict[str, Any]]:
        """Return the newest executions whose names begin so, as DescribeExecution has them.

        Parameters:
            name: the beginning.
            uploaded: of an upload, when that was: only what followed it, and what has just begun,
                is looked for.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        machine = self._machine.rpartition(":")[2]
        pattern = f'{{ $.execution_arn = "*:express:{machine}:{name}*" }}'
        for span in self._near(uploaded) if uploaded else self._back():
            if runs := self._summed(self._matching(pattern, *span)):
                return runs
        return []

    def of_image(
        self, marks: Collection[str], key: str, uploads: Collection[datetime]
    ) -> tuple[list[dict[str, Any]], str]:
        """Return the executions of an image, the oldest first, and what was not searched.

        Parameters:
            marks: what the ARNs contain of those that uploads have started.
            key: the image's; an execution with another name has it in its input.
            uploads: when it was uploaded.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        if not self.log.group:
            return [], ""
        conditions = [f'($.execution_arn = "*{mark}*")' for mark in marks]
        if plain := max(_PLAIN.findall(key), key=len, default=""):
            by_hand = f'$.type = "ExecutionStarted" && $.details.input = "*{plain}*"'
            conditions.append(f"({by_hand})")
        pattern = f"{{ {' || '.join(conditions)} }}"
        by_execution: dict[str, dict[int, Line]] = {}
        for at in uploads:  # most executions of it
            _join(by_execution, self._matching(pattern, at - _CLOCKS_DIFFER, at + _USUALLY_WITHIN))
        since = max(min(uploads, default=datetime.now(UTC)) - _CLOCKS_DIFFER, self._since)
        reached = datetime.now(UTC)
        for first, last in self._back(since):
            _join(by_execution, self._matching(pattern, first, last))
            reached = first
        mine = {
            arn: lines
            for arn, lines in by_execution.items()
            if any(mark in arn for mark in marks) or key in map(_key, lines.values())
        }
        return self._summed(mine), _not_searched(since, reached)

    def failed(self) -> tuple[list[dict[str, Any]], str]:
        """Return what failed, timed out or was stopped, and what was not searched.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        ends = " || ".join(f'$.type = "Execution{end}"' for end in _FAILURES)
        by_execution: dict[str, dict[int, Line]] = {}
        reached = datetime.now(UTC)
        for first, last in self._back():
            _join(by_execution, self._matching(f"{{ {ends} }}", first, last))
            reached = first
        listed = [
            summary(arn, events(lines.values()))
            for arn, lines in by_execution.items()
            if any(map(_ends, lines.values()))  # Logs Insights finds what merely looks like it, too
        ]
        missing = _not_searched(self._since, reached) if self.log.group else self.log.missing
        return listed, missing

    def _near(self, uploaded: datetime) -> Iterator[tuple[datetime, datetime]]:
        now = datetime.now(UTC)
        if self.log.group:
            yield now - 2 * LONGEST, now
            yield uploaded - _CLOCKS_DIFFER, uploaded + _USUALLY_WITHIN

    def _back(self, since: datetime | None = None) -> Iterator[tuple[datetime, datetime]]:
        """Yield spans of time back to a moment, for as long as somebody may wait."""
        started = time.monotonic()
        back_to = max(since or self._since, self._since)
        for span in windows(datetime.now(UTC), back_to) if self.log.group else ():
            if time.monotonic() - started > _PATIENCE_SECONDS:
                return
            yield span

    def _summed(self, by_execution: Mapping[str, Mapping[int, Line]]) -> list[dict[str, Any]]:
        for arn, lines in by_execution.items():
            known = self._lines.setdefault(arn, {})
            known |= lines
            if not _is_whole(known) or not any(_ends(line) for line in known.values()):
                self._read_around(arn)
        summed = [summary(arn, self._events(arn)) for arn in by_execution]
        return sorted(summed, key=lambda run: run["startDate"])

    def _matching(
        self, pattern: str, first: datetime, last: datetime
    ) -> dict[str, dict[int, Line]]:
        by_execution: dict[str, dict[int, Line]] = {}
        for line in self._pages(first, last, pattern):
            by_execution.setdefault(line["execution_arn"], {})[int(line["id"])] = line
        return by_execution

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
        lines = self._pages(first, last)
        self._keep(line for line in lines if line["execution_arn"] not in self._forgotten)

    def _keep(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._latest = max(self._latest, _at(line)) if self._lines else _at(line)
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
            self._forgotten[arn] = None
        for arn in list(self._forgotten)[:-_FORGOTTEN]:
            del self._forgotten[arn]

    def _asl(self) -> Mapping[str, Any]:
        if not self._definition:
            answer = self._clients.stepfunctions.describe_state_machine(
                stateMachineArn=self._machine
            )
            self._definition = json.loads(answer["definition"])
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
    machine = state_machine_arn(arn)
    answer = clients.stepfunctions.describe_state_machine(stateMachineArn=machine)
    definition = json.loads(answer["definition"])
    return Log(clients, machine, ExecutionLog.read(answer), definition=definition, since=since)


def state_machine_arn(arn: str) -> str:
    """Return the ARN of the state machine of an EXPRESS execution."""
    return ":".join(arn.replace(":express:", ":stateMachine:").split(":")[:7])


def _not_searched(since: datetime, reached: datetime) -> str:
    if reached <= since:
        return ""
    return (
        f"The log is large: only what was logged since {reached:%Y-%m-%d %H:%M} UTC was searched."
    )


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
    ordered = [_event(line) for line in sorted(lines, key=lambda line: int(line["id"]))]
    last = ordered[-1]
    age = datetime.now(UTC) - ordered[0]["timestamp"]
    if (
        not any(event["type"] in history.STATUS_OF for event in ordered)
        and age > LONGEST + 2 * _DELIVERY
    ):
        details = {"error": "EndNotLogged", "cause": "AWS has not logged how it ended"}
        ordered.append(
            {
                "id": last["id"] + 1,
                "previousEventId": 0,
                "type": "ExecutionAborted",
                "timestamp": last["timestamp"],
                "loggedEventDetails": details,
            }
        )
    return ordered


def summary(arn: str, of_it: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return an execution's events as ListExecutions and DescribeExecution sum them up."""
    read = history_events.read(of_it)
    end = next((event for event in read if event.type in history.STATUS_OF), None)
    run = {
        "executionArn": arn,
        "name": name_of(arn),
        "status": history.STATUS_OF[end.type] if end else RUNNING,
        "startDate": read[0].time,
        "input": history.input_of(read),
    }
    if end:
        run["stopDate"] = end.time
        run |= {name: end.details[name] for name in ("error", "cause") if name in end.details}
    return run


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


def _join(known: dict[str, dict[int, Line]], more: Mapping[str, dict[int, Line]]) -> None:
    for arn, lines in more.items():
        known.setdefault(arn, {}).update(lines)


def _key(line: Line) -> str | None:
    """Return the key that a line's input names."""
    return source_of(line["details"].get("input")).get("key")


def _ends(line: Line) -> bool:
    return line["type"] in history.STATUS_OF


def _is_whole(lines: Mapping[int, Line]) -> bool:
    return 1 in lines
