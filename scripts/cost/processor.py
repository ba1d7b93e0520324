"""How long a function runs on Lambda, from what it has to compute and to wait for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: the memory with which a
# function has a whole processor; below it has the same share of one.
WHOLE_PROCESSOR_MB: Final = 1769
MB_PER_GB: Final = 1024

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
    return memory_mb / MB_PER_GB * milliseconds / 1000
