"""EXPRESS executions: each delivery of a notification starts one more, and all of them may run.

Nothing is lost, and nothing is doubled: each key has one object of each version. Events that say
that an image is converted may repeat. They never contradict each other, nor what is stored.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from operator import attrgetter
from typing import Any, ClassVar

import pytest

from image_converter import destination
from tests.durability import invariants
from tests.durability.simulation import test_random
from tests.durability.simulation.explore import SEED, KeepsPromise, explore
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.scenarios import DAMAGED, RED, TWO_UPLOADS, Scenario
from tests.durability.simulation.simulated import pipeline, written_twice
from tests.durability.simulation.storage import DESTINATION, Storage
from tests.durability.simulation.system import Plan, State, System, observed, unfinished

LIMIT = 4_000
EXAMPLES = 40

ONE_UPLOAD = Scenario("one upload", (Plan("a.jpg", RED),))
A_DAMAGED_ONE = Scenario("a damaged image", (Plan("a.jpg", DAMAGED),))
SCENARIOS = (ONE_UPLOAD, TWO_UPLOADS, A_DAMAGED_ONE)
SETTINGS = {"EVENT_BUS": "default", "EVENT_SOURCE": "image-converter"}


@pytest.fixture(scope="module")
def sending() -> Iterator[System]:
    """A pipeline that sends an event for each image that it has converted."""
    with pipeline(Handlers(settings=SETTINGS)) as system:
        yield system


def doubled(state: State) -> list[str]:
    """Return a sentence for each destination key that has two objects of one source version."""

    def version(metadata: dict[str, str]) -> tuple[str, str] | None:
        if "source-version" not in metadata:
            return None
        return metadata["source-key-hash"], metadata["source-version"]

    return written_twice(state, version)


def contradicting(state: State) -> list[str]:
    """Return a sentence for each event that says what is not so, or not what another one says."""
    faults = []
    placed: dict[tuple[str, str, str], dict[str, Any]] = {}
    for event in sorted(state.storage.event_contents):
        detail = json.loads(event)
        for image in (detail["original"], *detail["outputs"]):
            history = state.storage.history(DESTINATION, image["key"])
            if image["versionId"] not in {version.name for version in history}:
                faults.append(f"an event names version {image['versionId']} of '{image['key']}'")
            place = (detail["object"]["key"], image["sourceVersionId"], image["key"])
            if placed.setdefault(place, image) != image:
                faults.append(f"events disagree about '{image['key']}'")
    return faults


def judge(state: State) -> list[str]:
    """Return each way in which the promise is broken, duplicates among them."""
    promised = invariants.violations(observed(state))
    return [*promised, *unfinished(state), *doubled(state), *contradicting(state)]


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=attrgetter("name"))
@pytest.mark.parametrize("faults", [0, 1])
def test_two_executions_of_each_version(
    sending: System, scenario: Scenario, faults: int, keeps_promise: KeepsPromise
) -> None:
    start = replace(scenario, storage=Storage(express=True)).start(faults=faults, deliveries=2)
    name = f"EXPRESS, {scenario.name}, twice notified, {faults} faults"
    assert keeps_promise(name, sending, start, LIMIT, judge).ends


@pytest.mark.parametrize(
    ("without", "broken"),
    [("_unchanged", "was written twice from"), ("already_written", "events disagree")],
)
def test_what_keeps_duplicates_apart(
    without: str, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destination, without, lambda *_: {})
    with pipeline(Handlers(settings=SETTINGS)) as system:
        start = replace(ONE_UPLOAD, storage=Storage(express=True)).start(faults=0, deliveries=2)
        report = explore(system, start, LIMIT, SEED, judge)
    assert any(broken in sentence for sentence in report.broken), report.broken


class _Express(test_random.Pipeline):
    """The random histories, of an EXPRESS state machine."""

    system: ClassVar[System]
    finished: ClassVar[list[State]] = []

    def __init__(self) -> None:
        super().__init__()
        self.state = self.state._replace(storage=self.state.storage._replace(express=True))

    def teardown(self) -> None:
        super().teardown()
        assert doubled(self.state) + contradicting(self.state) == []


@pytest.mark.timeout(14_400)
def test_whatever_happens_nothing_is_lost_or_doubled(
    sending: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(test_random, "violations", test_random.promise_alone)
    test_random.run_histories(_Express, sending, SEED, EXAMPLES)
