"""An execution with what belongs to it: pictures, record, logs, costs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scripts.lib.executions.model import Execution, Outcome
from scripts.report.cost import Bill


@dataclass(frozen=True)
class Picture:
    """An object that the execution read or made.

    Attributes:
        role: what it is: Original or PNG.
        place: where it is, as an s3:// address.
        size: in bytes.
        content_type: as S3 has it.
        width, height: in pixels; 0 where it is no image.
        preview: a data: address of a small version, or an empty string.
        note: why there is no preview, or what is to be known beside it.
    """

    role: str
    place: str
    size: int = 0
    content_type: str = ""
    width: int = 0
    height: int = 0
    preview: str = ""
    note: str = ""


@dataclass(frozen=True)
class LogLine:
    """A line that a function logged; `level` is INFO, WARNING, ERROR or an empty string."""

    time: datetime
    text: str
    level: str = ""


@dataclass
class Run:
    """What a report shows of one execution.

    Attributes:
        pictures: the original, then the PNG, as far as they are there.
        record: the image's record in the table.
        logs: by state, what its function logged.
        function_ms: by state, what Lambda charged for each call of its function, where it has told.
        notes: what could not be had, as sentences.
    """

    execution: Execution
    bill: Bill
    pictures: list[Picture] = field(default_factory=list)
    record: dict[str, Any] | None = None
    logs: dict[str, list[LogLine]] = field(default_factory=dict)
    function_ms: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The key of the image; the execution's name where its input is no S3 record."""
        return str(source(self.execution).get("key") or self.execution.name)

    @property
    def file_type(self) -> str | None:
        """The type that GetFileType found; None where it found none or did not run."""
        for attempt in reversed(self._attempts("GetFileType")):
            if attempt.outcome is Outcome.SUCCEEDED and attempt.output:
                found = json.loads(attempt.output)
                return found if isinstance(found, str) else None
        return None

    @property
    def kind(self) -> str:
        """What became of the image, as the list of executions filters it."""
        outcome = self.execution.outcome
        if outcome not in (Outcome.SUCCEEDED, Outcome.RETRIED):
            return str(outcome)
        checked = any(one.outcome is Outcome.SUCCEEDED for one in self._attempts("GetFileType"))
        if checked and self.file_type != "jpg":
            return "no JPEG"
        return "converted" if outcome is Outcome.SUCCEEDED else "converted after a retry"

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        from scripts.lib.text import counted, sentence  # noqa: PLC0415

        execution = self.execution
        if execution.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.STOPPED):
            return sentence(execution.error, execution.cause)
        if execution.outcome is Outcome.RUNNING:
            inside = [
                name for name, run in execution.states.items() if run.outcome is Outcome.RUNNING
            ]
            return f"It is in {' and '.join(inside)}." if inside else "It is starting."
        if self.kind == "no JPEG":
            found = f"a {self.file_type} file" if self.file_type else "of no type that is known"
            return f"It is not a JPEG but {found}: {self._source_s_end} and nothing converted."
        tries = (
            f" after {counted(execution.retries, 'retry', 'retries')}" if execution.retries else ""
        )
        return f"The original was kept and the PNG made{tries}."

    @property
    def _source_s_end(self) -> str:
        """What became of the source object, by the execution's own words."""
        output = json.loads(self.execution.output or "{}")
        status = str(output.get("deletionStatus", {}).get("status", ""))
        kept, _, why = status.partition(": ")
        if not kept.startswith("Kept"):
            return "the source was deleted"
        return f"the source was kept ({why})"

    def _attempts(self, state: str) -> list[Any]:
        run = self.execution.states.get(state)
        return run.attempts if run else []


def source(execution: Execution) -> dict[str, Any]:
    """Return bucket, key and versionId of the object that the input names, as far as it does."""
    try:
        s3 = json.loads(execution.input)["s3"]
        return {"bucket": s3["bucket"]["name"], **s3["object"]}
    except (ValueError, KeyError, TypeError):
        return {}
