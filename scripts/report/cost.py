"""What one execution costs on AWS, line by line: by the prices and requests of `scripts.cost`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.cost import prices
from scripts.cost.prices import Price
from scripts.cost.usage import S3_REQUESTS, item_bytes, table_writes
from scripts.lib import functions
from scripts.lib.executions.model import Execution, Outcome

# Of a record that is not at hand: those that the functions write have little more than 1 KB.
_RECORD_BYTES = 1100
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
        return (
            f"Prices of {prices.REGION} on {prices.AS_OF} without the free tier; {origin}. The "
            "trigger, its queue, logs and traces are not in it: `make cost EXECUTION=...` reckons "
            "those, too."
        )

    @property
    def total(self) -> float:
        """The sum, in dollars."""
        return sum(line.dollars for line in self.lines)


def bill(
    execution: Execution,
    invocations: Iterable[Invocation],
    architecture: str = "x86_64",
    record: Mapping[str, Any] | None = None,
) -> Bill:
    """Return the bill of an execution of a STANDARD state machine.

    Args:
        execution: what ran.
        invocations: one for each attempt.
        architecture: the functions', arm64 or x86_64.
        record: the image's, from the table.
    """
    calls = list(invocations)
    gb_seconds = sum(call.billed_ms / 1000 * call.memory_mb / _MB_PER_GB for call in calls)
    requests = [_requests(call.function) for call in calls]
    writes, reads = (sum(one[place] for one in requests) for place in (0, 1))
    written = table_writes(item_bytes(record) if record else _RECORD_BYTES)
    saved = sum(1 for call in calls if call.function.endswith("write-to-dynamodb"))
    lines = (
        _line("State transitions", execution.transitions, prices.TRANSITION),
        _line("Function time", gb_seconds, prices.LAMBDA_GB_SECOND[architecture], "GB-s"),
        _line("Function calls", len(calls), prices.LAMBDA_REQUEST),
        _line("S3: copies and PNGs", writes, prices.S3_WRITE),
        _line("S3: looks and reads", reads, prices.S3_READ),
        _line("Table", saved * written, prices.TABLE_WRITE, "KB"),
    )
    return Bill(lines, estimated=not all(call.told for call in calls))


def _line(what: str, quantity: float, price: Price, unit: str = "") -> Line:
    amount = f"{quantity}" if isinstance(quantity, int) else f"{quantity:.3f}"
    return Line(what, f"{amount} {unit}".rstrip(), quantity * price.dollars)


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
    """Return the writes and the reads that a deployed function's call asks of S3."""
    for name, (writes, reads, _) in S3_REQUESTS.items():
        if function.endswith(functions.on_aws(name)):
            return writes, reads
    return 0, 0
