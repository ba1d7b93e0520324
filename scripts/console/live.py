"""What the page shows: uploads and executions, as AWS is polled for them.

A poll costs one ListExecutions, a question about the queue, and the histories of what runs or
has changed, a few at a time: Step Functions refills two lists and twenty histories a second, or
more.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from image_converter import keys
from scripts.lib import deployed
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, collect, definition, endings, images, restarts
from scripts.lib.executions.definition import Machine
from scripts.lib.executions.model import RUNNING, SUCCEEDED, Execution, StateRun, readable
from scripts.lib.executions.redrive import HOPELESS, Redrive
from scripts.lib.executions.run import Picture
from scripts.lib.user_errors import UserError

NEWEST = 200  # executions that the page lists
QUEUED = "QUEUED"  # uploaded here; no execution has started yet

_HISTORIES_PER_POLL = 12
_ENDINGS_PER_POLL = 4  # of executions that are not logged, which cost several requests each
_LATE_SECONDS = 30  # after which an upload should have started its execution
_GROUPS = {QUEUED: "waiting", RUNNING: "running", SUCCEEDED: "done"}


@dataclass
class Item:
    """An upload, or an execution with the ones that were started again for the same upload.

    Attributes:
        name: the name under which the execution was started first, or will be.
        key: the image's, as far as it is known.
        since: when it was uploaded or started.
        status: AWS's word for the newest execution, or QUEUED.
        arn: the newest execution's.
        execution: the same, as it was when its history was last read.
        version: of the object, if it was uploaded here.
        here: whether it was uploaded or retried on this page.
        stale: whether there may be news in its history.
        kind, sentence: what became of it, where there is no history.
        listed, read: what was last listed of it, and when its history was read.
        pictures: the original and the PNG, once they were asked for.
    """

    name: str
    key: str
    since: datetime
    status: str = QUEUED
    arn: str = ""
    execution: Execution | None = None
    version: str = ""
    here: bool = False
    stale: bool = True
    kind: str = ""
    sentence: str = ""
    listed: tuple[object, ...] = ()
    read: float = 0.0
    pictures: list[Picture] | None = field(default=None, repr=False)

    @property
    def group(self) -> str:
        """Waiting, running, done or failed."""
        return _GROUPS.get(self.status, "failed")

    @property
    def is_current(self) -> bool:
        """Whether the history was read since the status is what it is."""
        return self.execution is not None and self.execution.status == self.status

    @property
    def retrying(self) -> bool:
        """Whether a state of it is being tried again."""
        states = self.execution.states.values() if self.execution else ()
        return any(state.retrying for state in states)

    @property
    def is_hopeless(self) -> bool:
        """Whether it failed so that it will fail again."""
        return self.execution is not None and self.execution.error in HOPELESS


class Live:
    """Knows the newest executions of a stack, and what was uploaded here."""

    def __init__(self, clients: Clients, stack: Deployment) -> None:
        """Prepare, without asking AWS."""
        self.clients = clients
        self.stack = stack
        self.items: dict[str, Item] = {}
        self.source = collect.source(clients, stack)
        self._queued: int | None = None
        self._pool = ThreadPoolExecutor(max_workers=8)

    @property
    def is_busy(self) -> bool:
        """Whether something is going to change soon."""
        return bool(self._queued) or any(
            item.stale or item.group == "waiting" for item in list(self.items.values())
        )

    @property
    def counts(self) -> dict[str, int | None]:
        """How many messages are in the queue, and how many items in each group."""
        groups = Counter(item.group for item in list(self.items.values()))
        shown = {group: groups[group] for group in ("running", "done", "failed")}
        return {"queue": self._queued, **shown}

    def add(self, key: str, version: str) -> Item:
        """Follow what was uploaded, from now on."""
        name = keys.execution_name(self.stack.source_bucket, key, version)
        item = self.items.setdefault(name, Item(name, key, datetime.now(UTC)))
        item.here, item.version = True, version
        return item

    def poll(self) -> tuple[list[Item], list[str]]:
        """Ask AWS once; return what has changed, and the names of what is no longer listed.

        Raises:
            BotoCoreError, ClientError, UserError: AWS cannot be asked.
        """
        changed: dict[str, Item] = {}
        gone = self._list(changed)
        self._read_histories(changed)
        if self.stack.not_logged:
            self._find_endings(changed)
        self._explain_late_ones(changed)
        try:
            self._queued = arrival.messages_waiting(self.clients, self.stack)
        except ClientError:
            self._queued = None  # who may use the rest may perhaps not ask that
        return list(changed.values()), gone

    def machine(self) -> Machine:
        """Return the state machine as it is now, or was up to a minute ago."""
        return definition.read(self._asl())

    def pictures_of(self, item: Item) -> list[Picture]:
        """Return the original and the PNG of an execution that has ended."""
        if item.pictures is None and item.execution is not None and item.is_current:
            item.pictures = list(collect.pictures(self.clients, item.execution))
        return item.pictures or []

    def retry(self, item: Item) -> str:
        """Start a failed item again, even if it will fail again; return what was done."""
        item.here = True
        results = Redrive(self.clients, self.stack, everything=True).execution(item.name)
        sentences = [f"{result.subject}: {result.did} ({result.why})" for result in results]
        return ". ".join(sentences) or f"{item.key} has been handled since."

    def _list(self, changed: dict[str, Item]) -> list[str]:
        newest: dict[str, Any] = {}
        for summary in self.source.listed(most=NEWEST):
            newest.setdefault(restarts.first_name(summary["name"]), summary)
        for name, summary in newest.items():
            item = self.items.setdefault(name, Item(name, readable(name), summary["startDate"]))
            arn, status = summary["executionArn"], summary["status"]
            listed = (arn, status, summary.get("redriveCount"))
            if item.listed != listed:
                item.arn, item.status, item.listed = arn, status, listed
                item.stale, item.pictures, item.sentence = True, None, ""
                changed[name] = item
        items = list(self.items.values())
        gone = [item.name for item in items if item.name not in newest and item.arn]
        for name in gone:
            del self.items[name]
        return gone

    def _read_histories(self, changed: dict[str, Item]) -> None:
        asked = [item for item in list(self.items.values()) if item.arn and item.stale]
        # What somebody watches comes before what has ended long ago; of each, all have their turn.
        asked.sort(key=lambda item: item.since, reverse=True)
        asked.sort(key=lambda item: (not (item.here or item.status == RUNNING), item.read))
        # The events of a log have been read by now, and cost nothing more.
        asked = asked[: NEWEST if self.stack.express else _HISTORIES_PER_POLL]
        asl = self._asl() if asked else {}  # once, before several threads would
        read = self._pool.map(lambda item: self._execution(item, asl), asked)
        for item, execution in zip(asked, read, strict=True):
            before = item.execution and (item.execution.status, len(item.execution.events))
            if execution is not None:
                item.execution, item.key, item.status = execution, execution.key, execution.status
                if before != (execution.status, len(execution.events)):
                    changed[item.name] = item
            item.stale, item.read = item.status == RUNNING, time.monotonic()

    def _execution(self, item: Item, asl: Mapping[str, Any]) -> Execution | None:
        try:
            return self.source.execution(item.arn, asl)
        except UserError:
            return None  # it has just been forgotten, or has not written anything yet

    def _asl(self) -> Mapping[str, Any]:
        return deployed.definition(self.clients, self.stack.state_machine_arn)

    def _explain_late_ones(self, changed: dict[str, Item]) -> None:
        for item in list(self.items.values()):
            age = (datetime.now(UTC) - item.since).total_seconds()
            if item.status == QUEUED and not item.sentence and age > _LATE_SECONDS:
                image = images.find(self.clients, self.stack, item.key)
                item.sentence = image.state.sentence if image else "It was deleted."
                changed[item.name] = item

    def _find_endings(self, changed: dict[str, Item]) -> None:
        waiting = [item for item in list(self.items.values()) if item.status == QUEUED]
        for item in sorted(waiting, key=lambda item: item.read)[:_ENDINGS_PER_POLL]:
            ending = endings.find(self.clients, self.stack, item.key, item.version)
            item.read = time.monotonic()
            if ending is not None:
                item.status, item.stale = SUCCEEDED if ending.good else "FAILED", False
                item.kind, item.sentence = ending.kind, ending.sentence
                changed[item.name] = item


def not_started(machine: Machine) -> Execution:
    """Return an execution that has not entered any state."""
    states = {state.name: StateRun(state.name, state.kind) for state in machine.walk()}
    now = datetime.now(UTC)
    return Execution("", RUNNING, now, None, "", None, "", "", machine, states, [])
