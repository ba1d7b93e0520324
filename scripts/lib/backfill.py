"""Backfills: images that exist already, sent through the pipeline by a Distributed Map.

The state machine NAME-backfill lists them, or reads a manifest, and sends a message for each to the
stack's queue. This module counts beforehand, starts that state machine, and follows what it does.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from botocore.exceptions import ClientError

from image_converter import keys, notifications, reprocessing
from scripts.lib import deployed, functions, manifests, storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, collect, endings, logged, restarts
from scripts.lib.executions.model import RUNNING, SUCCEEDED
from scripts.lib.executions.redrive import FAILED, STOPPED, Redrive
from scripts.lib.user_errors import UserError

# Where results are in the destination bucket, behind the prefix that all keys have.
PLACE = "backfill/"
FOLDERS = "folders"
OTHER_KEYS = "outside source_filter"
OTHER_BUCKETS = "in the wrong bucket, which fails a run"
_FAILED = (*FAILED, STOPPED)
MOST = 10_000  # executions that are counted, or described, after a run
_RECORDS_AT_A_TIME = 100  # of BatchGetItem
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MOST_CHILDREN = 10_000
_UNKNOWN = -1
_NOT_SENT = "NotSent"  # the error of a child of the state machine
# Until then, a queue's number of messages may be an old one:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html
_CONSISTENT_AFTER = timedelta(minutes=1)
_ENDS = {f"Execution{end}" for end in ("Succeeded", "Failed", "TimedOut", "Aborted")}


@dataclass
class Count:
    """What a backfill finds.

    Attributes:
        images: objects that are to be handled.
        bytes: of these; None where a manifest does not say.
        named_otherwise: how many of these are not named like a JPEG.
        converted: objects whose record describes them already.
        dropped: objects that are not sent, by the reason.
    """

    images: int = 0
    bytes: int | None = 0
    named_otherwise: int = 0
    converted: int = 0
    dropped: Counter[str] = field(default_factory=Counter)


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
        running: executions that run, those of uploads included; None while nobody says.
        failed: executions that have failed since the run began; None likewise.
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
    def rate(self) -> float:
        """How many objects a second have ended so far."""
        seconds = (self.at - self.began).total_seconds()
        return self.ended / seconds if seconds > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """For how long it goes on at that rate; None where that cannot be said yet."""
        return max(0, self.listed - self.ended) / self.rate if self.rate else None


@dataclass(frozen=True)
class Failure:
    """An image that was not handled, and why."""

    key: str
    why: str


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        progress: the last look.
        dropped: objects that were not sent, because they are not candidates.
        started: executions that have begun since the run did, those of uploads included; `MOST` for
            as many or more. None where nobody keeps account of them.
        refused: objects that were not started, because they had an execution already; `MOST` for as
            many or more. None where nobody keeps account of them.
        failures: what failed since then, and was not handled later.
    """

    progress: Progress
    dropped: int
    started: int | None
    refused: int | None
    failures: list[Failure]

    @property
    def good(self) -> bool:
        """Whether everything was handled."""
        return self.progress.status == SUCCEEDED and not self.failures


def objects(clients: Clients, given: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the objects that the state machine would find with that input, as S3 names fields.

    Raises:
        UserError: a manifest is an inventory, which is not read here, or is damaged.
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    if "manifest" in given:
        yield from manifests.objects(clients, given["manifest"])
        return
    pages = clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=given["bucket"], Prefix=given["prefix"]
    )
    for page in pages:
        yield from page.get("Contents", [])


def count(clients: Clients, stack: Deployment, found: Iterable[Mapping[str, Any]]) -> Count:
    """Count objects, without changing anything.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    accepted = arrival.source_filter(clients, stack)
    hashed = deployed.settings_hash(deployed.resize_settings(clients, stack))
    counted = Count()
    wanted = []
    for item in found:
        original = "Reprocess" in item
        wanted_bucket = stack.destination_bucket if original else stack.source_bucket
        if item.get("Bucket", wanted_bucket) != wanted_bucket:
            counted.dropped[OTHER_BUCKETS] += 1
        elif original:  # sent whatever its key is
            wanted.append(item)
        elif keys.is_folder(item["Key"], item.get("Size", _UNKNOWN)):
            counted.dropped[FOLDERS] += 1
        elif accepted and not accepted.accepts(item["Key"]):
            counted.dropped[OTHER_KEYS] += 1
        else:
            wanted.append(item)
        if len(wanted) == _RECORDS_AT_A_TIME:
            _count_wanted(clients, stack, wanted, hashed, counted)
            wanted = []
    _count_wanted(clients, stack, wanted, hashed, counted)
    return counted


def _count_wanted(
    clients: Clients,
    stack: Deployment,
    wanted: Iterable[Mapping[str, Any]],
    hashed: str,
    counted: Count,
) -> None:
    records = storage.records_of(clients, stack.table_name, set(map(_image, wanted)))
    for item in wanted:
        record = records.get(_image(item))
        if record and _describes(record, item) and not reprocessing.is_outdated(record, hashed):
            counted.converted += 1
            continue
        counted.images += 1
        counted.named_otherwise += not keys.is_named_like_a_jpeg(_image(item))
        size = item.get("Size")
        counted.bytes = None if counted.bytes is None or size is None else counted.bytes + size


def _image(item: Mapping[str, Any]) -> str:
    """Return the name of the image that an object is, or is the original of."""
    return str(item["Reprocess"]["imageName"] if "Reprocess" in item else item["Key"])


def _describes(record: Mapping[str, Any], item: Mapping[str, Any]) -> bool:
    """Return whether a record is of that very version of an object."""
    if "Reprocess" in item:
        return True  # where it names another original, nothing is started either
    if item.get("VersionId"):
        return bool(record["sourceVersionId"] == item["VersionId"])
    if "ETag" not in item:
        return False
    modified = item["LastModified"].replace(microsecond=0)  # records have whole seconds
    same_time = datetime.fromisoformat(record["sourceLastModified"]) == modified
    return same_time and bool(record["sourceETag"] == item["ETag"].strip('"'))


def check(clients: Clients, stack: Deployment) -> None:
    """Check that the stack has a backfill.

    Raises:
        UserError: it has none.
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    states = clients.stepfunctions
    try:
        states.describe_state_machine(stateMachineArn=stack.backfill.state_machine_arn)
    except states.exceptions.StateMachineDoesNotExist as error:
        raise UserError(
            f"The stack {stack.name} has no backfill: set backfill = {{ enabled = true }} and "
            "apply."
        ) from error


def children_at_a_time(clients: Clients, stack: Deployment) -> int:
    """Return how many children run at a time: what the stack's backfill says, or AWS's quota.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    states = clients.stepfunctions
    try:
        described = states.describe_state_machine(stateMachineArn=stack.backfill.state_machine_arn)
    except states.exceptions.StateMachineDoesNotExist:
        return _MOST_CHILDREN
    maps = json.loads(described["definition"])["States"].values()
    return min(int(one["MaxConcurrency"]) for one in maps if "MaxConcurrency" in one)


def start(clients: Clients, stack: Deployment, given: Mapping[str, Any], name: str) -> None:
    """Start a run.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    clients.stepfunctions.start_execution(
        stateMachineArn=stack.backfill.state_machine_arn, name=name, input=json.dumps(given)
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
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        self._clients = clients
        self._stack = stack
        self.name = name.rpartition(":")[2]
        self.arn = stack.backfill.execution_arn(self.name)
        described = self._described()
        self.began: datetime = described["startDate"]
        self._prefix = str(json.loads(described["input"]).get("prefix", ""))
        self._busy = datetime.now(UTC)  # when objects were last known to be on the way
        self._local = "127.0.0.1" in clients.sqs.meta.endpoint_url

    def _described(self) -> dict[str, Any]:
        described = restarts.described(self._clients, self.arn)
        if described is None:
            raise UserError(
                f"The stack {self._stack.name} has no run {self.name}. AWS deletes executions "
                "after 90 days."
            )
        return described

    def look(self) -> Progress:
        """Ask AWS once how far it is.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        # In this order: what has been sent is in the queue, and what has left it has an execution.
        described = self._described()
        counts = self._item_counts()
        not_sent = counts["failed"] + counts["timedOut"] + counts["aborted"]
        others = (
            self._others_of_failed_batches if not_sent and described["status"] != RUNNING else 0
        )
        waiting = arrival.messages_waiting(self._clients, self._stack)
        now = datetime.now(UTC)
        since_end = now - described.get("stopDate", now)
        over = described["status"] != RUNNING and (self._local or since_end > _CONSISTENT_AFTER)
        if waiting or not over:
            self._busy = now
        quiet = True
        running = failed = None
        if not self._stack.express:
            running = sum(1 for _ in self._executions(RUNNING))
            failed = sum(1 for status in _FAILED for _ in self._executions(status))
        elif over and not waiting:  # before, it would only be a figure, and reading logs takes time
            running = self._running_by_the_log(now)
            quiet = running is not None or now - self._busy > logged.LONGEST
        return Progress(
            status=described["status"],
            began=self.began,
            at=now,
            listed=counts["total"],
            sent=counts["succeeded"] + others,
            not_sent=not_sent - others,
            waiting=waiting,
            running=running,
            failed=failed,
            settled=over and not waiting and not running and quiet,
            error=text.sentence(described.get("error"), described.get("cause")),
        )

    def _running_by_the_log(self, now: datetime) -> int | None:
        """Return how many EXPRESS executions have begun and not ended; None if it does not say."""
        log = self._stack.log
        if log.level != "ALL":
            return None
        lines = storage.log_events(
            self._clients, log.group, now - logged.LONGEST, pattern='{ $.type = "Execution*" }'
        )
        events = [text.json_object(line["message"]) for line in lines]
        begun = {one["execution_arn"] for one in events if one.get("type") == "ExecutionStarted"}
        ended = {one["execution_arn"] for one in events if one.get("type") in _ENDS}
        return len(begun - ended)

    def _map_runs(self) -> Iterator[str]:
        """Yield the ARNs of the run's Maps, of which one has read the objects."""
        states = self._clients.stepfunctions
        for page in states.get_paginator("list_map_runs").paginate(executionArn=self.arn):
            yield from (one["mapRunArn"] for one in page["mapRuns"])

    def _item_counts(self) -> Counter[str]:
        counts: Counter[str] = Counter()
        for arn in self._map_runs():
            described: Any = self._clients.stepfunctions.describe_map_run(mapRunArn=arn)
            counts.update(described["itemCounts"])
        return counts

    def _executions(self, status: str | None = None) -> Iterator[Any]:
        """Yield the pipeline's executions since the run began, the newest first."""
        machine = self._stack.state_machine_arn
        for one in collect.listed(self._clients, machine, status):
            if one.get("stopDate", one["startDate"]) < self.began:
                return  # whichever of both moments they are sorted by
            if one["startDate"] >= self.began:
                yield one

    def ending(self, progress: Progress) -> Ending:
        """Return how the run ended, by the last look at it.

        Raises:
            BotoCoreError, ClientError: AWS cannot be asked.
        """
        failures = [one for one in self._failures() if one.key.startswith(self._prefix)]
        failed = map(_batch, self._results("FAILED"))
        batches = itertools.chain(self._results("SUCCEEDED"), failed)
        dropped = sum(batch.get("dropped", 0) for batch in batches)
        return Ending(progress, dropped, self._started(), self._refused(), failures)

    def _started(self) -> int | None:
        if not self._stack.express:
            return sum(1 for _ in itertools.islice(self._executions(), MOST))
        lines = self._logged_by_the_trigger(notifications.STARTED)
        return None if lines is None else min(len(lines), MOST)

    def _refused(self) -> int | None:
        if self._stack.express:
            return 0  # AWS refuses no name of an EXPRESS execution
        lines = self._logged_by_the_trigger(notifications.DUPLICATE)
        if lines is None:
            return None
        found = {str(line["key"]) for line in lines if line.get("key")}
        return min(sum(key.startswith(self._prefix) for key in found), MOST)

    def _logged_by_the_trigger(self, message: str) -> list[dict[str, Any]] | None:
        """Return its lines since the run began that have that message; None if it logs none."""
        name = f"{self._stack.name}-{functions.on_aws(functions.TRIGGER)}"
        trigger = deployed.function(self._clients, name)
        if trigger.settings.get("LOG_LEVEL", "INFO") not in ("DEBUG", "INFO"):
            return None
        found = storage.log_events(
            self._clients, trigger.log_group, self.began, pattern=f'"{message}"'
        )
        lines = [text.json_object(event["message"]) for event in found]
        return [line for line in lines if line.get("message") == message]

    def _failures(self) -> Iterator[Failure]:
        yield from self._not_sent()
        if self._stack.express:
            yield from self._express_failures()
        else:
            yield from self._standard_failures()
        for letter in storage.dead_letters(self._clients, self._stack.name):
            if storage.sent_at(letter) < self.began:
                continue
            for key, _ in sorted(arrival.named(letter["Body"])):
                yield Failure(key, "its message is a dead letter")

    def _standard_failures(self) -> Iterator[Failure]:
        look = Redrive(self._clients, self._stack, dry_run=True, everything=True)
        failed = (one for status in _FAILED for one in self._executions(status))
        names = {restarts.first_name(one["name"]) for one in itertools.islice(failed, MOST)}
        for name in sorted(names):
            for found in look.execution(name):
                yield Failure(found.key or found.subject, found.why)

    @cached_property
    def _others_of_failed_batches(self) -> int:
        """How many objects were sent or dropped in batches in which another could not be sent."""
        batches = map(_batch, self._results("FAILED"))
        return sum(batch.get("sent", 0) + batch.get("dropped", 0) for batch in batches)

    def _not_sent(self) -> Iterator[Failure]:
        for child in self._results("FAILED"):
            items = json.loads(child["Input"])["Items"]
            # Where a batch does not say what of it was sent, perhaps nothing was.
            why = text.sentence(child.get("Error"), child.get("Cause"))
            nothing = [{"item": number, "why": why} for number in range(len(items))]
            for one in _batch(child).get("failed", nothing):
                yield Failure(_named(items[int(one["item"])]), one["why"])

    def _results(self, status: str) -> Iterator[Any]:
        """Yield what the Map has written of its children with that status.

        https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
        """
        bucket = self._stack.destination_bucket
        place = deployed.resize_settings(self._clients, self._stack).destination_prefix + PLACE
        for arn in self._map_runs():
            written = f"{place}results/{arn.rpartition(':')[2]}/{status}_"
            listed = self._clients.s3.list_objects_v2(Bucket=bucket, Prefix=written)
            for one in listed.get("Contents", []):
                yield from map(json.loads, storage.lines(self._clients, bucket, one["Key"]))

    def _express_failures(self) -> Iterator[Failure]:
        log = logged.of_stack(self._clients, self._stack, since=self.began)
        failed, not_searched = log.failed()
        if log.log.missing or not_searched:
            yield from self._failures_of_functions()
            return
        by_name = {restarts.first_name(one["name"]): one for one in failed}
        for name, one in itertools.islice(by_name.items(), MOST):
            named = log.named(name)
            chain = [each for each in named if restarts.first_name(each["name"]) == name] or [one]
            # Two executions of one name may run at a time, of which one that succeeds is enough.
            if any(each["status"] not in _FAILED for each in chain):
                continue
            key, _ = restarts.source(chain[-1])
            record = storage.record(self._clients, self._stack.table_name, key) if key else None
            if record is None or _written(record) < chain[-1]["stopDate"]:
                why = text.sentence(chain[-1].get("error"), chain[-1].get("cause"))
                yield Failure(key or name, why or chain[-1]["status"])

    def _failures_of_functions(self) -> Iterator[Failure]:
        """Yield the last failure that functions have logged of each image, unless a retry helped.

        What was handled has a newer record, or is not in the source bucket any more.
        """
        found = endings.failures(self._clients, self._stack, self.began)
        newest = {one.key: one for one in sorted(found, key=lambda one: one.at)}
        hashed = deployed.settings_hash(deployed.resize_settings(self._clients, self._stack))
        for key, failure in newest.items():
            record = storage.record(self._clients, self._stack.table_name, key)
            if record and _written(record) >= failure.at:
                continue
            # A reprocess, whose source is gone before it begins, has something to do until then.
            outdated = record is not None and reprocessing.is_outdated(record, hashed)
            if outdated or self._is_in_the_source_bucket(key):
                yield Failure(key, failure.sentence)

    def _is_in_the_source_bucket(self, key: str) -> bool:
        try:
            self._clients.s3.head_object(Bucket=self._stack.source_bucket, Key=key)
        except ClientError as error:
            if not storage.is_gone(error):
                raise
            return False
        return True


def _batch(child: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a child that failed says of its batch; nothing if something else ended it."""
    return text.json_object(child.get("Cause", "")) if child.get("Error") == _NOT_SENT else {}


def _named(item: Any) -> str:
    """Return the key of a Map's item, or the item itself if it does not name one."""
    if not isinstance(item, dict):
        return json.dumps(item)
    if "Inventory" in item:
        return unquote_plus(item["Inventory"]["Key"])
    return str(item.get("Key", json.dumps(item)))


def _written(record: Mapping[str, Any]) -> datetime:
    """Return when a record was written, at the latest: it has whole seconds."""
    return datetime.fromisoformat(record["writtenAt"]) + timedelta(seconds=1)
