"""An execution with what belongs to it: pictures, record, logs, what Lambda charged for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Any, Literal

from scripts.lib.executions.model import Execution


@dataclass(frozen=True)
class Picture:
    """An object that the execution read or made.

    Attributes:
        role: what it is: Original, the format of the first rendition, or the name of another.
        place: where it is, as an s3:// address.
        size: in bytes.
        content_type: as S3 has it.
        width, height: in pixels; 0 if it is not an image.
        preview: a data: address of a small version, or an empty string.
        note: why there is no preview, or a remark about it.
        damaged: whether the preview only shows what can be read.
    """

    role: str
    place: str
    size: int = 0
    content_type: str = ""
    width: int = 0
    height: int = 0
    preview: str = ""
    note: str = ""
    damaged: bool = False


@dataclass(frozen=True)
class LogLine:
    """A line that a function logged; `level` is INFO, WARNING, ERROR or an empty string."""

    time: datetime
    text: str
    level: str = ""


@dataclass
class InvocationLog:
    """What one invocation logged.

    Attributes:
        request_id: Lambda's id of it; empty where Lambda itself logs nothing.
        keys: the keys that its lines name.
        billed_ms, memory_mb: of Lambda's report; 0 without one.
        measured_ms: what the function itself has measured; 0 where it has not.
    """

    request_id: str
    lines: list[LogLine] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    billed_ms: int = 0
    memory_mb: int = 0
    measured_ms: int = 0
    is_open: bool = False  # Lambda has logged its start, and not its end

    @property
    def first(self) -> datetime:
        """When its first line was written."""
        return self.lines[0].time

    @property
    def ms(self) -> int:
        """What Lambda charged, else what the function measured, which is a little less."""
        return self.billed_ms or self.measured_ms


@dataclass(frozen=True)
class Invocation:
    """What Lambda charged an attempt for, or about that.

    Attributes:
        function: the function's name.
        billed_ms: milliseconds.
        memory_mb: the function's memory.
        said_by: who says so: Lambda in its report; without one, the function itself, which has
            measured its work; or the history, by the state's own times.
    """

    function: str
    billed_ms: int
    memory_mb: int
    said_by: Literal["Lambda", "function", "history"] = "Lambda"


@dataclass
class Run:
    """An execution with all that could be found of it.

    Attributes:
        pictures: the original, then what was made of it, as far as they are there.
        record: the image's record in the table.
        logs: by state, what the invocations of its function logged.
        invocations: what is to be billed: as Lambda or the functions say, or all of it estimated.
        architecture: the functions', arm64 or x86_64.
        notes: what was not available, as sentences.
    """

    execution: Execution
    pictures: list[Picture] = field(default_factory=list)
    record: dict[str, Any] | None = None
    logs: dict[str, list[InvocationLog]] = field(default_factory=dict)
    invocations: list[Invocation] = field(default_factory=list)
    architecture: str = "x86_64"
    notes: list[str] = field(default_factory=list)

    @property
    def original_bytes(self) -> int:
        """The size of the original; 0 where it was not found."""
        return sum(picture.size for picture in self.pictures[: self._first_made])

    @property
    def made_bytes(self) -> int:
        """The size of all that was made of it, the PNG and further renditions."""
        return sum(picture.size for picture in self.pictures[self._first_made :])

    @property
    def _first_made(self) -> int:
        # The original comes first, if it was found; a rendition may be called "Original", too.
        return int(bool(self.pictures) and self.pictures[0].role == "Original")


@dataclass(frozen=True)
class StateTime:
    """How long a state takes.

    Attributes:
        state: its name.
        kind: Task, Parallel, ...
        ms: the median from entering to leaving it.
        function_ms: the median of what its function took, as Lambda or the function says it; None
            where it calls no function, or nothing was logged.
    """

    state: str
    kind: str
    ms: float
    function_ms: float | None


def times_by_state(runs: Sequence[Run]) -> tuple[StateTime, ...]:
    """Return the times of the states that were passed, in the definition's order."""
    seconds: dict[tuple[str, str], list[float]] = {}
    function_ms: dict[str, list[int]] = {}
    for run in runs:
        for name, state in run.execution.states.items():
            passed = [visit.seconds for visit in state.visits if visit.seconds is not None]
            seconds.setdefault((name, state.kind), []).extend(passed)
            measured = [log.ms for log in run.logs.get(name, ()) if log.ms]
            function_ms.setdefault(name, []).extend(measured)
    medians = {name: median(ms) for name, ms in function_ms.items() if ms}
    return tuple(
        StateTime(name, kind, median(passed) * 1000, medians.get(name))
        for (name, kind), passed in seconds.items()
        if passed
    )
