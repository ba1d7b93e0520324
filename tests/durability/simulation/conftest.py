"""Fixtures of the simulations: the real handlers, and how much is to be run."""

import os
from collections.abc import Callable, Iterator

import pytest

from tests.durability.simulation.explore import Kept, Report
from tests.durability.simulation.machine import Machine, definition
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.system import System


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
def kept(say: Callable[[str], None]) -> Kept:
    """Note what an exploration of that name has covered; fail where it broke the promise."""

    def judge(name: str, report: Report) -> None:
        say(f"{name}: {report}")
        assert not report.broken, "\n".join(report.broken)

    return judge
