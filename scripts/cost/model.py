"""The model of what an image costs: lines of a bill, and how long a function runs on Lambda."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from scripts.cost import prices
from scripts.cost.prices import Price

MILLION: Final = 1_000_000
GB: Final = 1e9

Architecture = Literal["arm64", "x86_64"]

# Requests to S3 that each function makes for an image that goes straight through: writes (PUT,
# COPY), reads (GET, HEAD), and those that cost nothing (DELETE). A test counts them.
S3_REQUESTS: Final[Mapping[str, tuple[int, int, int]]] = {
    "get_file_type": (0, 1, 0),
    "copy_file": (1, 1, 0),
    "resize_image": (1, 1, 0),
    "delete_file": (0, 1, 1),
}
# DynamoDB charges a write by each of these that it begins.
_TABLE_UNIT_BYTES: Final = 1024

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: the memory with which a
# function has a whole processor; below it has the same share of one.
WHOLE_PROCESSOR_MB: Final = 1769

# What a service takes to answer, in ms. S3 is measured at a client in the region; AWS promises 100
# to 200 for the first byte, which would lengthen both designs alike. DynamoDB's is AWS's "single
# digit". https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
S3_MS: Final = 50
DYNAMODB_MS: Final = 10
STATES_MS: Final = 50

# How many calls start a new environment ("under 1%") and what they wait for it; billed since August
# 2025. https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/
COLD_SHARE: Final = 0.01
COLD_MS: Final = 300


@dataclass(frozen=True)
class Line:
    """A line of a bill.

    Attributes:
        what: what is paid for.
        quantity: units that one image uses.
        price: of a unit.
        setting: which of Terraform's variables moves it; empty where none does.
        unit: the unit in short, where the quantity does not speak for itself.
    """

    what: str
    quantity: float
    price: Price
    setting: str = ""
    unit: str = ""

    @property
    def dollars(self) -> float:
        """What it comes to for one image."""
        return self.quantity * self.price.dollars

    @property
    def per_million(self) -> float:
        """What it comes to for a million images."""
        return self.dollars * MILLION


@dataclass(frozen=True)
class Bill:
    """What images cost.

    Attributes:
        name: of the design.
        converting: from the notification of an image in the source bucket to its deletion there.
        upload: what is added for images that come by POST /upload.
        storage: what is added for each month that everything is kept.
    """

    name: str
    converting: tuple[Line, ...]
    upload: tuple[Line, ...] = ()
    storage: tuple[Line, ...] = ()

    @property
    def total(self) -> float:
        """The dollars of converting one image."""
        return sum(line.dollars for line in self.converting)

    @property
    def per_million(self) -> float:
        """The dollars of converting a million images."""
        return per_million(self.converting)

    @property
    def largest(self) -> Line:
        """The line of converting that costs most."""
        return max(self.converting, key=lambda line: line.dollars)


def per_million(lines: Iterable[Line]) -> float:
    """Return the dollars of lines, for a million images."""
    return sum(line.per_million for line in lines)


def transitions(count: int) -> Line:
    """Return the line of state transitions."""
    return Line("State transitions", count, prices.TRANSITION, "workflow_type")


def usage(
    seconds: float, architecture: str, calls: int, s3: tuple[int, int], table_units: int
) -> tuple[Line, ...]:
    """Return the lines that every design has: functions, S3 and the table.

    Args:
        seconds: GB-seconds of the functions.
        architecture: the functions', arm64 or x86_64.
        calls: of functions.
        s3: writes and reads.
        table_units: what the record's writing is charged as.
    """
    writes, reads = s3
    settings = "functions.*.memory_mb, make package ARCHITECTURE"
    return (
        Line("Function time", seconds, prices.LAMBDA_GB_SECOND[architecture], settings, "GB-s"),
        Line("Function calls", calls, prices.LAMBDA_REQUEST),
        Line("S3: copies and PNGs", writes, prices.S3_WRITE),
        Line("S3: GET and HEAD requests", reads, prices.S3_READ),
        Line("Table", table_units, prices.TABLE_WRITE, unit="KB"),
    )


def upload(
    api: Line, seconds: float, architecture: str, log_bytes: int, log_setting: str = ""
) -> tuple[Line, ...]:
    """Return the lines of an image that comes through the API: a call, an object, a log."""
    return (
        api,
        Line("Function time", seconds, prices.LAMBDA_GB_SECOND[architecture]),
        Line("Function call", 1, prices.LAMBDA_REQUEST),
        Line("S3: the upload", 1, prices.S3_WRITE),
        Line("Logs", log_bytes / GB, prices.LOG_GB, log_setting),
    )


@dataclass(frozen=True)
class Work:
    """What a call of a function does.

    Attributes:
        processor_ms: of a whole processor.
        waiting_ms: for services.
    """

    processor_ms: float
    waiting_ms: float

    def duration_ms(self, memory_mb: int) -> float:
        """Return how long it takes with that memory, a hundredth of a cold start included."""
        share = min(1.0, memory_mb / WHOLE_PROCESSOR_MB)
        return self.processor_ms / share + self.waiting_ms + COLD_SHARE * COLD_MS


def gb_seconds(memory_mb: int, milliseconds: float) -> float:
    """Return what Lambda charges for."""
    return memory_mb / 1024 * milliseconds / 1000


def table_writes(record_bytes: int) -> int:
    """Return how many units of writing a record of that size is charged as."""
    return math.ceil(record_bytes / _TABLE_UNIT_BYTES)


def item_bytes(value: Any) -> int:
    """Return the size of an item, or of a value in one, as DynamoDB counts it.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    match value:
        case bool() | None:
            return 1
        case str():
            return len(value.encode())
        case int() | float():
            return len(str(value)) // 2 + 1
        case list():
            return 3 + sum(1 + item_bytes(element) for element in value)
        case dict():
            return 3 + sum(1 + len(name.encode()) + item_bytes(v) for name, v in value.items())
    raise TypeError(f"{value!r} is not a JSON value")
