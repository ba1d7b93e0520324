"""What the functions use of other services for one image."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

# Requests to S3 that each function makes for an image that goes straight through: writes (PUT,
# COPY), reads (GET, HEAD), and those that cost nothing (DELETE). A test counts them.
S3_REQUESTS: Final[Mapping[str, tuple[int, int, int]]] = {
    "get_file_type": (0, 1, 0),
    "copy_file": (1, 2, 0),
    "resize_image": (1, 2, 0),
    "delete_file": (0, 1, 1),
}

# DynamoDB charges a write by each of these that it begins.
_TABLE_UNIT_BYTES: Final = 1024


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
    raise TypeError(f"{value!r} is no JSON value")
