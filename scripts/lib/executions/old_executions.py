"""Executions of the state machine: which there are, and what happened in them."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

RUNNING = "RUNNING"
SUCCEEDED = "SUCCEEDED"

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Execution:
    """One execution, as far as it has come.

    Attributes:
        arn: its ARN.
        status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED.
        record: the S3 event record that it works on.
        output: what it returned, once it has succeeded.
        error, cause: why it failed, where it has.
        started, stopped: when.
        history: its events, in order.
    """

    arn: str
    status: str
    record: Mapping[str, Any]
    output: Mapping[str, Any] | None
    error: str | None
    cause: str | None
    started: datetime
    stopped: datetime | None
    history: tuple[Event, ...] = field(repr=False)

    @property
    def key(self) -> str:
        """The key of the object that it works on."""
        return str(self.record["s3"]["object"]["key"])

    @property
    def version_id(self) -> str | None:
        """The version of the object that it works on, where the record names one."""
        version_id: str | None = self.record["s3"]["object"].get("versionId")
        return version_id

    @property
    def seconds(self) -> float | None:
        """How long it took, once it has ended."""
        return (self.stopped - self.started).total_seconds() if self.stopped else None

    @property
    def sentence(self) -> str:
        """The error in a person's words."""
        return sentence(self.error, self.cause)


def sentence(error: str | None, cause: str | None) -> str:
    """Return an error in a person's words: its name, and the message out of Lambda's object."""
    message = cause or ""
    with contextlib.suppress(ValueError, TypeError, KeyError):  # or it is plain text
        message = json.loads(message)["errorMessage"]
    return ": ".join(filter(None, [error, message]))


def describe(stepfunctions: "SFNClient", arn: str) -> Execution:
    """Return an execution with its history."""
    told = stepfunctions.describe_execution(executionArn=arn)
    pages = stepfunctions.get_paginator("get_execution_history").paginate(executionArn=arn)
    return Execution(
        arn=arn,
        status=told["status"],
        record=json.loads(told["input"]),
        output=json.loads(told["output"]) if told["status"] == SUCCEEDED else None,
        error=told.get("error"),
        cause=told.get("cause"),
        started=told["startDate"],
        stopped=told.get("stopDate"),
        history=tuple(event for page in pages for event in page["events"]),
    )


def listed(stepfunctions: "SFNClient", state_machine_arn: str) -> Iterator[str]:
    """Yield the ARNs of a state machine's executions, the newest first."""
    paginator = stepfunctions.get_paginator("list_executions")
    for page in paginator.paginate(stateMachineArn=state_machine_arn):
        yield from (found["executionArn"] for found in page["executions"])


def seconds_per_state(history: Iterable[Event]) -> dict[str, float]:
    """Return how long each state took, in the order in which they were entered."""
    entered: dict[str, datetime] = {}
    seconds: dict[str, float] = {}
    for event in history:
        if "stateEnteredEventDetails" in event:
            name = event["stateEnteredEventDetails"]["name"]
            entered[name] = event["timestamp"]
            seconds[name] = 0.0
        elif "stateExitedEventDetails" in event:
            name = event["stateExitedEventDetails"]["name"]
            seconds[name] = (event["timestamp"] - entered[name]).total_seconds()
    return seconds


def states_now(history: Iterable[Event]) -> list[str]:
    """Return the states that have been entered and not left, in order."""
    inside: dict[str, None] = {}
    for event in history:
        if "stateEnteredEventDetails" in event:
            inside[event["stateEnteredEventDetails"]["name"]] = None
        elif "stateExitedEventDetails" in event:
            inside.pop(event["stateExitedEventDetails"]["name"], None)
    return list(inside)
