"""Executions out of their state machine's log group, the only place that has EXPRESS ones.

The lines are read with FilterLogEvents, or with Logs Insights, which charges by what it reads: what
was logged last is read first, further back bit by bit, for a limited time. Lines arrive late and in
any order, and AWS delivers them as well as it can, not all of them for certain.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
"""

import functools
import itertools
import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from scripts.lib import deployed, storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import ExecutionLog
from scripts.lib.executions import definition as definitions
from scripts.lib.executions import history, restarts
from scripts.lib.executions.events import HistoryEvent
from scripts.lib.executions.model import (
    FAILED,
    RUNNING,
    STOPPED,
    SUCCEEDED,
    Execution,
    Summary,
    name_of,
    source_of,
)
from scripts.lib.executions.traces import Traces
from scripts.lib.user_errors import UserError

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
LONGEST = timedelta(minutes=5)
_DELIVERY = timedelta(minutes=1)  # in which a line usually arrives
_CLOCKS_DIFFER = timedelta(seconds=5)
_USUALLY_WITHIN = timedelta(minutes=20)  # of its upload, an execution ends
_PATIENCE_SECONDS = 60  # for which a person waits for what may be far back in a large log
_FIRST_WINDOW = timedelta(seconds=15)  # a flood writes a hundred thousand lines in it
_WIDER = 4  # each window before the last one
_REMEMBERED = timedelta(days=90)  # as AWS remembers STANDARD executions
_KEPT = 1000  # executions whose lines stay in memory, however long `watch` runs
_FORGOTTEN = 20_000  # of the others, whose late lines are not taken for new executions

_PLAIN = re.compile(r"[\w/ .-]+", re.ASCII)  # what JSON and filter patterns have as it is
_WHERE = (
    "`image-converter status KEY` lists the executions of an image; log_retention_days is how long "
    "they are known."
)

Progress = Callable[[str], None]
Line = dict[str, Any]
Lines = dict[str, dict[int, Line]]  # by execution, then by their ids
Span = tuple[datetime, datetime]


class Log:
    """Reads the executions of one EXPRESS state machine."""

    def __init__(
        self,
        clients: Clients,
        state_machine_arn: str,
        log: ExecutionLog,
        *,
        since: datetime | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Prepare, without asking AWS.

        Parameters:
            since: the log is not searched before it, and not before 90 days ago.
            progress: called with a sentence for each page of the log that was read.
        """
        self._clients = clients
        self._machine = state_machine_arn
        self.log = log
        remembered = datetime.now(UTC) - _REMEMBERED
        self._since = max(since or remembered, remembered)
        self._progress = progress
        self._lines: Lines = {}
        self._newest: list[Summary] = []  # what was listed last
        self._read_from: datetime | None = None
        self._read_to = self._since
        self._latest = datetime.now(UTC)  # of all lines, once there are any
        self._forgotten: dict[str, None] = {}  # the oldest first
        self._not_searched = ""  # of the last search, in a sentence

    def listed(self, status: str | None = None, most: int | None = None) -> list[Summary]:
        """Return the executions as ListExecutions has them, the newest first.

        Each further call reads only what was logged meanwhile.
        """
        now = datetime.now(UTC)
        if self._read_from is None:
            for span in windows(now, self._since):
                self._read(*span)
                self._read_from = span[0]
                if most and len(self._whole()) >= most:
                    break
        else:
            # This machine's clock may be ahead of AWS's.
            last = min(self._read_to, self._latest)
            self._read(max(last - _DELIVERY, self._since), now)
        self._read_to = now
        runs = self._summaries(self._whole())
        runs.reverse()
        self._forget([run["executionArn"] for run in runs[_KEPT:]])
        self._newest = runs[:_KEPT]
        return [run for run in runs if status in (None, run["status"])][:most]

    def execution(self, arn: str, definition: Mapping[str, Any] | None = None) -> Execution:
        """Return an execution by its lines.

        Parameters:
            definition: the state machine as it is now, where it is known.

        Raises:
            UserError: nothing is logged of it.
        """
        if arn not in self._lines:
            self._first(f'{{ $.execution_arn = "{arn}" }}', windows(datetime.now(UTC), self._since))
        if arn not in self._lines:
            raise UserError(
                f"Nothing is logged of the execution {arn}. {self.log.missing or _WHERE}"
            )
        machine = definition or deployed.definition(self._clients, self._machine)
        lines = self._lines[arn].values()
        execution = history.of_events(arn, events(lines), definitions.read(machine))
        execution.not_logged = self.log.missing
        return execution

    def ended(self, name: str) -> Execution | None:
        """Return the execution of that name that counts, if the last list says that it has ended.

        Of an upload that was notified twice, that is the execution that succeeded.
        """
        arns = {run["status"]: run["executionArn"] for run in self._newest if run["name"] == name}
        arn = arns.get(SUCCEEDED) or arns.get("FAILED")
        if arn is None or RUNNING in arns or self.log.missing:
            return None
        return self.execution(arn)

    def named(self, name: str, uploaded: datetime | None = None) -> list[Summary]:
        """Return the newest executions of an upload, and last the one that counts.

        An upload that S3 notifies twice has two executions at a time, of which one may fail
        without anything being left to do.

        Parameters:
            name: under which it was started first.
            uploaded: when: only what was logged soon after it, and just now, is searched.
        """
        machine = self._machine.rpartition(":")[2]
        spans: Iterable[Span] = self._back(self._since)
        if uploaded:
            now = datetime.now(UTC)
            spans = (now - 2 * LONGEST, now), _around(uploaded)
        runs = self._first(f'{{ $.execution_arn = "*:express:{machine}:{name}*" }}', spans)
        runs = [run for run in runs if restarts.first_name(run["name"]) == name]
        return sorted(runs, key=lambda run: run["status"] not in FAILED)

    def of_image(self, traces: Traces) -> tuple[list[Summary], str]:
        """Return the executions of an image, the oldest first, and what was not searched.

        Their ARNs end as the names that follow from its uploads, or their inputs name it.
        """
        key, uploaded = traces.key, [upload["LastModified"] for upload in traces.uploads]
        if traces.record and not uploaded:
            uploaded = [datetime.fromisoformat(traces.record["writtenAt"]) - LONGEST]
        marks = [name.rpartition("-")[2] for name in traces.names]
        if traces.is_unversioned:
            marks.append(f":{traces.beginnings[0]}")
        conditions = [f'($.execution_arn = "*{mark}*")' for mark in marks]
        if plain := max(_PLAIN.findall(key), key=len, default=""):
            by_hand = f'$.type = "ExecutionStarted" && $.details.input = "*{plain}*"'
            conditions.append(f"({by_hand})")
        since = max(min(uploaded) - _CLOCKS_DIFFER, self._since)
        spans = itertools.chain(map(_around, uploaded), self._back(since))
        matching = self._matching(f"{{ {' || '.join(conditions)} }}", spans)
        of_it = {
            arn: lines
            for arn, lines in matching.items()
            if any(mark in arn for mark in marks)
            or any(source_of(line["details"].get("input")).get("key") == key for line in lines)
        }
        # Where inputs are not logged, the name has to do.
        runs = [run for run in self._summed(of_it) if restarts.source(run)[0] in (key, None)]
        return runs, self._not_searched

    def failed(self, statuses: Collection[str] = (*FAILED, STOPPED)) -> tuple[list[Summary], str]:
        """Return what ended with one of these statuses, and what was not searched."""
        ends = " || ".join(
            f'$.type = "{type_}"' for type_ in history.STATUS_OF if type_ != "ExecutionSucceeded"
        )
        matching = self._matching(f"{{ {ends} }}", self._back(self._since))
        # Logs Insights also finds lines that only contain the name of such an event.
        ended = {arn: lines for arn, lines in matching.items() if any(map(_is_end, lines))}
        runs = [summary(arn, events(lines)) for arn, lines in ended.items()]
        failed = [run for run in runs if run["status"] in statuses]
        return failed, self._not_searched if self.log.group else self.log.missing

    def _back(self, since: datetime) -> Iterator[Span]:
        """Yield spans of time back to a moment, for at most as long as a person waits."""
        started = time.monotonic()
        self._not_searched = ""
        for first, last in windows(datetime.now(UTC), since):
            if time.monotonic() - started > _PATIENCE_SECONDS:
                self._not_searched = (
                    f"The log is large: only what was logged since {last:%Y-%m-%d %H:%M} UTC was "
                    "searched."
                )
                return
            yield first, last

    def _first(self, pattern: str, spans: Iterable[Span]) -> list[Summary]:
        """Return the executions of the first span that has lines that fit a pattern."""
        summed = (self._summed(self._matching(pattern, [span])) for span in spans)
        return next(filter(None, summed), [])

    def _matching(self, pattern: str, spans: Iterable[Span]) -> dict[str, list[Line]]:
        """Return the lines that fit a pattern, by execution."""
        by_execution: Lines = {}
        for span in spans:
            _add(by_execution, self._pages(*span, pattern))
        return {arn: list(lines.values()) for arn, lines in by_execution.items()}

    def _summed(self, matching: Mapping[str, Iterable[Line]]) -> list[Summary]:
        """Return executions, the oldest first, once all of their lines have been read."""
        for arn, lines in matching.items():
            self._keep(lines)
            kept = self._lines[arn]
            if not (1 in kept and any(map(_is_end, kept.values()))):
                times = [_at(line) for line in kept.values()]
                span = min(times) - LONGEST, max(times) + LONGEST
                self._keep(self._pages(*span, f'{{ $.execution_arn = "{arn}" }}'))
        return self._summaries(matching)

    def _summaries(self, arns: Iterable[str]) -> list[Summary]:
        """Return executions by what is known of them, the oldest first."""
        runs = (summary(arn, events(self._lines[arn].values())) for arn in arns)
        return sorted(runs, key=lambda run: run["startDate"])

    def _read(self, first: datetime, last: datetime) -> None:
        lines = self._pages(first, last)
        self._keep(line for line in lines if line["execution_arn"] not in self._forgotten)

    def _keep(self, lines: Iterable[Line]) -> None:
        for line in lines:
            self._latest = max(self._latest, _at(line)) if self._lines else _at(line)
            _add(self._lines, [line])

    def _pages(self, first: datetime, last: datetime, pattern: str = "") -> Iterator[Line]:
        if not self.log.group:
            return
        count = 0
        for page in storage.log_pages(self._clients, self.log.group, first, last, pattern):
            for event in page:
                line = _parsed(event["message"])
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
            if 1 in lines
            or self.log.level != "ALL"
            or min(map(_at, lines.values())) - begun > LONGEST  # its first line was lost
        ]

    def _forget(self, arns: Iterable[str]) -> None:
        for arn in arns:
            del self._lines[arn]
            self._forgotten[arn] = None
        for arn in list(self._forgotten)[:-_FORGOTTEN]:
            del self._forgotten[arn]


@functools.lru_cache(maxsize=10_000)
def _parsed(message: str) -> Line:
    """Return a line of the log; whoever follows it reads the newest ones again and again."""
    return text.json_object(message)


def of_execution(clients: Clients, arn: str) -> Log:
    """Return a reader of the executions of the state machine that an execution's ARN names."""
    machine = ":".join(arn.replace(":express:", ":stateMachine:").split(":")[:7])
    described = clients.stepfunctions.describe_state_machine(stateMachineArn=machine)
    return Log(clients, machine, ExecutionLog.read(described))


def windows(now: datetime, since: datetime) -> Iterator[Span]:
    """Yield spans of time back to a moment, each of them wider than the one after it."""
    last, width = now, _FIRST_WINDOW
    while last > since:
        first = max(last - width, since)
        yield first, last
        last, width = first, width * _WIDER


def events(lines: Iterable[Line]) -> list[HistoryEvent]:
    """Return log lines as the events of a history, in their order.

    An execution whose end must be over and was not logged gets one that says so.
    """
    ordered = [
        HistoryEvent(
            id=int(line["id"]),
            previous=int(line.get("previous_event_id") or 0),
            type=line["type"],
            time=_at(line),
            details=line.get("details") or {},
        )
        for line in sorted(lines, key=lambda line: int(line["id"]))
    ]
    first, last = ordered[0], ordered[-1]
    is_over = datetime.now(UTC) - first.time > LONGEST + 2 * _DELIVERY
    if is_over and not any(event.type in history.STATUS_OF for event in ordered):
        details = {"error": "EndNotLogged", "cause": "AWS has not logged how it ended"}
        ordered.append(HistoryEvent(last.id + 1, 0, "ExecutionAborted", last.time, details))
    return ordered


def summary(arn: str, events: list[HistoryEvent]) -> Summary:
    """Return an execution's events as ListExecutions and DescribeExecution sum them up."""
    run: Summary = {
        "executionArn": arn,
        "name": name_of(arn),
        "status": RUNNING,
        "startDate": events[0].time,
        "input": history.input_of(events),
    }
    if end := next((event for event in events if event.type in history.STATUS_OF), None):
        run |= {"status": history.STATUS_OF[end.type], "stopDate": end.time}
        run |= {name: end.details[name] for name in ("error", "cause") if name in end.details}
    return run


def _at(line: Line) -> datetime:
    return datetime.fromtimestamp(int(line["event_timestamp"]) / 1000, UTC)


def _around(uploaded: datetime) -> Span:
    """Return when most executions of an upload are logged."""
    return uploaded - _CLOCKS_DIFFER, uploaded + _USUALLY_WITHIN


def _add(by_execution: Lines, lines: Iterable[Line]) -> None:
    for line in lines:
        by_execution.setdefault(line["execution_arn"], {})[int(line["id"])] = line


def _is_end(line: Line) -> bool:
    return line["type"] in history.STATUS_OF
