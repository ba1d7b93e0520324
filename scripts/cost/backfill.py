"""What a backfill adds to the bill of an image, until its execution starts; how long it takes."""

import dataclasses
import math
from typing import Final

from scripts.cost import pipeline
from scripts.cost.model import BACKFILL, DYNAMODB_MS, S3_MS, Bill, Line, gb_seconds, lines
from scripts.cost.observation import Observation
from scripts.cost.pipeline import Settings

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
_PAGE: Final = 1000
# Objects that a child takes, and sends in one request: MaxItemsPerBatch in asl/backfill.asl.json.
BATCH: Final = 10
# From its start to its messages in the queue; a child is billed by 100 ms, and by 64 MB.
CHILD_SECONDS: Final = 0.2
CHILD_MB: Final = 64
# What a DynamoDB read unit buys, read consistently.
_READ_UNIT_BYTES: Final = 4096
# Starts of executions and, of STANDARD ones, transitions between states that Step Functions allows
# in a second: in the regions that AWS names, and elsewhere.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_LARGE_REGIONS: Final = ("us-east-1", "us-west-2", "eu-west-1")
_STARTS: Final = {"STANDARD": (300, 150), "EXPRESS": (6000, 6000)}
_TRANSITIONS: Final = (5000, 800)

# Of an object that the state machine finds, whether or not it is sent. Batches are full, and AWS
# charges a state transition for each child of a Distributed Map:
# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html
FINDING: Final = lines(
    BACKFILL,
    {
        "Listing": 1 / _PAGE,
        "State transitions: children": 1 / BATCH,
        "EXPRESS children": 1 / BATCH,
        "EXPRESS children's time": CHILD_MB / 1024 * CHILD_SECONDS / BATCH,
    },
)


def checking(seen: Observation, settings: Settings) -> tuple[Line, ...]:
    """Return the lines of the trigger's check of an object that was sent, and of its record."""
    [trigger] = [call for call in seen.calls if call.function == "trigger"]
    quantities = {
        "The trigger's HEAD request": 1,
        "Table: the record": math.ceil(seen.record_bytes / _READ_UNIT_BYTES),
        "The trigger's time": gb_seconds(settings.memory(trigger), S3_MS + DYNAMODB_MS),
    }
    return lines(BACKFILL, quantities, settings.architecture)


def bill(seen: Observation, settings: Settings) -> Bill:
    """Return the bill of images that a backfill sends, with all that comes before the usual.

    A request to the queue brings ten messages; of S3's, each brings one.
    """
    usual = pipeline.bill(seen, settings)
    converting = (
        dataclasses.replace(line, quantity=line.quantity - 1 + 1 / BATCH)
        if line.what == "Queue"
        else line
        for line in usual.converting
    )
    return Bill(usual.name, (*FINDING, *checking(seen, settings), *converting))


def dollars(
    seen: Observation, settings: Settings, *, converted: int, checked: int, dropped: int
) -> float:
    """Return what a run costs: objects that are converted, that are done already, and others."""
    finding = sum(line.dollars for line in FINDING)
    check = finding + sum(line.dollars for line in checking(seen, settings))
    return converted * bill(seen, settings).total + checked * check + dropped * finding


def images_per_second(
    seen: Observation,
    settings: Settings,
    region: str,
    *,
    triggers: int,
    functions: int,
    children: int,
) -> dict[str, float]:
    """Return how many images a second each limit allows; the lowest counts.

    Parameters:
        seen: what an execution used.
        settings: of the deployment.
        region: where it is.
        triggers: how many calls of `trigger` the queue makes at a time.
        functions: how many functions may run at a time.
        children: how many children of the Map may run at a time.
    """
    takes = {call.function: pipeline.milliseconds(call, seen, settings) for call in seen.calls}
    takes["trigger"] += S3_MS + DYNAMODB_MS
    small = region not in _LARGE_REGIONS
    limits = {
        "trigger_maximum_concurrency": triggers * 1000 / takes["trigger"],
        "concurrent functions": functions * 1000 / sum(takes.values()),
        "backfill.max_concurrency": children * BATCH / CHILD_SECONDS,
        "the quota of StartExecution": float(_STARTS[settings.workflow_type][small]),
    }
    if settings.workflow_type == "STANDARD":
        limits["the quota of state transitions"] = _TRANSITIONS[small] / seen.transitions
    return limits
