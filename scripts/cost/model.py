"""The model of what an image costs: what is charged, and how long a function runs on Lambda."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from scripts.cost import prices
from scripts.cost.prices import Price

MILLION: Final = 1_000_000
GB: Final = 1e9


class Requests(NamedTuple):
    """How many requests a function makes to S3.

    Attributes:
        writes: PUT and COPY.
        reads: GET and HEAD.
        deletes: DELETE, which costs nothing.
    """

    writes: int = 0
    reads: int = 0
    deletes: int = 0


# By function, for an image that goes straight through. A test counts them.
S3_REQUESTS: Final[Mapping[str, Requests]] = {
    "get_file_type": Requests(reads=1),
    "copy_file": Requests(writes=1, reads=1),
    "resize_image": Requests(writes=1, reads=1),
    "delete_file": Requests(reads=1, deletes=1),
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


# What is charged for: the price of a unit, by architecture or class of log where it depends on one;
# which of Terraform's variables changes it; the unit in short, where the quantity does not speak
# for itself.
Charges = Mapping[str, tuple[Price | Mapping[str, Price], *tuple[str, ...]]]

# From the notification of an image in the source bucket to its deletion there.
CONVERTING: Final[Charges] = {
    "State transitions": (Price.TRANSITION, "workflow_type"),
    "EXPRESS executions": (Price.EXPRESS_REQUEST, "workflow_type"),
    "EXPRESS time": (Price.EXPRESS_GB_SECOND, "", "GB-s"),
    "Function time": (
        prices.LAMBDA_GB_SECOND,
        "functions.*.memory_mb, make package ARCHITECTURE",
        "GB-s",
    ),
    "Function calls": (Price.LAMBDA_REQUEST,),
    "S3: copies and PNGs": (Price.S3_WRITE,),
    "S3: GET and HEAD requests": (Price.S3_READ,),
    "Table": (Price.TABLE_WRITE, "", "KB"),
    "Queue": (Price.QUEUE_REQUEST,),
    "Logs of functions": (Price.LOG_GB, "log_level, system_log_level"),
    "Logs of executions": (
        prices.LOG_GB_BY_CLASS,
        "state_machine_log_level, state_machine_log_execution_data, state_machine_log_class",
    ),
    "Events": (Price.EVENT, "events"),
    "Events of S3": (Price.EVENT, "existing_source_bucket"),
    "Traces": (Price.TRACE, "tracing"),
}
# In addition for an image that comes by POST /upload.
UPLOAD: Final[Charges] = {
    "HTTP API": (Price.HTTP_API,),
    "REST API": (Price.REST_API,),
    "Function time": (prices.LAMBDA_GB_SECOND,),
    "Function call": (Price.LAMBDA_REQUEST,),
    "S3: the upload": (Price.S3_WRITE,),
    "Logs": (Price.LOG_GB, "log_level, system_log_level"),
}
# In addition for each month that everything is kept.
STORAGE: Final[Charges] = {
    "PNGs": (Price.S3_GB_MONTH, "png_compression"),
    "Originals": (Price.S3_GB_MONTH,),
    "Deleted originals, recoverable": (Price.S3_GB_MONTH, "noncurrent_version_expiration_days"),
    "Further renditions": (Price.S3_GB_MONTH, "renditions"),
}
# In addition for an image that a backfill sends, until its execution starts.
BACKFILL: Final[Charges] = {
    "Listing": (Price.S3_LIST,),
    "State transitions: children": (Price.TRANSITION,),
    "EXPRESS children": (Price.EXPRESS_REQUEST,),
    "EXPRESS children's time": (Price.EXPRESS_GB_SECOND,),
    "The trigger's HEAD request": (Price.S3_READ,),
    "Table: the record": (Price.TABLE_READ,),
    "The trigger's time": (prices.LAMBDA_GB_SECOND,),
}


@dataclass(frozen=True)
class Line:
    """A line of a bill: what is charged for, and how many units of it one image uses."""

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
        converting, upload, storage: what is charged of `CONVERTING`, `UPLOAD` and `STORAGE`.
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


def lines(
    charges: Charges,
    quantities: Mapping[str, float],
    architecture: str = "arm64",
    log_class: str = "STANDARD",
) -> tuple[Line, ...]:
    """Return the lines of a bill.

    Parameters:
        charges: the table of what is charged.
        quantities: units that one image uses, by the names in the table.
        architecture: the functions', arm64 or x86_64.
        log_class: of the state machine's log.
    """
    made = []
    for what, quantity in quantities.items():
        price, *words = charges[what]
        if not isinstance(price, Price):
            price = price.get(architecture) or price[log_class]
        made.append(Line(what, quantity, price, *words))
    return tuple(made)


def per_million(lines: Iterable[Line]) -> float:
    """Return the dollars of lines, for a million images."""
    return sum(line.per_million for line in lines)


def duration_ms(memory_mb: int, processor_ms: float, waiting_ms: float) -> float:
    """Return how long a call of a function takes, a hundredth of a cold start included.

    Parameters:
        memory_mb: of the function.
        processor_ms: of a whole processor.
        waiting_ms: for services.
    """
    share = min(1.0, memory_mb / WHOLE_PROCESSOR_MB)
    return processor_ms / share + waiting_ms + COLD_SHARE * COLD_MS


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
