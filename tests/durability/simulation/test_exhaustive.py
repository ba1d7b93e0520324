"""Every interleaving at small scope: the real handlers and the real state machine, call by call."""

from dataclasses import replace
from operator import attrgetter

import pytest

from tests.durability.simulation.explore import SEED, KeepsPromise, explore
from tests.durability.simulation.machine import Machine, definition
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.scenarios import (
    SCENARIOS,
    SUSPENDED,
    TWICE_THE_SAME,
    TWO_UPLOADS,
    Scenario,
)
from tests.durability.simulation.simulated import pipeline
from tests.durability.simulation.storage import Storage
from tests.durability.simulation.system import State, System

# States after which a test ends, which most need not reach; `make soak` sees them all.
DUPLICATES_LIMIT = 5_500
FAULT_LIMIT = 4_000
MAIN_LIMIT = 60_000


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=attrgetter("name"))
def test_duplicate_notifications_at_any_time(
    system: System, scenario: Scenario, keeps_promise: KeepsPromise
) -> None:
    start = scenario.start(faults=0, deliveries=2)
    keeps_promise(f"{scenario.name}, twice notified", system, start, DUPLICATES_LIMIT)


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=attrgetter("name"))
def test_one_fault_at_any_call(
    system: System, scenario: Scenario, soaking: bool, keeps_promise: KeepsPromise
) -> None:
    limit = MAIN_LIMIT if scenario in (TWO_UPLOADS, SUSPENDED) else FAULT_LIMIT
    start = scenario.start(faults=1, deliveries=2 if soaking else 1)
    keeps_promise(f"{scenario.name}, one fault", system, start, limit)


def test_equal_bytes_are_distinguished_by_the_etags_of_kms(system: System) -> None:
    """What is not promised with MD5 ETags: between look and delete, the same bytes come again."""
    scenario = replace(TWICE_THE_SAME, storage=Storage(etags_are_md5=True))
    report = explore(system, scenario.start(faults=0, deliveries=1))
    assert "is hidden before its turn" in report.broken[0]
    *steps, delete = report.broken
    head_at = max(n for n, step in enumerate(steps) if "delete_file head_object" in step)
    assert "delete_file delete_object" in delete
    assert "person: uploads a.jpg" in steps[head_at:]


@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("two uploads of one key", 0),
        ("two images whose PNGs have one key", 0),
        ("a text, then an image", 1),
        ("an image, then a text", 1),
        ("an image that its uploader deletes", 1),
    ],
)
def test_what_is_pruned_leads_nowhere_else(
    system: System, handlers: Handlers, name: str, faults: int
) -> None:
    scenario = next(candidate for candidate in SCENARIOS if candidate.name == name)
    start = scenario.start(faults=faults, deliveries=2 - faults)
    unpruned = System(handlers, Machine(handlers, definition()), prune=False)
    ends = [_ends(which, start) for which in (system, unpruned)]
    assert ends[0] == ends[1]


def _ends(system: System, start: State) -> set[State]:
    """Return what can be seen of the states in which everything may end.

    That is without how often messages have come, and where invocations stand for which nobody
    waits.
    """
    states: set[State] = set()

    def note(state: State) -> list[str]:
        messages = tuple(message._replace(delivered=0) for message in state.notifications)
        states.add(state._replace(notifications=messages, faults=0, strays=()))
        return []

    explore(system, start, judge=note)
    return states


# What must not be left out of each call, and the call.
PARAMETERS = {
    "delete on the condition of the ETag": {"delete_object": ("IfMatch",)},
    "read the version that the record names": {"get_object": ("VersionId", "IfMatch")},
    "copy the version that was looked at": {"copy_object": ("VersionId", "CopySourceIfMatch")},
    "write the PNG on a condition": {"put_object": ("IfMatch", "IfNoneMatch")},
    "copy on a condition": {"copy_object": ("IfMatch", "IfNoneMatch")},
    "name the execution after the version": {"start_execution": ("name",)},
    "write the record on a condition": {"put_item": ("ConditionExpression",)},
}


@pytest.mark.parametrize("without", PARAMETERS.values(), ids=PARAMETERS)
def test_the_promise_breaks_without(without: dict[str, tuple[str, ...]]) -> None:
    assert _broken(Handlers(without))


def test_the_promise_breaks_without_the_order_in_the_destination_bucket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("image_converter.destination._may_replace", lambda *_: True)
    assert _broken(Handlers())


def _broken(handlers: Handlers) -> list[str]:
    with pipeline(handlers) as system:
        start = TWO_UPLOADS.start(faults=0, deliveries=2)
        return explore(system, start, 2 * DUPLICATES_LIMIT, SEED).broken
