"""What is known of one image: where it is, and every execution that has handled it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from image_converter import keys, reprocessing
from scripts.lib import storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, collect, endings, logged, restarts
from scripts.lib.executions.endings import ImageState
from scripts.lib.executions.model import RUNNING, SUCCEEDED, Execution, Outcome

_UNVERSIONED = "null"  # what S3 calls a version without an id of its own
_UPLOADS = 10  # the newest of a key that are looked at
_SHOWN = 20  # executions, the newest; each costs a call or two
_SEARCHED = 10_000  # executions of the stack among which those started by hand are looked for
_DESCRIBED = 200
_CLOCKS_DIFFER = timedelta(seconds=5)
_USUALLY_STARTED_WITHIN = timedelta(minutes=5)
_STRANDED = "No execution of it is known. `image-converter redrive` starts one."


@dataclass(frozen=True)
class Handling:
    """An execution of an image.

    Attributes:
        version: the version of the source object; None if its input does not name one.
        origin: "upload", "reprocess", "restart" or "by hand".
        since_fixed: whether it failed, and the version was handled nevertheless; of a reprocess,
            whether that was later.
    """

    execution: Execution
    version: str | None
    origin: str
    since_fixed: bool = False


@dataclass(frozen=True)
class Image:
    """An image, by its key.

    Attributes:
        state: of its newest upload.
        uploads: versions in the source bucket as S3 lists them, the newest first.
        handlings: its executions, the newest first, as far as they are known.
        record: what the table has of it.
        notes: what was not looked at, as sentences.
    """

    key: str
    state: ImageState
    uploads: list[Any]
    handlings: list[Handling]
    record: dict[str, Any] | None
    notes: list[str] = field(default_factory=list)


def find(clients: Clients, stack: Deployment, key: str) -> Image | None:
    """Return what is known of an image, or None if nothing is.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    listed = storage.versions(clients, stack.source_bucket, key).get(key, [])
    uploads = [version for version in listed if storage.is_object(version)][:_UPLOADS]
    record = storage.record(clients, stack.table_name, key)
    return _Search(clients, stack, key, uploads, record).image() if uploads or record else None


@dataclass(frozen=True)
class _Search:
    """A search for everything that is known of an image; attributes are those of `Image`."""

    clients: Clients
    stack: Deployment
    key: str
    uploads: list[Any]
    record: dict[str, Any] | None
    notes: list[str] = field(default_factory=list)

    def image(self) -> Image:
        """Return what is known."""
        source = collect.source(self.clients, self.stack)
        runs = self._logged(source) if isinstance(source, logged.Log) else self._described()
        runs.sort(key=_begun, reverse=True)
        handlings = [self._handling(source, described, runs) for described in runs[:_SHOWN]]
        state = self._state(handlings)
        return Image(self.key, state, self.uploads, handlings, self.record, self.notes)

    @property
    def _recorded_version(self) -> str | None:
        """The version of which the table has a record."""
        return self.record["sourceVersionId"] if self.record else None

    def _name(self, version: str) -> str:
        """Return the name under which an upload's execution is started first."""
        return keys.execution_name(self.stack.source_bucket, self.key, version)

    @property
    def _readable(self) -> tuple[str, ...]:
        """How the names of the key's executions begin, and of its record's reprocesses."""
        named = [self.key]
        if self.record:
            named.append(reprocessing.original(self.record).get("key", self.key))
        return tuple(keys.execution_name("", key, "").rpartition("-")[0] + "-" for key in named)

    def _logged(self, log: logged.Log) -> list[dict[str, Any]]:
        """Return all executions that an EXPRESS state machine has logged."""
        versions = {upload["VersionId"] for upload in self.uploads}
        uploaded = [upload["LastModified"] for upload in self.uploads]
        if self.record and not self.uploads:
            versions.add(self.record["sourceVersionId"])
            uploaded = [datetime.fromisoformat(self.record["writtenAt"]) - logged.LONGEST]
        marks = [self._name(version).rpartition("-")[2] for version in versions]
        if _UNVERSIONED in versions:  # names follow from the sequencer, which S3 tells only once
            marks.append(f":{self._readable[0]}")
        runs, missing = log.of_image(marks, self.key, uploaded)
        self.notes.extend(filter(None, (self.stack.not_logged, missing)))
        return [
            described for described in runs if restarts.source(described)[0] in (self.key, None)
        ]

    def _described(self) -> list[dict[str, Any]]:
        """Return all executions as DescribeExecution has them."""
        versions = dict.fromkeys(upload["VersionId"] for upload in self.uploads)
        if self._recorded_version:
            versions[self._recorded_version] = None
        runs = [
            described
            for version in versions
            for described in restarts.chain(self.clients, self.stack, self._name(version))
        ]
        known = {described["executionArn"] for described in runs}
        named = self._readable if self.record or _UNVERSIONED in versions else ()
        return runs + [
            described
            for described in self._searched_for(named)
            if described["executionArn"] not in known and restarts.source(described)[0] == self.key
        ]

    def _searched_for(self, named: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """Yield executions since the oldest upload whose names do not follow from a version.

        Where the bucket keeps no versions, they follow from the sequencer, which S3 tells only
        once; those of a reprocess follow from what the record was before.

        Parameters:
            named: also those whose names begin like one of these.
        """
        if self.uploads:
            since = self.uploads[-1]["LastModified"]
        else:
            since = datetime.fromisoformat((self.record or {})["sourceLastModified"])
        since -= _CLOCKS_DIFFER
        newest = collect.listed(self.clients, self.stack.state_machine_arn, most=_SEARCHED)
        listed = list(itertools.takewhile(lambda summary: summary["startDate"] >= since, newest))
        others = [
            summary
            for summary in listed
            if not restarts.is_of_an_upload(summary["name"]) or summary["name"].startswith(named)
        ]
        if len(listed) == _SEARCHED or len(others) > _DESCRIBED:
            self.notes.append(
                "Older executions that no upload has started are not shown: there are many."
            )
        for summary in others[:_DESCRIBED]:
            if described := restarts.described(self.clients, summary["executionArn"]):
                yield described

    def _handling(
        self,
        source: collect.Source,
        described: dict[str, Any],
        others: Sequence[dict[str, Any]],
    ) -> Handling:
        version = restarts.source(described)[1]
        is_reprocess = restarts.is_reprocess(described)
        succeeded = any(
            other["status"] == SUCCEEDED
            and restarts.source(other)[1] == version
            and not (is_reprocess and _begun(other) < _begun(described))
            for other in others
        )
        written = self.record is not None and self._recorded_version == version
        handled = succeeded or (written and not is_reprocess)
        fixed = described["status"] not in (RUNNING, SUCCEEDED) and handled
        name = described["name"]
        origin = "reprocess" if is_reprocess else "upload"
        if restarts.is_restart(name):
            origin = "restart"
        if not restarts.is_of_an_upload(name):
            origin = "by hand"
        return Handling(source.execution(described["executionArn"]), version, origin, fixed)

    def _state(self, handlings: Sequence[Handling]) -> ImageState:
        """Return the state of the newest upload."""
        version = self.uploads[0]["VersionId"] if self.uploads else self._recorded_version
        mine = [handling.execution for handling in handlings if handling.version in (version, None)]
        if not any(execution.status == SUCCEEDED for execution in mine) and (
            state := self._left_behind(version)
        ):
            return state
        for wanted in (RUNNING, SUCCEEDED):
            for execution in mine:
                if execution.status == wanted:
                    return endings.of_execution(execution)
        if self.record and self._recorded_version == version:
            return endings.converted(self.record["images"][1]["resized"])
        if mine:
            return endings.of_execution(mine[0])
        return self._failing() or self._not_started()

    def _left_behind(self, version: str | None) -> ImageState | None:
        """Return how a version ended by what that left behind, which the log may not say yet."""
        if not self.stack.express or not version:
            return None
        return endings.find(self.clients, self.stack, self.key, version)

    def _failing(self) -> ImageState | None:
        """Return the state of an upload of which only a failed attempt is known."""
        if not self.stack.express:
            return None
        since = self.uploads[0]["LastModified"] if self.uploads else datetime.now(UTC)
        failure = endings.last_failure(self.clients, self.stack, self.key, since)
        if failure is None:
            return None
        words = f"The last attempt failed, and may be retried: {failure.sentence}"
        return ImageState(Outcome.RUNNING, "running", words)

    def _not_started(self) -> ImageState:
        """Return the state of an upload of which no execution is known."""
        clients, stack = self.clients, self.stack
        newest = self.uploads[0] if self.uploads else None
        if newest is None or not newest["IsLatest"]:
            return _waiting("gone", "It is not in the source bucket, and no execution is known.")
        accepted = arrival.source_filter(clients, stack)
        if accepted and not accepted.accepts(self.key):
            return _waiting("not handled", accepted.sentence)
        if arrival.is_dead_letter(clients, stack, self.key, newest["VersionId"]):
            words = "Its notification is a dead letter. `image-converter redrive` sends it again."
            return ImageState(Outcome.FAILED, "failed", words)
        if arrival.is_paused(clients, stack):
            words = "The stack is paused, so its notification waits in the queue."
            return _waiting("waiting", words)
        age = datetime.now(UTC) - newest["LastModified"]
        ago = f"It was uploaded {text.duration(age.total_seconds())} ago"
        if age < _USUALLY_STARTED_WITHIN or arrival.messages_waiting(clients, stack):
            return _waiting("waiting", f"{ago}, and its execution has not started yet.")
        return _waiting("waiting", f"{ago}. {_STRANDED}")


def _begun(described: dict[str, Any]) -> datetime:
    """Return when an execution began, or began again."""
    begun: datetime = described.get("redriveDate") or described["startDate"]
    return begun


def _waiting(kind: str, sentence: str) -> ImageState:
    return ImageState(Outcome.NOT_ENTERED, kind, sentence)
