"""What it would save to let Step Functions call S3 and DynamoDB itself, without a function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from scripts.cost import prices
from scripts.cost.bill import MILLION
from scripts.cost.observation import Observation
from scripts.cost.pipeline import Settings, milliseconds
from scripts.cost.processor import gb_seconds

# What each function does that a call from the state machine does not.
REASONS: Final[Mapping[str, str]] = {
    "trigger": "gives the execution a name by the object's version, so that a second notification "
    "starts no second one, and decodes the key; neither a pipe nor a rule of EventBridge does",
    "get_file_type": "looks at the first bytes, which the state machine's language cannot",
    "copy_file": "looks at what is there, compares sequencers, copies on that condition, and in "
    "parts above 5 GB; the look, the choice and the retry of the race would be states of their own",
    "resize_image": "converts",
    "write_to_dynamodb": "refuses to write down two versions as one image, and says of a newer "
    "record that it stays; PutItem itself could be called, with its condition",
    "delete_file": "looks whether it is still the version that was handled; the look and the "
    "choice would be states of their own",
}


def savings(seen: Observation, settings: Settings) -> Iterable[tuple[str, float]]:
    """Yield what each function costs for a million images: its time, its calls, its log."""
    for call in seen.calls:
        seconds = gb_seconds(call.memory_mb, milliseconds(call, seen, settings))
        one = (
            seconds * prices.LAMBDA_GB_SECOND[settings.architecture].dollars
            + prices.LAMBDA_REQUEST.dollars
            + call.log_bytes / 1e9 * prices.LOG_GB.dollars
        )
        yield call.function, one * MILLION
