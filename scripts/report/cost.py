"""What one execution costs on AWS, line by line.

Prices are those of us-east-1, in dollars, without the free tier, as AWS listed them in November
2026; the page behind each is named beside it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from scripts.report.model import Execution, Outcome

# https://aws.amazon.com/step-functions/pricing/
TRANSITION = 0.025 / 1000
# https://aws.amazon.com/lambda/pricing/
GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
INVOCATION = 0.20 / 1_000_000
# https://aws.amazon.com/s3/pricing/
S3_WRITE = 0.005 / 1000
S3_READ = 0.0004 / 1000
# https://aws.amazon.com/dynamodb/pricing/on-demand/
TABLE_WRITE = 0.625 / 1_000_000

# Requests to S3 that a function's attempt makes: writes (PUT, COPY), reads (GET, HEAD).
_S3_REQUESTS = {
    "get-file-type": (0, 1),
    "copy-file": (1, 2),
    "resize-image": (1, 2),
    "delete-file": (0, 1),
}
_DEFAULT_MEMORY_MB = 128
_MB_PER_GB = 1024


@dataclass(frozen=True)
class Invocation:
    """What Lambda charged an attempt for.

    Attributes:
        function: the function's name.
        billed_ms: milliseconds.
        memory_mb: the function's memory.
        told: False where no report of Lambda's was found and the state's own times stand in.
    """

    function: str
    billed_ms: int
    memory_mb: int
    told: bool = True


@dataclass(frozen=True)
class Line:
    """One line of the bill."""

    what: str
    amount: str
    dollars: float


@dataclass(frozen=True)
class Bill:
    """The bill of one execution."""

    lines: tuple[Line, ...]
    estimated: bool

    @property
    def about(self) -> str:
        """Where the figures come from."""
        origin = (
            "the function time is the history's own, rounded up to milliseconds"
            if self.estimated
            else "the function time is what Lambda reported"
        )
        return f"Prices of us-east-1 without the free tier; {origin}."

    @property
    def total(self) -> float:
        """The sum, in dollars."""
        return sum(line.dollars for line in self.lines)


def bill(
    execution: Execution, invocations: Iterable[Invocation], architecture: str = "x86_64"
) -> Bill:
    """Return the bill of an execution of a STANDARD state machine.

    Args:
        execution: what ran.
        invocations: one for each attempt.
        architecture: the functions', arm64 or x86_64.
    """
    calls = list(invocations)
    gb_seconds = sum(call.billed_ms / 1000 * call.memory_mb / _MB_PER_GB for call in calls)
    requests = [_requests(call.function) for call in calls]
    writes, reads = (sum(one[place] for one in requests) for place in (0, 1))
    saved = sum(1 for call in calls if call.function.endswith("write-to-dynamodb"))
    lines = (
        Line("State transitions", f"{execution.transitions}", execution.transitions * TRANSITION),
        Line("Function time", f"{gb_seconds:.3f} GB-s", gb_seconds * GB_SECOND[architecture]),
        Line("Function calls", f"{len(calls)}", len(calls) * INVOCATION),
        Line("S3 requests", f"{writes} + {reads}", writes * S3_WRITE + reads * S3_READ),
        Line("Table writes", f"{saved}", saved * TABLE_WRITE),
    )
    return Bill(lines, estimated=not all(call.told for call in calls))


def from_attempts(execution: Execution, memory_mb: dict[str, int]) -> list[Invocation]:
    """Return invocations by the history's own times, where Lambda's reports are not at hand.

    Args:
        execution: what ran.
        memory_mb: each function's memory by its name, where it is known.
    """
    found = []
    for run in execution.states.values():
        for attempt in run.attempts:
            end = attempt.ended
            if end is None or attempt.outcome is Outcome.RUNNING:
                continue
            name = function_name(attempt.resource)
            seconds = (end - (attempt.started or attempt.scheduled)).total_seconds()
            memory = memory_mb.get(name, _DEFAULT_MEMORY_MB)
            found.append(Invocation(name, max(1, math.ceil(seconds * 1000)), memory, told=False))
    return found


def function_name(resource: str) -> str:
    """Return the function's name out of its ARN, without version or alias."""
    parts = resource.split(":")
    return parts[6] if len(parts) > 6 and parts[2] == "lambda" else resource  # noqa: PLR2004


def _requests(function: str) -> tuple[int, int]:
    for ending, requests in _S3_REQUESTS.items():
        if function.endswith(ending):
            return requests
    return (0, 0)
