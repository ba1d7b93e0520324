"""How long a queue of images takes to drain."""

from __future__ import annotations

from typing import Final

from scripts.cost import pipeline
from scripts.cost.model import S3_MS
from scripts.cost.observation import Observation
from scripts.cost.pipeline import Settings

# Starts of executions and, of STANDARD ones, transitions between states that Step Functions allows
# in a second; the first number in the regions that AWS names.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_LARGE_REGIONS: Final = ("us-east-1", "us-west-2", "eu-west-1")
_STARTS: Final = {"STANDARD": (300, 150), "EXPRESS": (6000, 6000)}
_TRANSITIONS: Final = (5000, 800)


def images_per_second(
    seen: Observation, settings: Settings, region: str, triggers: int, functions: int
) -> dict[str, float]:
    """Return how many images a second each limit allows; the lowest counts.

    Args:
        seen: what an execution used.
        settings: of the deployment.
        region: where it is.
        triggers: how many calls of `trigger` the queue makes at a time.
        functions: how many functions may run at a time.
    """
    takes = {call.function: pipeline.milliseconds(call, seen, settings) for call in seen.calls}
    takes["trigger"] += S3_MS  # a backfill's messages do not name the version
    small = region not in _LARGE_REGIONS
    limits = {
        "trigger_maximum_concurrency": triggers * 1000 / takes["trigger"],
        "concurrent functions": functions * 1000 / sum(takes.values()),
        "StartExecution's quota": float(_STARTS[settings.workflow_type][small]),
    }
    if settings.workflow_type == "STANDARD":
        limits["the quota of state transitions"] = _TRANSITIONS[small] / seen.transitions
    return limits
