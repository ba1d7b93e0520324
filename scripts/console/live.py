"""What the page shows: uploads and executions, as one look at AWS after another finds them.

A look costs one ListExecutions, one GetQueueAttributes, and the histories of what runs or has
changed, a few at a time: Step Functions refills 5 lists and 20 histories a second, or fewer.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from image_converter import keys
from scripts.commands import redrive
from scripts.commands.redrive import Redrive, Result
from scripts.lib import storage
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, definition, endings
from scripts.lib.executions.definition import Machine
from scripts.lib.executions.history import HistoryError
from scripts.lib.executions.model import RUNNING, SUCCEEDED, Execution, StateRun
from scripts.lib.executions.run import Picture
from scripts.lib.user_errors import UserError

NEWEST = 200  # executions that the page lists
QUEUED = "QUEUED"  # uploaded here; no execution has started yet

_ASKED_AT_A_TIME = 12  # histories
_ENDINGS_AT_A_TIME = 4  # of EXPRESS executions, which cost several requests each
_DEFINITION_SECONDS = 60  # for which the state machine is taken not to change
_LATE_SECONDS = 30  # after which an upload should have started its execution
_GROUPS = {QUEUED: "waiting", RUNNING: "running", SUCCEEDED: "done"}
_LOOKS = {  # of what is known by its status alone
    "waiting": ("none", "…"),
    "running": ("live", "…"),
    "done": ("good", "✓"),
    "failed": ("bad", "✕"),
}


@dataclass
class Item:
    """An upload, or an execution with the ones that were started again for the same upload.

    Attributes:
        name: the name under which the execution was started first, or will be.
        key: the image's, as far as it is known.
        since: when it was uploaded or started.
        status: AWS's word for the newest execution, or QUEUED.
        arn: the newest execution's.
        here: whether it was uploaded or retried on this page.
        version: of the object, if it was uploaded here.
        execution: the newest execution, as it was when it was last read.
        stale: whether there may be news that have not been read.
        sentence: of an EXPRESS execution, what became of it.
    """

    name: str
    key: str
    since: datetime
    status: str = QUEUED
    arn: str = ""
    here: bool = False
    version: str = ""
    execution: Execution | None = None
    stale: bool = True
    sentence: str = ""
    kind: str = ""
    late: bool = False
    read: float = 0.0
    listed: tuple[object, ...] = ()
    pictures: list[Picture] | None = field(default=None, repr=False)

    @property
    def group(self) -> str:
        """Waiting, running, done or failed."""
        return _GROUPS.get(self.status, "failed")

    @property
    def retrying(self) -> bool:
        """Whether it runs, and a state of it is being tried again."""
        return self.execution is not None and any(
            state.retrying for state in self.execution.states.values()
        )

    @property
    def known(self) -> bool:
        """Whether the execution was read since its status is what it is."""
        return self.execution is not None and self.execution.status == self.status

    @property
    def is_hopeless(self) -> bool:
        """Whether it failed so that it will fail again."""
        return self.execution is not None and self.execution.error in redrive.HOPELESS

    @property
    def look(self) -> tuple[str, str]:
        """Tone and sign of one whose execution was not read."""
        return _LOOKS[self.group]

    @property
    def is_late(self) -> bool:
        """Whether its execution should have started."""
        age = (datetime.now(UTC) - self.since).total_seconds()
        return self.status == QUEUED and age > _LATE_SECONDS


class Live:
    """Knows the newest executions of a stack, and what was uploaded here."""

    def __init__(self, clients: Clients, stack: Deployment) -> None:
        """Prepare, without asking AWS."""
        # Made before threads may: boto3 does not make clients in two threads at a time.
        _ = (clients.stepfunctions, clients.s3, clients.sqs, clients.dynamodb, clients.logs)
        _ = clients.functions
        self.clients = clients
        self.stack = stack
        self.items: dict[str, Item] = {}
        self.queued: int | None = None
        self._queue_url = ""
        self._definition: Mapping[str, Any] = {}
        self._definition_read = 0.0
        self._pool = ThreadPoolExecutor(max_workers=8)

    @property
    def is_busy(self) -> bool:
        """Whether something is going to change soon."""
        return bool(self.queued) or any(
            item.group in ("waiting", "running") or item.stale for item in list(self.items.values())
        )

    @property
    def counts(self) -> dict[str, int | None]:
        """How many items are in each group, and messages in the queue."""
        groups = Counter(item.group for item in list(self.items.values()))
        return {"queue": self.queued} | {
            group: groups[group] for group in ("running", "done", "failed")
        }

    def add(self, key: str, version: str) -> Item:
        """Follow what was uploaded, from now on."""
        name = keys.execution_name(self.stack.source_bucket, key, version)
        item = self.items.setdefault(name, Item(name, key, datetime.now(UTC)))
        item.here, item.version = True, version
        return item

    def look(self) -> tuple[list[Item], list[str]]:
        """Ask AWS once; return what has changed, and the names of what is no longer listed.

        Raises:
            BotoCoreError, ClientError, UserError: AWS cannot be asked.
        """
        changed: dict[str, Item] = {}
        gone: list[str] = []
        if self.stack.express:
            self._find_endings(changed)
        else:
            gone = self._list(changed)
            self._read_histories(changed)
        for item in list(self.items.values()):
            if item.is_late != item.late:
                item.late = item.is_late
                changed[item.name] = item
        self.queued = self._messages()
        return list(changed.values()), gone

    def read(self, item: Item) -> None:
        """Read the item's execution, if there may be news of it."""
        if item.arn and item.stale:
            self._take(item, self._execution(item.arn))

    def machine(self) -> Machine:
        """Return the state machine as it is now, or was up to a minute ago."""
        return definition.read(self._asl())

    def pictures_of(self, item: Item) -> list[Picture]:
        """Return the original and the PNG of an execution that has ended."""
        if item.pictures is None and item.execution is not None and item.known:
            item.pictures = list(collect.pictures(self.clients, item.execution))
        return item.pictures or []

    def retry(self, item: Item) -> Result:
        """Start a failed item again, even if it cannot succeed by itself: somebody asked for it."""
        item.here = True
        return Redrive(self.clients, self.stack, everything=True).execution(item.name)

    def _list(self, changed: dict[str, Item]) -> list[str]:
        newest: dict[str, Any] = {}
        machine = self.stack.state_machine_arn
        for told in collect.listed(self.clients, machine, most=NEWEST):
            newest.setdefault(redrive.first_name(told["name"]), told)
        for name, told in newest.items():
            item = self.items.get(name)
            if item is None:
                readable = re.sub(r"-[0-9a-f]{48}$", "", name)
                item = self.items[name] = Item(name, readable, told["startDate"])
            listed = (told["executionArn"], told["status"], told.get("redriveCount"))
            if item.listed != listed:
                item.arn, item.status, item.listed = told["executionArn"], told["status"], listed
                item.stale, item.pictures = True, None
                changed[name] = item
        known = list(self.items.values())
        gone = [item.name for item in known if item.name not in newest and item.status != QUEUED]
        for name in gone:
            del self.items[name]
        return gone

    def _read_histories(self, changed: dict[str, Item]) -> None:
        asked = [item for item in list(self.items.values()) if item.arn and item.stale]
        # What somebody watches comes before what ended before this began; then each has its turn.
        asked.sort(key=lambda item: -item.since.timestamp())
        asked.sort(key=lambda item: (not (item.here or item.status == RUNNING), item.read))
        asked = asked[:_ASKED_AT_A_TIME]
        found = self._pool.map(lambda item: self._execution(item.arn), asked)
        for item, execution in zip(asked, found, strict=True):
            item.read = time.monotonic()
            before = item.execution
            self._take(item, execution)
            if execution and (before is None or _progress(before) != _progress(execution)):
                changed[item.name] = item

    def _take(self, item: Item, execution: Execution | None) -> None:
        if execution is not None:
            item.execution, item.key, item.status = execution, execution.key, execution.status
        item.stale = item.status == RUNNING

    def _execution(self, arn: str) -> Execution | None:
        try:
            return collect.execution(self.clients, arn, self._asl())
        except (HistoryError, UserError):
            return None  # it has been forgotten, or is not an image's

    def _asl(self) -> Mapping[str, Any]:
        if not self._definition or time.monotonic() - self._definition_read > _DEFINITION_SECONDS:
            told = self.clients.stepfunctions.describe_state_machine(
                stateMachineArn=self.stack.state_machine_arn
            )
            self._definition = json.loads(told["definition"])
            self._definition_read = time.monotonic()
        return self._definition

    def _find_endings(self, changed: dict[str, Item]) -> None:
        waiting = [item for item in list(self.items.values()) if item.status == QUEUED]
        waiting.sort(key=lambda item: item.read)
        for item in itertools.islice(waiting, _ENDINGS_AT_A_TIME):
            item.read, item.stale = time.monotonic(), False
            ending = endings.find(self.clients, self.stack, item.key, item.version)
            if ending is not None:
                item.status = SUCCEEDED if ending.good else "FAILED"
                item.kind, item.sentence = ending.kind, ending.sentence
                changed[item.name] = item

    def _messages(self) -> int | None:
        """Return how many messages the queue holds; None where that may not be asked."""
        sqs = self.clients.sqs
        try:
            self._queue_url = self._queue_url or storage.queue_url(self.clients, self.stack.name)
            told = sqs.get_queue_attributes(
                QueueUrl=self._queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
        except ClientError:
            return None
        return sum(int(count) for count in told["Attributes"].values())


def not_started(machine: Machine) -> Execution:
    """Return an execution that has not entered any state."""
    states = {state.name: StateRun(state.name, state.kind) for state in machine.walk()}
    now = datetime.now(UTC)
    return Execution("", RUNNING, now, None, "", None, "", "", machine, states, [])


def _progress(execution: Execution) -> tuple[str, int]:
    return execution.status, len(execution.events)
