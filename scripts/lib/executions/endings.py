"""How the handling of an upload ended, for both kinds of state machine.

AWS keeps the history of a STANDARD execution; of an EXPRESS one, only lines in logs. What these do
not say, or not yet, follows from what it left behind: the record, the buckets, and the failures
that functions logged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from image_converter import errors, keys, locations, source_cleanup
from scripts.lib import deployed, functions, storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, logged
from scripts.lib.executions.model import NOT_A_JPEG, Execution, Outcome, conversion

PERMANENT = {
    name
    for name, error in vars(errors).items()
    if isinstance(error, type) and issubclass(error, errors.PermanentError)
}
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
class LoggedFailure:
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
        return self.error in PERMANENT or datetime.now(UTC) - self.at > logged.LONGEST


def find(
    clients: Clients,
    stack: Deployment,
    key: str,
    version: str,
    source: collect.Source | None = None,
) -> ImageState | None:
    """Return how the handling of a version of a key ended; None if it has not ended.

    Parameters:
        source: where its executions are read; of an EXPRESS stack, one that has listed the newest.
    """
    source = source or collect.source(clients, stack)
    execution = source.ended(keys.execution_name(stack.source_bucket, key, version))
    if execution:
        return of_execution(execution)
    return _left_behind(clients, stack, key, version) if stack.express else None


def of_execution(execution: Execution) -> ImageState:
    """Return the state of an image by its execution alone."""
    return ImageState(
        execution.outcome,
        execution.kind,
        execution.sentence,
        execution.seconds,
        execution.objects.get("PNG"),
        execution.why_kept,
    )


def _left_behind(clients: Clients, stack: Deployment, key: str, version: str) -> ImageState | None:
    """Return how a version ended by the record, the source bucket and the functions' logs."""
    listed = storage.versions(clients, stack.source_bucket, key).get(key, [])
    source = next((listing for listing in listed if listing["VersionId"] == version), None)
    record = storage.record(clients, stack.table_name, key)
    is_recorded = record is not None and record.get("sourceVersionId") == version
    png = locations.resized_of(record) if record and is_recorded else None
    if png and not (source and source["IsLatest"]):
        return converted(png)
    if source is None:
        return None
    kept = _kept(clients, stack, source)
    why_kept = source_cleanup.why_kept(kept)
    if kept == source_cleanup.SOURCE_AFTER or (png and stack.keeps_converted):
        return converted(png, source_cleanup.why_kept(source_cleanup.SOURCE_AFTER))
    if kept in (source_cleanup.OTHER_TYPES, source_cleanup.FOLDER, source_cleanup.UNVERSIONED):
        return _not_a_jpeg(f"kept ({why_kept})", why_kept)
    failure = last_failure(clients, stack, key, source["LastModified"])
    if failure and failure.is_final:
        return ImageState(Outcome.FAILED, "failed", failure.sentence)
    newest = next(listing for listing in listed if storage.is_object(listing))
    return _not_a_jpeg("deleted") if newest is source and not source["IsLatest"] else None


def converted(png: Mapping[str, Any] | None, why_kept: str = "") -> ImageState:
    """Return the state of an image of which a record has the PNG."""
    sentence = conversion(png, why_kept)
    return ImageState(Outcome.SUCCEEDED, "converted", sentence, png=png, why_kept=why_kept)


def _not_a_jpeg(source_end: str, why_kept: str = "") -> ImageState:
    sentence = f"It is not a JPEG: the source was {source_end} and nothing converted."
    return ImageState(Outcome.SUCCEEDED, NOT_A_JPEG, sentence, why_kept=why_kept)


def _kept(clients: Clients, stack: Deployment, version: Mapping[str, Any]) -> str:
    """Return what `delete_file` has logged of a version that it kept; empty where it has not."""
    since = version["LastModified"] - _CLOCKS_DIFFER
    for _, line in _logged(clients, stack, "delete_file", since, source_cleanup.KEPT_IN_SOURCE):
        if (line.get("key"), line.get("versionId")) == (version["Key"], version["VersionId"]):
            return str(line.get("message"))
    return ""


def last_failure(
    clients: Clients, stack: Deployment, key: str, since: datetime
) -> LoggedFailure | None:
    """Return the last failure that a function has logged of a key since an upload of it."""
    of_key = (failure for failure in failures(clients, stack, since) if failure.key == key)
    return max(of_key, key=lambda failure: failure.at, default=None)


def failures(clients: Clients, stack: Deployment, since: datetime) -> Iterator[LoggedFailure]:
    """Yield the failures that functions have logged since then."""
    for task in functions.TASKS:
        for at, line in _logged(clients, stack, task, since - _CLOCKS_DIFFER, "failed"):
            if line.get("message") == "failed" and line.get("key"):
                yield LoggedFailure(line["key"], at, str(line["error"]), str(line["cause"]))


def _logged(
    clients: Clients, stack: Deployment, function: str, since: datetime, phrase: str
) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Yield the lines of a function that contain a phrase, and when it wrote them."""
    group = deployed.log_group(clients, f"{stack.name}-{functions.on_aws(function)}")
    for event in storage.log_events(clients, group, since, pattern=f'"{phrase}"'):
        at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        yield at, text.json_object(event["message"])
