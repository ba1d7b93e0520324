"""What the pipeline has done since a run of the backfill began, uploads included.

A STANDARD state machine lists its executions. Of an EXPRESS one, the log says as much as it is set
to log; what it does not say, the functions have logged.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from image_converter import notifications, reprocessing
from scripts.lib import deployed, functions, storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, collect, endings, history, logged, restarts
from scripts.lib.executions.model import FAILED, RUNNING, STOPPED, Summary
from scripts.lib.executions.redrive import Redrive

MAX_COUNTED = 10_000  # executions that are counted, or described
_FAILED = (*FAILED, STOPPED)


@dataclass(frozen=True)
class Failure:
    """An image that was not handled, and why."""

    key: str
    why: str


class Pipeline:
    """A stack's executions, and what did not become one, since a moment."""

    def __init__(self, clients: Clients, stack: Deployment, since: datetime) -> None:
        """Prepare, without asking AWS."""
        self._clients = clients
        self._stack = stack
        self._since = since
        self._source = collect.source(clients, stack, since=since)

    def running(self) -> int | None:
        """Return how many executions run; None if an EXPRESS stack does not log all of them."""
        if not self._stack.express:
            return sum(1 for _ in self._executions(RUNNING))
        log = self._stack.log
        if log.level != "ALL":
            return None
        lines = storage.log_events(
            self._clients,
            log.group,
            datetime.now(UTC) - logged.LONGEST,
            pattern='{ $.type = "Execution*" }',
        )
        events = [text.json_object(line["message"]) for line in lines]
        begun = {e["execution_arn"] for e in events if e.get("type") == "ExecutionStarted"}
        ended = {e["execution_arn"] for e in events if e.get("type") in history.STATUS_OF}
        return len(begun - ended)

    def failed(self) -> int | None:
        """Return how many executions have failed; None if the stack is EXPRESS."""
        return None if self._stack.express else sum(1 for _ in self._executions(*_FAILED))

    def started(self) -> int | None:
        """Return how many executions have begun, up to `MAX_COUNTED`; None if unknown."""
        if not self._stack.express:
            return sum(1 for _ in itertools.islice(self._executions(), MAX_COUNTED))
        lines = self._logged_by_the_trigger(notifications.STARTED)
        return None if lines is None else min(len(lines), MAX_COUNTED)

    def duplicates(self, prefix: str) -> int | None:
        """Return how many keys that begin so got no execution, because they had one already.

        It is `MAX_COUNTED` for as many or more, and None if unknown.
        """
        if self._stack.express:
            return 0  # AWS refuses no name of an EXPRESS execution
        lines = self._logged_by_the_trigger(notifications.DUPLICATE)
        if lines is None:
            return None
        keys = {str(line["key"]) for line in lines if line.get("key")}
        return min(sum(key.startswith(prefix) for key in keys), MAX_COUNTED)

    def failures(self) -> Iterator[Failure]:
        """Yield what failed, and was not handled later."""
        failed: Iterable[Summary] = self._executions(*_FAILED)
        not_searched = ""
        if self._stack.express:
            failed, not_searched = self._source.failed(_FAILED)
        if not_searched or self._stack.not_logged:
            yield from self._failures_of_functions()
        else:
            yield from self._failures_of(failed)
        for letter in storage.dead_letters(self._clients, self._stack.name):
            if storage.sent_at(letter) >= self._since:
                for key, _ in sorted(arrival.named(letter["Body"])):
                    yield Failure(key, "its message is a dead letter")

    def _executions(self, *statuses: str) -> Iterator[Any]:
        """Yield STANDARD executions with these statuses, by default all, the newest first."""
        for status in statuses or (None,):
            for execution in self._source.listed(status):
                if (execution.get("stopDate") or execution["startDate"]) < self._since:
                    break  # whichever of both moments they are sorted by
                if execution["startDate"] >= self._since:
                    yield execution

    def _logged_by_the_trigger(self, message: str) -> list[dict[str, Any]] | None:
        """Return the trigger's lines with that message; None if it does not log them."""
        name = f"{self._stack.name}-{functions.on_aws(functions.TRIGGER)}"
        trigger = deployed.function(self._clients, name)
        if trigger.settings.get("LOG_LEVEL", "INFO") not in ("DEBUG", "INFO"):
            return None
        events = storage.log_events(
            self._clients, trigger.log_group, self._since, pattern=f'"{message}"'
        )
        lines = [text.json_object(event["message"]) for event in events]
        return [line for line in lines if line.get("message") == message]

    def _failures_of(self, failed: Iterable[Summary]) -> Iterator[Failure]:
        """Yield for which executions that have failed something is left to do."""
        redrive = Redrive(self._clients, self._stack, everything=True)
        counted = itertools.islice(failed, MAX_COUNTED)
        by_name = {restarts.first_name(run["name"]): run for run in counted}
        for name in sorted(by_name):
            # A large log may not have been searched to where its lines are.
            [*_, newest] = self._source.named(name) or [by_name[name]]
            if redrive.has_failed(newest):
                why = text.sentence(newest.get("error"), newest.get("cause"))
                yield Failure(restarts.source(newest)[0] or name, why or newest["status"])

    def _failures_of_functions(self) -> Iterator[Failure]:
        """Yield the last failure that functions have logged of each image, unless a retry helped.

        What was handled has a newer record, or is not in the source bucket any more.
        """
        failures = endings.failures(self._clients, self._stack, self._since)
        newest = {failure.key: failure for failure in sorted(failures, key=lambda f: f.at)}
        settings_hash = deployed.settings_hash(deployed.resize_settings(self._clients, self._stack))
        for key, failure in newest.items():
            record = storage.record(self._clients, self._stack.table_name, key)
            if record and _written(record) >= failure.at:
                continue
            # A reprocess, whose source is gone before it begins, has something to do until then.
            is_outdated = record is not None and reprocessing.is_outdated(record, settings_hash)
            if is_outdated or self._is_in_the_source_bucket(key):
                yield Failure(key, failure.sentence)

    def _is_in_the_source_bucket(self, key: str) -> bool:
        # A key comes before all longer ones that begin with it.
        answer = self._clients.s3.list_objects_v2(
            Bucket=self._stack.source_bucket, Prefix=key, MaxKeys=1
        )
        return any(item["Key"] == key for item in answer.get("Contents", []))


def _written(record: Mapping[str, Any]) -> datetime:
    """Return when a record was written, at the latest: it has whole seconds."""
    return datetime.fromisoformat(record["writtenAt"]) + timedelta(seconds=1)
