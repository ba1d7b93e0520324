"""Fixtures of the simulations: the real handlers, and how much is to be run."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.durability.simulation.explore import SEED, Judge, KeepsPromise, Report, explore
from tests.durability.simulation.machine import Machine, definition
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.system import State, System, violations


@pytest.fixture(scope="module")
def handlers() -> Iterator[Handlers]:
    # A reprocess makes the PNG again: without other settings there would be nothing to do.
    real = Handlers(settings_of_reprocesses={"PNG_COMPRESSION": "smallest"})
    with real.installed():
        yield real


@pytest.fixture(scope="module")
def system(handlers: Handlers) -> System:
    return System(handlers, Machine(handlers, definition()))


@pytest.fixture(scope="session")
def soaking() -> bool:
    """Whether all is to be run, however long it takes: `make soak`."""
    return os.environ.get("SOAK", "") == "1"


@pytest.fixture
def say(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Note a line that is printed at the end of every test run: how much was covered."""
    return lambda line: record_property("covered", line)


@pytest.fixture
def keeps_promise(say: Callable[[str], None], soaking: bool) -> KeepsPromise:
    """Explore, note what was covered, and fail if the promise is broken; see `KeepsPromise`."""

    def check(
        name: str, system: System, start: State, limit: int, judge: Judge = violations
    ) -> Report:
        report = explore(system, start, 0 if soaking else limit, SEED, judge)
        say(f"{name}: {report}")
        assert not report.broken, "\n".join(report.broken)
        return report

    return check
