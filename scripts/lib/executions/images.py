"""What is known of one image: where it is, and every execution that has handled it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from image_converter import keys
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
        origin: "upload", "restart" or "by hand".
        since_fixed: whether it failed, and the version was handled nevertheless.
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
    uploads = [one for one in listed if storage.is_object(one)][:_UPLOADS]
    record = storage.record(clients, stack.table_name, key)
    if not uploads and not record:
        return None
    notes: list[str] = []
    source = collect.source(clients, stack)
    if isinstance(source, logged.Log):
        described = _logged(source, stack, key, uploads, record, notes)
    else:
        described = _described(clients, stack, key, uploads, record, notes)
    newest = uploads[0]["VersionId"] if uploads else (record or {}).get("sourceVersionId")
    handlings = [_handling(source, one, described, record) for one in described[:_SHOWN]]
    state = _state(clients, stack, key, newest, uploads, handlings, record)
    return Image(key, state, uploads, handlings, record, notes)


def _logged(
    log: logged.Log,
    stack: Deployment,
    key: str,
    uploads: Sequence[Any],
    record: dict[str, Any] | None,
    notes: list[str],
) -> list[dict[str, Any]]:
    """Return all executions of an image that an EXPRESS state machine has logged."""
    versions = {one["VersionId"] for one in uploads}
    uploaded = [one["LastModified"] for one in uploads]
    if record and not uploads:
        versions.add(record["sourceVersionId"])
        uploaded = [datetime.fromisoformat(record["writtenAt"]) - logged.LONGEST]
    names = (keys.execution_name(stack.source_bucket, key, version) for version in versions)
    marks = [name.rpartition("-")[2] for name in names]
    if _UNVERSIONED in versions:  # names follow from the sequencer, which S3 tells only once
        marks.append(f":{_readable(stack, key)}")
    found, missing = log.of_image(marks, key, uploaded)
    notes += [note for note in (stack.not_logged, missing) if note]
    mine = (one for one in found if restarts.source(one)[0] in (key, None))
    return sorted(mine, key=_begun, reverse=True)


def _described(
    clients: Clients,
    stack: Deployment,
    key: str,
    uploads: Sequence[Any],
    record: dict[str, Any] | None,
    notes: list[str],
) -> list[dict[str, Any]]:
    """Return all executions of an image as DescribeExecution has them, the newest first."""
    versions = dict.fromkeys(one["VersionId"] for one in uploads)
    if record:
        versions |= {record["sourceVersionId"]: None}
    found = [
        one
        for version in versions
        for one in restarts.chain(
            clients, stack, keys.execution_name(stack.source_bucket, key, version)
        )
    ]
    known = {one["executionArn"] for one in found}
    if uploads:
        since = uploads[-1]["LastModified"] - _CLOCKS_DIFFER
        named = _readable(stack, key) if _UNVERSIONED in versions else None
        searched = _searched_for(clients, stack, since, named, notes)
        found += [
            one
            for one in searched
            if one["executionArn"] not in known and restarts.source(one)[0] == key
        ]
    return sorted(found, key=_begun, reverse=True)


def _readable(stack: Deployment, key: str) -> str:
    """Return how the names of a key's executions begin."""
    return keys.execution_name(stack.source_bucket, key, "").rpartition("-")[0] + "-"


def _searched_for(
    clients: Clients, stack: Deployment, since: datetime, named: str | None, notes: list[str]
) -> Iterator[dict[str, Any]]:
    """Yield the executions since then whose names do not follow from a version of an upload.

    Where the bucket keeps no versions, they follow from the sequencer, which S3 tells only once.

    Parameters:
        named: also those whose names begin so.
    """
    listed = list(
        itertools.takewhile(
            lambda one: one["startDate"] >= since,
            collect.listed(clients, stack.state_machine_arn, most=_SEARCHED),
        )
    )
    others = [
        one
        for one in listed
        if not restarts.is_of_an_upload(one["name"]) or (named and one["name"].startswith(named))
    ]
    if len(listed) == _SEARCHED or len(others) > _DESCRIBED:
        notes.append("Older executions that were started by hand are not shown: there are many.")
    for one in others[:_DESCRIBED]:
        described = restarts.described(clients, one["executionArn"])
        if described is not None:
            yield described


def _begun(described: dict[str, Any]) -> datetime:
    """Return when an execution began, or began again."""
    begun: datetime = described.get("redriveDate") or described["startDate"]
    return begun


def _handling(
    source: collect.Source,
    described: dict[str, Any],
    others: Sequence[dict[str, Any]],
    record: dict[str, Any] | None,
) -> Handling:
    version = restarts.source(described)[1]
    status = described["status"]
    succeeded = any(
        one["status"] == SUCCEEDED and restarts.source(one)[1] == version for one in others
    )
    written = record is not None and record["sourceVersionId"] == version
    fixed = status not in (RUNNING, SUCCEEDED) and (succeeded or written)
    name = described["name"]
    origin = "restart" if restarts.is_restart(name) else "upload"
    if not restarts.is_of_an_upload(name):
        origin = "by hand"
    execution = source.execution(described["executionArn"])
    return Handling(execution, version, origin, fixed)


def _state(
    clients: Clients,
    stack: Deployment,
    key: str,
    version: str | None,
    uploads: Sequence[Any],
    handlings: Sequence[Handling],
    record: dict[str, Any] | None,
) -> ImageState:
    """Return the state of an image's newest upload."""
    mine = [one for one in handlings if one.version in (version, None)]
    if ending := _left_behind(clients, stack, key, version, mine):
        return ending
    for wanted in (RUNNING, SUCCEEDED):
        for one in mine:
            if one.execution.status == wanted:
                return endings.of_execution(one.execution)
    if record and record["sourceVersionId"] == version:
        return endings.converted(record["images"][1]["resized"])
    if mine:
        return endings.of_execution(mine[0].execution)
    return _failing(clients, stack, key, uploads) or _not_started(clients, stack, key, uploads)


def _left_behind(
    clients: Clients,
    stack: Deployment,
    key: str,
    version: str | None,
    handlings: Sequence[Handling],
) -> ImageState | None:
    """Return how a version ended by what that left behind, where the log does not say it yet."""
    succeeded = any(one.execution.status == SUCCEEDED for one in handlings)
    if not stack.express or not version or succeeded:
        return None
    return endings.find(clients, stack, key, version)


def _failing(
    clients: Clients, stack: Deployment, key: str, uploads: Sequence[Any]
) -> ImageState | None:
    """Return the state of an upload of which only a failed attempt is known."""
    if not stack.express:
        return None
    since = uploads[0]["LastModified"] if uploads else datetime.now(UTC)
    failure = endings.last_failure(clients, stack, key, since)
    if failure is None:
        return None
    words = f"The last attempt failed, and may be retried: {failure.sentence}"
    return ImageState(Outcome.RUNNING, "running", words)


def _not_started(
    clients: Clients, stack: Deployment, key: str, uploads: Sequence[Any]
) -> ImageState:
    """Return the state of an upload of which no execution is known."""
    newest = uploads[0] if uploads else None
    if newest is None or not newest["IsLatest"]:
        return _waiting("gone", "It is not in the source bucket, and no execution is known.")
    chosen = arrival.source_filter(clients, stack)
    if chosen and not chosen.accepts(key):
        return _waiting("not handled", chosen.sentence)
    if arrival.is_dead_letter(clients, stack, key, newest["VersionId"]):
        words = "Its notification is a dead letter. `image-converter redrive` sends it again."
        return ImageState(Outcome.FAILED, "failed", words)
    if arrival.is_paused(clients, stack):
        return _waiting("waiting", "The stack is paused, so its notification waits in the queue.")
    age = datetime.now(UTC) - newest["LastModified"]
    ago = f"It was uploaded {text.duration(age.total_seconds())} ago"
    if age < _USUALLY_STARTED_WITHIN or arrival.messages_waiting(clients, stack):
        return _waiting("waiting", f"{ago}, and its execution has not started yet.")
    return _waiting("waiting", f"{ago}. {_STRANDED}")


def _waiting(kind: str, sentence: str) -> ImageState:
    return ImageState(Outcome.NOT_ENTERED, kind, sentence)
