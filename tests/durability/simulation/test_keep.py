"""Every interleaving again, of a stack that keeps everything: nothing lost, nothing done twice.

It has an existing source bucket, whose events come through the bus, and sends events itself.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter

import pytest

from image_converter.locations import converted_images
from tests.durability import invariants
from tests.durability.simulation.explore import KeepsPromise
from tests.durability.simulation.machine import Done
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.scenarios import SCENARIOS, Scenario
from tests.durability.simulation.simulated import pipeline, written_twice
from tests.durability.simulation.storage import SOURCE
from tests.durability.simulation.system import State, System, observed, violations

LIMIT = 2_500


@pytest.fixture(scope="module")
def keeping() -> Iterator[System]:
    """The pipeline with both on keep, an existing source bucket, and events."""
    with (
        pipeline(Handlers(), through_the_bus=True) as system,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("SOURCE_AFTER", "keep")
        patch.setenv("OTHER_TYPES", "keep")
        patch.setenv("EVENT_BUS", "default")
        patch.setenv("EVENT_SOURCE", "image-converter")
        yield system


def _broken(state: State) -> list[str]:
    kept = invariants.violations(replace(observed(state), kept=True))
    deleted = set(invariants.violations(observed(state)))
    further = [violation for violation in violations(state) if violation not in deleted]
    again = written_twice(state, lambda metadata: metadata.get("source-version", ""))
    return [*kept, *further, *_deleted(state), *again, *_unannounced(state)]


def _deleted(state: State) -> list[str]:
    """Return a sentence for each delete marker that no person has put."""
    withdrawn = {entry.key for entry in state.uploads if entry.withdrawn}
    return [
        f"'{key}' was deleted in the source bucket"
        for (bucket, key), history in state.storage.objects
        if bucket == SOURCE
        and key not in withdrawn
        and any(entry.body is None for entry in history)
    ]


def _unannounced(state: State) -> list[str]:
    """Return a sentence for each image that was converted and of which no event says so."""
    announced = {version for _, version in state.storage.events}
    sentences = []
    for execution in state.executions:
        if not isinstance(execution.frame, Done):
            continue
        state_at_its_end = {
            **json.loads(execution.event),
            "results": json.loads(execution.frame.output),
        }
        images = converted_images(state_at_its_end)
        if images and images[0]["sourceVersionId"] not in announced:
            sentences.append(f"no event says that '{images[0]['key']}' is converted")
    return sentences


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("faults", [0, 1])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=attrgetter("name"))
def test_nothing_is_lost_and_nothing_done_twice(
    keeping: System, scenario: Scenario, faults: int, keeps_promise: KeepsPromise
) -> None:
    start = scenario.start(faults=faults, deliveries=2)
    keeps_promise(f"{scenario.name}, kept, {faults} faults", keeping, start, LIMIT, _broken)
