"""How the handling of an upload ended, for both kinds of state machine.

A STANDARD execution can be asked. Of an EXPRESS one, AWS keeps nothing but lines in logs. What they
do not say, or not yet, shows in what it left behind: the record, the buckets, and the failures that
functions logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from image_converter import errors, keys, source_cleanup
from scripts.lib import deployed, functions, storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, uploads
from scripts.lib.executions.logged import Log
from scripts.lib.executions.model import (
    NOT_A_JPEG,
    RUNNING,
    SUCCEEDED,
    Execution,
    Outcome,
    made_of,
)

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_LONGEST_EXPRESS = timedelta(minutes=5)
_CLOCKS_DIFFER = timedelta(seconds=2)  # S3's, which is in whole seconds, and a function's


@dataclass(frozen=True)
class ImageState:
    """What became of an image, or where it is now.

    Attributes:
        kind: the same in a word or two.
        sentence: the same in a sentence.
        seconds: how long it took, where that is known.
        png: where the PNG is, according to its record.
        why_kept: why the source was kept; empty where it was not.
    """

    outcome: Outcome
    kind: str
    sentence: str
    seconds: float | None = None
    png: Mapping[str, Any] | None = None
    why_kept: str = ""

    @property
    def good(self) -> bool:
        """Whether the image was handled as it should be."""
        return self.outcome in (Outcome.SUCCEEDED, Outcome.RETRIED)


@dataclass(frozen=True)
class Failure:
    """What a function has logged of an attempt that failed."""

    key: str
    at: datetime
    error: str
    cause: str

    @property
    def sentence(self) -> str:
        """Error and cause."""
        return text.sentence(self.error, self.cause)

    @property
    def is_final(self) -> bool:
        """Whether no attempt can follow: it cannot succeed, or its execution is over by now."""
        return _is_permanent(self.error) or datetime.now(UTC) - self.at > _LONGEST_EXPRESS


def find(
    clients: Clients,
    stack: Deployment,
    key: str,
    version: str,
    log: Log | None = None,
) -> ImageState | None:
    """Return how the handling of a version of a key ended; None if it has not ended.

    Parameters:
        log: of an EXPRESS stack, what reads its log and has listed the newest executions.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    if stack.express:
        known = _logged(log, stack, key, version) if log else None
        return known or _left_behind(clients, stack, key, version)
    arn = uploads.execution_arn(stack, key, version)
    if not collect.has_ended(clients, arn):
        return None  # or its notification is still on the way, or it was forgotten after 90 days
    return of_execution(collect.execution(clients, arn))


def of_execution(execution: Execution) -> ImageState:
    """Return the state of an image by its execution alone."""
    png = execution.objects.get("PNG")
    return ImageState(
        execution.outcome,
        execution.kind,
        execution.sentence,
        execution.seconds,
        png,
        execution.why_kept,
    )


def _logged(log: Log, stack: Deployment, key: str, version: str) -> ImageState | None:
    """Return how it ended by what was logged, if that says everything."""
    name = keys.execution_name(stack.source_bucket, key, version)
    ended = {one["status"]: one["executionArn"] for one in log.newest if one["name"] == name}
    # Of an upload that was notified twice, the execution that succeeded is what counts.
    arn = ended.get(SUCCEEDED) or ended.get("FAILED") if RUNNING not in ended else None
    return of_execution(log.execution(arn)) if arn and not stack.not_logged else None


def _left_behind(clients: Clients, stack: Deployment, key: str, version: str) -> ImageState | None:
    listed = storage.versions(clients, stack.source_bucket, key).get(key, [])
    mine = next((one for one in listed if one["VersionId"] == version), None)
    record = storage.record(clients, stack.table_name, key)
    described = record if record and record.get("sourceVersionId") == version else None
    png = described["images"][1]["resized"] if described else None
    if png and not (mine and mine["IsLatest"]):
        return converted(png)
    if mine is None:
        return None
    return _still_there(clients, stack, key, mine, png) or _failed_or_deleted(
        clients, stack, key, mine, listed
    )


def _still_there(
    clients: Clients, stack: Deployment, key: str, mine: Any, png: Mapping[str, Any] | None
) -> ImageState | None:
    """Return the end of a version that was handled and kept, if it was."""
    kept = _kept(clients, stack, key, mine)
    if kept == source_cleanup.SOURCE_AFTER or (png and stack.keeps_converted):
        return converted(png, _why(source_cleanup.SOURCE_AFTER))
    if kept in (source_cleanup.OTHER_TYPES, source_cleanup.FOLDER, source_cleanup.UNVERSIONED):
        return _not_a_jpeg(f"kept ({_why(kept)})", _why(kept))
    return None


def _failed_or_deleted(
    clients: Clients, stack: Deployment, key: str, mine: Any, listed: Sequence[Any]
) -> ImageState | None:
    """Return the end of a version that no record describes and that was not kept."""
    failure = last_failure(clients, stack, key, mine["LastModified"])
    if failure and failure.is_final:
        return ImageState(Outcome.FAILED, "failed", failure.sentence)
    newest = next(one for one in listed if storage.is_object(one))
    if newest is mine and not mine["IsLatest"]:
        return _not_a_jpeg("deleted")
    return None


def converted(png: Mapping[str, Any] | None, why_kept: str = "") -> ImageState:
    """Return the state of an image of which a record has the PNG."""
    made = f"The original was kept and {made_of(png)} made."
    sentence = f"{made} The source was kept ({why_kept})." if why_kept else made
    return ImageState(Outcome.SUCCEEDED, "converted", sentence, png=png, why_kept=why_kept)


def _not_a_jpeg(source_end: str, why_kept: str = "") -> ImageState:
    sentence = f"It is not a JPEG: the source was {source_end} and nothing converted."
    return ImageState(Outcome.SUCCEEDED, NOT_A_JPEG, sentence, why_kept=why_kept)


def _kept(clients: Clients, stack: Deployment, key: str, version: Mapping[str, Any]) -> str:
    """Return what `delete_file` has logged of a version that it kept; empty where it has not."""
    group = deployed.log_group(clients, f"{stack.name}-{functions.on_aws('delete_file')}")
    since = version["LastModified"] - _CLOCKS_DIFFER
    for event in storage.log_events(clients, group, since, pattern='"Kept in source bucket"'):
        line = text.json_object(event["message"])
        if (line.get("key"), line.get("versionId")) == (key, version["VersionId"]):
            return str(line.get("message"))
    return ""


def _why(kept: str) -> str:
    return kept.partition(": ")[2]


def last_failure(clients: Clients, stack: Deployment, key: str, since: datetime) -> Failure | None:
    """Return the last failure that a function has logged of a key since an upload of it.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    found = [one for one in failures(clients, stack, since) if one.key == key]
    return max(found, key=lambda one: one.at, default=None)


def failures(clients: Clients, stack: Deployment, since: datetime) -> Iterator[Failure]:
    """Yield the failures that functions have logged since then.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    for task in functions.TASKS:
        group = deployed.log_group(clients, f"{stack.name}-{functions.on_aws(task)}")
        for event in storage.log_events(clients, group, since - _CLOCKS_DIFFER, pattern='"failed"'):
            line = text.json_object(event["message"])
            if line.get("message") == "failed" and line.get("key"):
                at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield Failure(line["key"], at, str(line["error"]), str(line["cause"]))


def _is_permanent(name: str) -> bool:
    error = getattr(errors, name, None)
    return isinstance(error, type) and issubclass(error, errors.PermanentError)
