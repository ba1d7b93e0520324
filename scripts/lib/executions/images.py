"""What is known of one image: where it is, and every execution that has handled it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from image_converter import locations
from scripts.lib import storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, collect, endings, restarts
from scripts.lib.executions.endings import ImageState
from scripts.lib.executions.model import RUNNING, SUCCEEDED, Execution, Outcome, Summary
from scripts.lib.executions.traces import Traces

_UPLOADS = 10  # of a key, the newest
_SHOWN = 20  # executions, the newest; each costs a call or two
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
class Image(Traces):
    """An image: what it has left behind, and what follows from it.

    Attributes:
        state: of its newest upload.
        handlings: its executions, the newest first, as far as they are known.
        notes: what was not searched, as sentences.
    """

    state: ImageState
    handlings: list[Handling]
    notes: list[str]


def find(clients: Clients, stack: Deployment, key: str) -> Image | None:
    """Return what is known of an image, or None if nothing is."""
    listed = storage.versions(clients, stack.source_bucket, key).get(key, [])
    uploads = [version for version in listed if storage.is_object(version)][:_UPLOADS]
    traces = Traces(
        key, stack.source_bucket, uploads, storage.record(clients, stack.table_name, key)
    )
    if not uploads and traces.record is None:
        return None
    source = collect.source(clients, stack)
    runs, not_searched = source.of_image(traces)
    runs.sort(key=_begun, reverse=True)
    handlings = [
        Handling(
            source.execution(described["executionArn"]),
            restarts.source(described)[1],
            _origin(described),
            _is_fixed(described, runs, traces.recorded_version),
        )
        for described in runs[:_SHOWN]
    ]
    state = _state(clients, stack, traces, handlings)
    notes = list(filter(None, (stack.not_logged, not_searched)))
    return Image(**vars(traces), state=state, handlings=handlings, notes=notes)


def _origin(described: Summary) -> str:
    name = described["name"]
    if not restarts.is_of_an_upload(name):
        return "by hand"
    if restarts.first_name(name) != name:
        return "restart"
    return "reprocess" if restarts.is_reprocess(described) else "upload"


def _is_fixed(described: Summary, runs: Sequence[Summary], recorded_version: str | None) -> bool:
    """Return whether an execution failed, and its version was handled nevertheless."""
    version = restarts.source(described)[1]
    is_reprocess = restarts.is_reprocess(described)
    succeeded = any(
        run["status"] == SUCCEEDED
        and restarts.source(run)[1] == version
        and not (is_reprocess and _begun(run) < _begun(described))
        for run in runs
    )
    is_recorded = recorded_version is not None and recorded_version == version
    is_handled = succeeded or (is_recorded and not is_reprocess)
    return described["status"] not in (RUNNING, SUCCEEDED) and is_handled


def _state(
    clients: Clients, stack: Deployment, traces: Traces, handlings: Sequence[Handling]
) -> ImageState:
    """Return the state of the newest upload."""
    newest = traces.uploads[0] if traces.uploads else None
    version = newest["VersionId"] if newest else traces.recorded_version
    executions = [
        handling.execution for handling in handlings if handling.version in (version, None)
    ]
    by_status = {execution.status: execution for execution in reversed(executions)}
    # What an execution leaves behind may say that it succeeded before its log does.
    is_open = stack.express and SUCCEEDED not in by_status
    if is_open and version and (state := endings.find(clients, stack, traces.key, version)):
        return state
    if counts := by_status.get(RUNNING) or by_status.get(SUCCEEDED):
        return endings.of_execution(counts)
    if traces.record and traces.recorded_version == version:
        return endings.converted(locations.resized_of(traces.record))
    if executions:
        return endings.of_execution(executions[0])
    since = newest["LastModified"] if newest else datetime.now(UTC)
    if stack.express and (failure := endings.last_failure(clients, stack, traces.key, since)):
        sentence = f"The last attempt failed, and may be retried: {failure.sentence}"
        return ImageState(Outcome.RUNNING, "running", sentence)
    return _not_started(clients, stack, traces.key, newest)


def _not_started(clients: Clients, stack: Deployment, key: str, newest: Any) -> ImageState:
    """Return the state of an upload of which no execution is known."""
    if newest is None or not newest["IsLatest"]:
        return _waiting("gone", "It is not in the source bucket, and no execution is known.")
    accepted = arrival.source_filter(clients, stack)
    if accepted and not accepted.accepts(key):
        return _waiting("not handled", accepted.sentence)
    if arrival.is_dead_letter(clients, stack, key, newest["VersionId"]):
        sentence = "Its notification is a dead letter. `image-converter redrive` sends it again."
        return ImageState(Outcome.FAILED, "failed", sentence)
    if arrival.is_paused(clients, stack):
        return _waiting("waiting", "The stack is paused, so its notification waits in the queue.")
    age = datetime.now(UTC) - newest["LastModified"]
    ago = f"It was uploaded {text.duration(age.total_seconds())} ago"
    if age < _USUALLY_STARTED_WITHIN or arrival.messages_waiting(clients, stack):
        return _waiting("waiting", f"{ago}, and its execution has not started yet.")
    return _waiting("waiting", f"{ago}. {_STRANDED}")


def _begun(described: Summary) -> datetime:
    """Return when an execution began, or began again."""
    begun: datetime = described.get("redriveDate") or described["startDate"]
    return begun


def _waiting(kind: str, sentence: str) -> ImageState:
    return ImageState(Outcome.NOT_ENTERED, kind, sentence)
