"""How the handling of an upload ended, for both kinds of state machine.

A STANDARD execution can be asked. Of an EXPRESS one, AWS keeps nothing but lines in logs; there the
end shows in what it left behind: the record, the buckets, and the failures that functions logged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from image_converter import errors
from scripts.lib import deployed, functions, storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, uploads
from scripts.lib.executions.model import Outcome

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_LONGEST_EXPRESS = timedelta(minutes=5)
_CLOCKS_DIFFER = timedelta(seconds=2)  # S3's, which is in whole seconds, and a function's


@dataclass(frozen=True)
class Ending:
    """How it ended.

    Attributes:
        kind: what became of the image, in a word or two.
        sentence: the same in a sentence.
        seconds: how long it took, where that is known.
        png: where the PNG is, as its record tells it.
    """

    outcome: Outcome
    kind: str
    sentence: str
    seconds: float | None = None
    png: Mapping[str, Any] | None = None

    @property
    def good(self) -> bool:
        """Whether the image was handled as it should be."""
        return self.outcome in (Outcome.SUCCEEDED, Outcome.RETRIED)


@dataclass(frozen=True)
class Failure:
    """What a function has logged of an attempt that failed."""

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


def find(clients: Clients, stack: Deployment, key: str, version: str) -> Ending | None:
    """Return how the handling of a version of a key ended; None while there is no end.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    if stack.express:
        return _left_behind(clients, stack, key, version)
    arn = uploads.execution_arn(stack, key, version)
    if not collect.has_ended(clients, arn):
        return None  # or its notification is still on the way, or it was forgotten after 90 days
    execution = collect.execution(clients, arn)
    png = execution.objects.get("PNG")
    return Ending(execution.outcome, execution.kind, execution.sentence, execution.seconds, png)


def _left_behind(clients: Clients, stack: Deployment, key: str, version: str) -> Ending | None:
    listed = storage.versions(clients, stack.source_bucket, key).get(key, [])
    mine = next((one for one in listed if one["VersionId"] == version), None)
    record = storage.record(clients, stack.table_name, key)
    if record and record.get("sourceVersionId") == version and not (mine and mine["IsLatest"]):
        png = record["images"][1]["resized"]
        return Ending(
            Outcome.SUCCEEDED, "converted", "The original was kept and the PNG made.", png=png
        )
    if mine is None:
        return None
    failure = last_failure(clients, stack, key, mine["LastModified"])
    if failure and failure.is_final:
        return Ending(Outcome.FAILED, "failed", failure.sentence)
    newest = next(one for one in listed if storage.is_object(one))
    if newest is mine and not mine["IsLatest"]:
        return Ending(
            Outcome.SUCCEEDED,
            "no JPEG",
            "It is not a JPEG: the source was deleted and nothing converted.",
        )
    return None


def last_failure(clients: Clients, stack: Deployment, key: str, since: datetime) -> Failure | None:
    """Return the last failure that a function has logged of a key since an upload of it.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    found = list(_failures(clients, stack, key, since))
    return max(found, key=lambda one: one.at, default=None)


def _failures(clients: Clients, stack: Deployment, key: str, since: datetime) -> Iterator[Failure]:
    for task in functions.TASKS:
        group = deployed.function(clients, f"{stack.name}-{functions.on_aws(task)}").log_group
        for event in storage.log_events(clients, group, since - _CLOCKS_DIFFER, pattern='"failed"'):
            line = text.json_object(event["message"])
            if line.get("message") == "failed" and line.get("key") == key:
                at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
                yield Failure(at, str(line["error"]), str(line["cause"]))


def _is_permanent(name: str) -> bool:
    error = getattr(errors, name, None)
    return isinstance(error, type) and issubclass(error, errors.PermanentError)
