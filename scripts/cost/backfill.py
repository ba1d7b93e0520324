"""What a backfill adds to the bill of an image: until its execution starts."""

from __future__ import annotations

import math
from typing import Final

from scripts.cost import pipeline, prices
from scripts.cost.model import DYNAMODB_MS, S3_MS, Bill, Line, gb_seconds
from scripts.cost.observation import Observation
from scripts.cost.pipeline import Settings

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
_PAGE: Final = 1000
# From its start to S3's message in the queue; a child is billed by 100 ms, and by 64 MB.
CHILD_SECONDS: Final = 0.2
CHILD_MB: Final = 64
# What a DynamoDB read unit buys, read consistently.
_READ_UNIT_BYTES: Final = 4096


def sending() -> tuple[Line, ...]:
    """Return the lines of an object that the state machine looks at, whether or not it is sent.

    AWS charges a state transition for each child of a Distributed Map:
    https://docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html
    """
    return (
        Line("Listing", 1 / _PAGE, prices.S3_LIST),
        Line("State transitions: children", 1, prices.TRANSITION),
        Line("EXPRESS children", 1, prices.EXPRESS_REQUEST),
        Line("EXPRESS children's time", CHILD_MB / 1024 * CHILD_SECONDS, prices.EXPRESS_GB_SECOND),
    )


def looking(seen: Observation, settings: Settings) -> tuple[Line, ...]:
    """Return the lines of the trigger's look at an object that was sent, and at its record."""
    [trigger] = [call for call in seen.calls if call.function == "trigger"]
    memory = settings.memory_mb.get(trigger.function, trigger.memory_mb)
    return (
        Line("The trigger's HEAD request", 1, prices.S3_READ),
        Line(
            "Table: the record", math.ceil(seen.record_bytes / _READ_UNIT_BYTES), prices.TABLE_READ
        ),
        Line(
            "The trigger's time",
            gb_seconds(memory, S3_MS + DYNAMODB_MS),
            prices.LAMBDA_GB_SECOND[settings.architecture],
        ),
    )


def bill(seen: Observation, settings: Settings, name: str) -> Bill:
    """Return the bill of images that a backfill sends, with all that comes before the usual."""
    usual = pipeline.bill(seen, settings, name)
    added = (*sending(), *looking(seen, settings))
    return Bill(name, (*added, *usual.converting), storage=usual.storage)
