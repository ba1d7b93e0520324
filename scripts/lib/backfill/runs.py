"""Runs of the backfill's state machine: starting one, and following what it sends.

Whatever asks AWS raises BotoCoreError or ClientError where AWS does not answer or refuses.
"""

import itertools
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from scripts.lib import text
from scripts.lib.aws import Clients, is_local
from scripts.lib.backfill.pipeline import Failure, Pipeline
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, logged, map_runs, restarts
from scripts.lib.executions.model import RUNNING, SUCCEEDED
from scripts.lib.user_errors import UserError

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MAX_CHILDREN = 10_000
# Until then, a queue's number of messages may be an old one:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html
_CONSISTENT_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        status: the parent execution's.
        began, at: when the run began, and when this was true.
        listed: objects that are known so far.
        sent: objects that were sent, or dropped.
        not_sent: objects that could not be sent; while the run lasts, all of a batch in which one
            could not.
        waiting: about how many messages wait in the queue, those of uploads included.
        running: executions that run, those of uploads included; None if unknown.
        failed: executions that have failed since the run began; None if unknown.
        settled: whether nothing is left to wait for.
        error: why the run itself failed, if it did.
    """

    status: str
    began: datetime
    at: datetime
    listed: int
    sent: int
    not_sent: int
    waiting: int
    running: int | None
    failed: int | None
    settled: bool
    error: str = ""

    @property
    def done(self) -> int:
        """Objects that have been handled, without those that failed."""
        return max(0, self.sent - self.waiting - (self.running or 0) - (self.failed or 0))

    @property
    def ended(self) -> int:
        """Objects that need no more attention of the pipeline."""
        return self.done + (self.failed or 0) + self.not_sent

    @property
    def seconds(self) -> float:
        """For how long the run has gone on."""
        return (self.at - self.began).total_seconds()

    @property
    def rate(self) -> float:
        """How many objects a second have ended so far."""
        return self.ended / self.seconds if self.seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """For how long it goes on at that rate; None where that cannot be said yet."""
        return max(0, self.listed - self.ended) / self.rate if self.rate else None


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        progress: the last one.
        dropped: objects that were not sent, because they are not candidates.
        started: executions that have begun since the run did, those of uploads included, up to
            `pipeline.MAX_COUNTED`; None if unknown.
        duplicates: objects that were not started, because they had an execution already, up to
            `pipeline.MAX_COUNTED`; None if unknown.
        failures: what failed since then, and was not handled later.
    """

    progress: Progress
    dropped: int
    started: int | None
    duplicates: int | None
    failures: list[Failure]

    @property
    def good(self) -> bool:
        """Whether everything was handled."""
        return self.progress.status == SUCCEEDED and not self.failures


def check(clients: Clients, stack: Deployment) -> None:
    """Check that the stack has a backfill.

    Raises:
        UserError: it has none.
    """
    if _definition(clients, stack) is None:
        raise UserError(
            f"The stack {stack.name} has no backfill: set backfill = {{ enabled = true }} and "
            "apply."
        )


def max_concurrency(clients: Clients, stack: Deployment) -> int:
    """Return how many children run at the same time: what the backfill says, or AWS's quota."""
    states = (_definition(clients, stack) or {"States": {}})["States"].values()
    limits = (int(state["MaxConcurrency"]) for state in states if "MaxConcurrency" in state)
    return min(limits, default=_MAX_CHILDREN)


def _definition(clients: Clients, stack: Deployment) -> dict[str, Any] | None:
    """Return the definition of the backfill's state machine; None if the stack has none."""
    states = clients.stepfunctions
    try:
        machine = states.describe_state_machine(stateMachineArn=stack.backfill.state_machine_arn)
    except states.exceptions.StateMachineDoesNotExist:
        return None
    definition: dict[str, Any] = json.loads(machine["definition"])
    return definition


def start(
    clients: Clients, stack: Deployment, execution_input: Mapping[str, Any], name: str
) -> None:
    """Start a run."""
    clients.stepfunctions.start_execution(
        stateMachineArn=stack.backfill.state_machine_arn,
        name=name,
        input=json.dumps(execution_input),
    )


def new_name() -> str:
    """Return a name for a run: when it is started, and something that no other has."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


class Run:
    """A run of the backfill, in whatever terminal it was started."""

    def __init__(self, clients: Clients, stack: Deployment, name: str) -> None:
        """Find the run of that name.

        Raises:
            UserError: there is none.
        """
        self._clients = clients
        self._stack = stack
        self.name = name.rpartition(":")[2]
        self.arn = stack.backfill.execution_arn(self.name)
        described = self._described()
        self.began: datetime = described["startDate"]
        self._prefix = str(json.loads(described["input"]).get("prefix", ""))
        self._pipeline = Pipeline(clients, stack, self.began)
        self._busy_at = datetime.now(UTC)  # when objects were last known to be on the way

    def _described(self) -> dict[str, Any]:
        described = restarts.described(self._clients, self.arn)
        if described is None:
            raise UserError(
                f"The stack {self._stack.name} has no run {self.name}. AWS deletes executions "
                "after 90 days."
            )
        return described

    def progress(self) -> Progress:
        """Ask AWS once how far it is."""
        # In this order: what has been sent is in the queue, and what has left it has an execution.
        described = self._described()
        counts = map_runs.item_counts(self._clients, self.arn)
        not_sent = counts["failed"] + counts["timedOut"] + counts["aborted"]
        has_ended = described["status"] != RUNNING
        # Of batches in which another object could not be sent.
        failed = map(map_runs.batch, self._failed_children if not_sent and has_ended else ())
        sent_nevertheless = sum(batch.get("sent", 0) + batch.get("dropped", 0) for batch in failed)
        waiting = arrival.messages_waiting(self._clients, self._stack)
        now = datetime.now(UTC)
        is_drained = self._is_drained(described, waiting, now)
        if not is_drained:
            self._busy_at = now
        # Until the queue is empty, the count is only shown, and reading the log of an EXPRESS stack
        # is slow.
        counts_executions = is_drained or not self._stack.express
        running = self._pipeline.running() if counts_executions else None
        return Progress(
            status=described["status"],
            began=self.began,
            at=now,
            listed=counts["total"],
            sent=counts["succeeded"] + sent_nevertheless,
            not_sent=not_sent - sent_nevertheless,
            waiting=waiting,
            running=running,
            failed=self._pipeline.failed(),
            settled=is_drained and not self._may_still_run(running, now),
            error=text.sentence(described.get("error"), described.get("cause")),
        )

    def ending(self, progress: Progress) -> Ending:
        """Return how the run ended, by its last progress."""
        succeeded = map_runs.results(self._clients, self._stack, self.arn, "SUCCEEDED")
        batches = itertools.chain(succeeded, map(map_runs.batch, self._failed_children))
        failures = itertools.chain(self._not_sent(), self._pipeline.failures())
        return Ending(
            progress,
            dropped=sum(batch.get("dropped", 0) for batch in batches),
            started=self._pipeline.started(),
            duplicates=self._pipeline.duplicates(self._prefix),
            failures=[failure for failure in failures if failure.key.startswith(self._prefix)],
        )

    def _is_drained(self, described: Mapping[str, Any], waiting: int, now: datetime) -> bool:
        """Return whether all that the run sends has been sent, and has left the queue."""
        if described["status"] == RUNNING or waiting:
            return False
        is_local_queue = is_local(self._clients.sqs.meta.endpoint_url)
        return is_local_queue or now - described.get("stopDate", now) > _CONSISTENT_AFTER

    def _may_still_run(self, running: int | None, now: datetime) -> bool:
        """Return whether an execution runs, or may run if their number is unknown."""
        if running is None:
            return now - self._busy_at <= logged.LONGEST
        return running > 0

    @cached_property
    def _failed_children(self) -> list[dict[str, Any]]:
        """What the Maps have written of children that failed, once the run has ended."""
        return list(map_runs.results(self._clients, self._stack, self.arn, "FAILED"))

    def _not_sent(self) -> Iterator[Failure]:
        for child in self._failed_children:
            items = json.loads(child["Input"])["Items"]
            # Where a batch does not say what of it was sent, perhaps nothing was.
            why = text.sentence(child.get("Error"), child.get("Cause"))
            all_items = [{"item": number, "why": why} for number in range(len(items))]
            for failed in map_runs.batch(child).get("failed", all_items):
                yield Failure(_key(items[int(failed["item"])]), failed["why"])


def _key(item: Any) -> str:
    """Return the key of a Map's item, or the item itself if it does not name one."""
    if not isinstance(item, dict):
        return json.dumps(item)
    if "Inventory" in item:
        return unquote_plus(item["Inventory"]["Key"])
    return str(item.get("Key", json.dumps(item)))
