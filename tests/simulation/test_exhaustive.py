"""Every interleaving at small scope: the real handlers and the real state machine, call by call."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.simulation.explore import Report, explore
from tests.simulation.machine import Machine, definition
from tests.simulation.replay import Handlers
from tests.simulation.scenarios import SCENARIOS, TWICE_THE_SAME, TWO_UPLOADS, Scenario
from tests.simulation.storage import Storage
from tests.simulation.system import System

# States after which a test ends; `make soak` sees them all.
DUPLICATES_LIMIT = 5_500
FAULT_LIMIT = 1_500
MAIN_LIMIT = 15_000

SEED = 20_260_102


def _named(scenario: Scenario) -> str:
    return scenario.name


def _judge(report: Report, name: str, say: Callable[[str], None]) -> None:
    say(f"{name}: {report}")
    assert not report.broken, "\n".join(report.broken)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=_named)
def test_duplicate_notifications_at_any_time(
    system: System, scenario: Scenario, soaking: bool, say: Callable[[str], None]
) -> None:
    start = scenario.start(faults=0, deliveries=2)
    report = explore(system, start, 0 if soaking else DUPLICATES_LIMIT, SEED)
    _judge(report, f"{scenario.name}, twice notified", say)


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=_named)
def test_one_fault_at_any_call(
    system: System, scenario: Scenario, soaking: bool, say: Callable[[str], None]
) -> None:
    limit = MAIN_LIMIT if scenario is TWO_UPLOADS else FAULT_LIMIT
    start = scenario.start(faults=1, deliveries=2 if soaking else 1)
    report = explore(system, start, 0 if soaking else limit, SEED)
    _judge(report, f"{scenario.name}, one fault", say)


def test_equal_bytes_are_told_apart_by_the_etags_of_kms(system: System) -> None:
    """What is not promised with MD5 ETags: between look and delete, the same bytes come again."""
    scenario = replace(TWICE_THE_SAME, storage=Storage(etags_are_md5=True))
    report = explore(system, scenario.start(faults=0, deliveries=1))
    assert "is hidden before its turn" in report.broken[0]
    between, delete = report.broken[-2:]
    assert between == "person: uploads a.jpg"
    assert "delete_file delete_object" in delete


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
    with handlers.installed():
        system = System(handlers, Machine(handlers, definition()))
        start = TWO_UPLOADS.start(faults=0, deliveries=2)
        return explore(system, start, 2 * DUPLICATES_LIMIT, SEED).broken
