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
from tests.durability.simulation import storage
from tests.durability.simulation.explore import Kept, explore
from tests.durability.simulation.machine import Done, Machine, definition
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.scenarios import SCENARIOS, Scenario
from tests.durability.simulation.storage import SOURCE
from tests.durability.simulation.system import State, System, observed, violations

LIMIT = 2_500
SEED = 20_260_102


@pytest.fixture(scope="module")
def keeping() -> Iterator[System]:
    """The pipeline with both on keep, an existing source bucket, and events."""
    handlers = Handlers()
    with handlers.installed(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOURCE_AFTER", "keep")
        patch.setenv("OTHER_TYPES", "keep")
        patch.setenv("EVENT_BUS", "default")
        patch.setenv("EVENT_SOURCE", "image-converter")
        yield System(handlers, Machine(handlers, definition()), through_the_bus=True)


def _broken(state: State) -> list[str]:
    kept = invariants.violations(replace(observed(state), kept=True))
    deleted = set(invariants.violations(observed(state)))
    beside = [one for one in violations(state) if one not in deleted]
    return [*kept, *beside, *_deleted(state), *_written_twice(state), *_unannounced(state)]


def _deleted(state: State) -> list[str]:
    """Return a sentence for each delete marker that no person has put."""
    withdrawn = {one.key for one in state.uploads if one.withdrawn}
    return [
        f"'{key}' was deleted in the source bucket"
        for (bucket, key), history in state.storage.objects
        if bucket == SOURCE and key not in withdrawn and any(one.body is None for one in history)
    ]


def _written_twice(state: State) -> list[str]:
    """Return a sentence for each destination key that one source version was written to twice."""
    found = []
    for (bucket, key), history in state.storage.objects:
        made_from = [dict(one.metadata).get("source-version") for one in history]
        if bucket == storage.DESTINATION and len(set(made_from)) < len(made_from):
            found.append(f"'{key}' was written again from the same source version")
    return found


def _unannounced(state: State) -> list[str]:
    """Return a sentence for each image that was converted and of which no event says so."""
    said = {version for _, version in state.storage.events}
    found = []
    for one in state.executions:
        if not isinstance(one.frame, Done):
            continue
        state_at_its_end = {**json.loads(one.event), "results": json.loads(one.frame.output)}
        images = converted_images(state_at_its_end)
        if images and images[0]["sourceVersionId"] not in said:
            found.append(f"no event says that '{images[0]['key']}' is converted")
    return found


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("faults", [0, 1])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=attrgetter("name"))
def test_nothing_is_lost_and_nothing_done_twice(
    keeping: System,
    scenario: Scenario,
    faults: int,
    kept: Kept,
    soaking: bool,
) -> None:
    start = scenario.start(faults=faults, deliveries=2)
    report = explore(keeping, start, 0 if soaking else LIMIT, SEED, judge=_broken)
    kept(f"{scenario.name}, kept, {faults} faults", report)
