"""The model of an execution: its states, the attempts of each, and their outcomes."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from image_converter import source_cleanup
from scripts.lib.executions.definition import Machine, State
from scripts.lib.executions.events import HistoryEvent
from scripts.lib.text import counted, json_object, sentence

RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"
FAILED = ("FAILED", "TIMED_OUT")
STOPPED = "ABORTED"  # by a person, who will have had a reason, or with its state machine


class Outcome(StrEnum):
    """What became of a state, an attempt or an execution; the value is what the report says.

    The worse ones come later: the worst of several visits is what a state is shown as.

    Attributes:
        tone: the colour's name: good, warn, bad, live or none.
        sign: a sign that says the same without colour.
    """

    NOT_ENTERED = "not entered", "none", "○"
    SUCCEEDED = "succeeded", "good", "✓"
    STOPPED = "stopped", "none", "■"  # given up because another branch failed, or by hand
    RETRIED = "retried", "warn", "↻"  # failed at first, then succeeded
    CAUGHT = "caught", "warn", "!"  # failed, and the state machine went on as its Catch says
    RUNNING = "running", "live", "…"
    TIMED_OUT = "timed out", "bad", "✕"
    FAILED = "failed", "bad", "✕"

    tone: str
    sign: str

    def __new__(cls, word: str, tone: str, sign: str) -> Self:
        """Make a member, which is equal to its word."""
        outcome = str.__new__(cls, word)
        outcome._value_, outcome.tone, outcome.sign = word, tone, sign
        return outcome


_SEVERITY = list(Outcome)
NOT_A_JPEG = "not a JPEG"

Summary = dict[str, Any]  # of an execution, as DescribeExecution or ListExecutions has it


def name_of(arn: str) -> str:
    """Return the execution's name out of its ARN, which ends with an id if it is EXPRESS."""
    return arn.split(":")[7] if ":express:" in arn else arn.rpartition(":")[2]


def readable(name: str) -> str:
    """Return what a person reads of an execution's name: the beginning of the key."""
    return _HASH.sub("", name)


def source_of(input_json: str | None) -> dict[str, Any]:
    """Return bucket, key and versionId of the object that an input names, as far as it does."""
    try:
        s3 = json.loads(input_json or "")["s3"]
        return {"bucket": s3["bucket"]["name"], **s3["object"]}
    except (ValueError, KeyError, TypeError):
        return {}


def format_of(resized: Mapping[str, Any] | None) -> str:
    """Return the format of the first rendition; PNG where nothing is known of it."""
    return str((resized or {}).get("contentType", "image/png")).partition("/")[2].upper()


def made_of(resized: Mapping[str, Any] | None) -> str:
    """Return what was made of an image, in words."""
    further = len((resized or {}).get("renditions", ()))
    more = f" and {counted(further, 'further rendition', 'further renditions')}" if further else ""
    return f"the {format_of(resized)}{more}"


def conversion(resized: Mapping[str, Any] | None, why_kept: str = "", retries: int = 0) -> str:
    """Return what happened to an image that was converted, in sentences."""
    tries = f" after {counted(retries, 'retry', 'retries')}" if retries else ""
    made = f"The original was kept and {made_of(resized)} made{tries}."
    return f"{made} The source was kept ({why_kept})." if why_kept else made


_HASH = re.compile(r"-[0-9a-f]{48}(-redo[1-9][0-9]?)?$")


@dataclass
class Attempt:
    """One call that a Task state made.

    Attributes:
        scheduled, started, ended: when; None if that has not happened, or was not reported.
        resource: what was called.
        output: the answer, as JSON text.
        error, cause: what failed.
    """

    scheduled: datetime
    resource: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    outcome: Outcome = Outcome.RUNNING
    output: str | None = None
    error: str = ""
    cause: str = ""


@dataclass
class Visit:
    """One passage through a state; `attempts` is empty for a state that calls nothing."""

    state: str
    kind: str
    entered: datetime
    parent: "Visit | None" = None
    came_from: str | None = None
    exited: datetime | None = None
    input: str | None = None
    output: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    outcome: Outcome = Outcome.RUNNING
    failed: bool = False
    stopped: bool = False
    error: str = ""
    cause: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took; None if it was not exited."""
        return (self.exited - self.entered).total_seconds() if self.exited else None


@dataclass
class StateRun:
    """Everything that happened in one state of the definition."""

    name: str
    kind: str
    visits: list[Visit] = field(default_factory=list)

    @property
    def outcome(self) -> Outcome:
        """The worst of its visits."""
        outcomes = (visit.outcome for visit in self.visits)
        return max(outcomes, key=_SEVERITY.index, default=Outcome.NOT_ENTERED)

    @property
    def attempts(self) -> list[Attempt]:
        """The attempts of all visits, in order."""
        return [attempt for visit in self.visits for attempt in visit.attempts]

    @property
    def retrying(self) -> bool:
        """Whether it runs, and an attempt of this visit has failed."""
        return self.outcome is Outcome.RUNNING and any(
            attempt.error for visit in self.visits if not visit.exited for attempt in visit.attempts
        )


@dataclass
class Execution:
    """One execution.

    Attributes:
        status: AWS's word: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        started, ended: when; `ended` is None while it runs.
        input, output: JSON text.
        error, cause: why it failed.
        machine: the state machine that ran.
        states: what happened in each of its states, by name, in the definition's order.
        events: the history as it was read.
        not_logged: what of it is not known because it is not logged, in a sentence.
    """

    arn: str
    status: str
    started: datetime
    ended: datetime | None
    input: str
    output: str | None
    error: str
    cause: str
    machine: Machine
    states: dict[str, StateRun]
    events: list[HistoryEvent]
    not_logged: str = ""

    @property
    def name(self) -> str:
        """The name under which it was started."""
        return name_of(self.arn)

    @property
    def is_express(self) -> bool:
        """Whether its state machine is EXPRESS, by the ARN."""
        return ":express:" in self.arn

    @property
    def place(self) -> tuple[str, str]:
        """The region and the account, by the ARN; empty where it is not one of AWS."""
        _, _, _, region, account, *_ = [*self.arn.split(":"), *[""] * 5]
        return region, account

    @property
    def source(self) -> dict[str, Any]:
        """Bucket, key and versionId of the object that the input names, as far as it does."""
        return source_of(self.input)

    @property
    def key(self) -> str:
        """The key of the image; what the execution's name has of it where that is all there is."""
        return str(self.source.get("key") or readable(self.name))

    @property
    def result(self) -> Mapping[str, Any]:
        """The output, parsed; empty where there is none."""
        return json_object(self.output or "")

    @property
    def visits(self) -> list[Visit]:
        """All visits of all states, in the order in which they began."""
        visits = [visit for run in self.states.values() for visit in run.visits]
        return sorted(visits, key=lambda visit: visit.entered)

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts of all states, in the definition's order."""
        return [attempt for run in self.states.values() for attempt in run.attempts]

    @property
    def retries(self) -> int:
        """How many attempts were made beyond the first of each visit."""
        return sum(max(0, len(visit.attempts) - 1) for visit in self.visits)

    @property
    def outcome(self) -> Outcome:
        """Its outcome; retried where it succeeded and a state needed more than one attempt."""
        if self.status == SUCCEEDED:
            worst = {run.outcome for run in self.states.values()}
            return Outcome.RETRIED if Outcome.RETRIED in worst else Outcome.SUCCEEDED
        return _STATUS.get(self.status, Outcome.RUNNING)

    @property
    def transitions(self) -> int:
        """State transitions as AWS charges them: each entered state, and each retry, is one."""
        return len(self.visits) + self.retries

    def machine_state(self, name: str) -> State:
        """Return a state of the definition by its name, in whichever lane it is."""
        return next(state for state in self.machine.walk() if state.name == name)

    @property
    def known_until(self) -> datetime:
        """When it ended, or of one that runs, the time of its last event."""
        return self.ended or max(event.time for event in self.events)

    @property
    def seconds(self) -> float:
        """How long it took; of one that runs, how long so far."""
        return (self.known_until - self.started).total_seconds()

    @property
    def running_states(self) -> list[str]:
        """The states that were entered and not left."""
        return [name for name, run in self.states.items() if run.outcome is Outcome.RUNNING]

    @property
    def file_type(self) -> str | None:
        """The type that GetFileType found; None where it found none or did not run."""
        outputs = [output for output in self._file_types if output]
        file_type = json.loads(outputs[-1]) if outputs else None
        return file_type if isinstance(file_type, str) else None

    @property
    def _is_other_type(self) -> bool:
        """Whether GetFileType found that it is not a JPEG; without outputs, the way says so."""
        outputs = self._file_types
        if None in outputs:
            return not any(run.attempts for name, run in self.states.items() if name in _MAKING)
        return bool(outputs) and self.file_type != "jpg"

    @property
    def _file_types(self) -> list[str | None]:
        """What GetFileType returned, as JSON; None where outputs are not logged."""
        run = self.states.get("GetFileType")
        attempts = run.attempts if run else []
        return [attempt.output for attempt in attempts if attempt.outcome is Outcome.SUCCEEDED]

    @property
    def kind(self) -> str:
        """What became of the image, in a word or two."""
        if self.outcome not in (Outcome.SUCCEEDED, Outcome.RETRIED):
            return str(self.outcome)
        if self._is_other_type:
            return NOT_A_JPEG
        return "converted" if self.outcome is Outcome.SUCCEEDED else "converted after a retry"

    @property
    def tone(self) -> str:
        """The name of the colour for `kind`."""
        return "neutral" if self.kind == NOT_A_JPEG else self.outcome.tone

    @property
    def sign(self) -> str:
        """The sign for `kind`."""
        return "⊘" if self.kind == NOT_A_JPEG else self.outcome.sign

    @property
    def sentence(self) -> str:
        """What happened, in one sentence; of one that failed, its error."""
        if self.outcome in (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.STOPPED):
            return sentence(self.error, self.cause) or "no error reported"
        if self.outcome is Outcome.RUNNING:
            inside = self.running_states
            return f"It is in {' and '.join(inside)}." if inside else "It is starting."
        if self.kind == NOT_A_JPEG:
            kind = f"a {self.file_type} file" if self.file_type else "of an unknown type"
            source = f"kept ({self.why_kept})" if self.why_kept else "deleted"
            return f"It is not a JPEG but {kind}: the source was {source} and nothing converted."
        return conversion(self.objects.get("PNG"), self.why_kept, self.retries)

    @property
    def objects(self) -> dict[str, dict[str, Any]]:
        """The objects that its states wrote: the Original and the PNG, or what it became."""
        written: dict[str, dict[str, Any]] = {}
        for name, role in _MAKING.items():
            run = self.states.get(name)
            for attempt in run.attempts if run else []:
                answer = json_object(attempt.output or "")
                if attempt.outcome is Outcome.SUCCEEDED and {"bucket", "key"} <= answer.keys():
                    written[role] = answer
        return written

    @property
    def why_kept(self) -> str:
        """Why the source object was kept, as the output says; empty where it was not."""
        status = self.result.get("deletionStatus", {}).get("status", "")
        return source_cleanup.why_kept(str(status))

    def taken(self) -> set[tuple[str, str | None]]:
        """Return the edges that it took, as pairs of names; None is the end of a lane."""
        edges = {(visit.came_from, visit.state) for visit in self.visits if visit.came_from}
        left = {source for source, _target in edges}
        ends = {
            state.name
            for state in self.machine.walk()
            if any(edge.target is None for edge in state.edges)
            and any(visit.exited for visit in self.states[state.name].visits)
        }
        return edges | {(name, None) for name in ends - left}


# What the states write that only JPEGs come to.
_MAKING = {"CopyToDestination": "Original", "ResizeImage": "PNG"}
_STATUS = {
    "FAILED": Outcome.FAILED,
    "TIMED_OUT": Outcome.TIMED_OUT,
    "ABORTED": Outcome.STOPPED,
    "RUNNING": Outcome.RUNNING,
}
