"""Random histories: uploads, overwrites, backfills, duplicates, reorderings, faults, recovery.

A failure that this finds becomes a scenario of its own in `scenarios.py`, with a name.
"""

import os
import random
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.durability import invariants
from tests.durability.simulation import scenarios
from tests.durability.simulation.explore import SEED
from tests.durability.simulation.replay import REPROCESS
from tests.durability.simulation.storage import Storage
from tests.durability.simulation.system import (
    Plan,
    State,
    System,
    event_of,
    hidden_early,
    observed,
    unfinished,
    violations,
)

EXAMPLES = 300
SOAK_EXAMPLES = 20_000

# Two of them share a PNG key, and one is another's PNG.
KEYS = st.sampled_from(["a.jpg", "a.jpeg", "a.png", "b c/ü.jpg"])
BODIES = {
    "red": scenarios.RED,
    "blue": scenarios.BLUE,
    "damaged": scenarios.DAMAGED,
    "text": scenarios.TEXT,
    "unknown": scenarios.UNKNOWN,
}
NAMES = st.sampled_from(sorted(BODIES))
# A retry rule has two attempts: more faults than these may end an execution.
HARMLESS_FAULTS = 2
DELIVERIES = 10


def promise_alone(state: State) -> list[str]:
    return invariants.violations(observed(state))


class Pipeline(RuleBasedStateMachine):
    """The whole pipeline, in which anything may happen next."""

    system: ClassVar[System]
    finished: ClassVar[list[State]]

    def __init__(self) -> None:
        super().__init__()
        self.state = State(storage=Storage(seconds_pass=True), deliveries=DELIVERIES)
        self.faults = 0
        self.out = False

    @initialize(key=KEYS, body=NAMES)
    def first(self, key: str, body: str) -> None:
        self._do(Plan(key, BODIES[body]))

    @rule(key=KEYS, body=NAMES)
    def upload(self, key: str, body: str) -> None:
        self._do(Plan(key, BODIES[body]))

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        if self.state.storage.current("source-bucket", key):
            self._do(Plan(key))

    @rule(key=KEYS)
    def start_by_hand(self, key: str) -> None:
        self._do(Plan(event=event_of(key)))

    @rule(key=KEYS, how=st.sampled_from(["listed", "version"]))
    def backfill(self, key: str, how: str) -> None:
        self._do(Plan(key, backfill=how))

    @rule(count=st.integers(1, 3))
    def reprocess(self, count: int) -> None:
        self._come_to_rest()
        for name, _ in self.state.storage.items[:count]:
            self._do(Plan(name, backfill=REPROCESS))

    @rule(key=KEYS, body=NAMES)
    def backfill_what_was_there_before(self, key: str, body: str) -> None:
        self._do(Plan(key, BODIES[body], unnoticed=True))
        self._do(Plan(key, backfill="version"))

    @rule(choice=st.integers(0, 1_000_000), count=st.integers(1, 8))
    def go_on(self, choice: int, count: int) -> None:
        for turn in range(count):
            steps = self.system.steps(self.state)
            if steps:
                self.state = steps[(choice + turn * 7919) % len(steps)].after()

    @precondition(lambda self: not self.out)
    @rule(choice=st.integers(0, 1_000_000))
    def fail(self, choice: int) -> None:
        steps = self.system.steps(self.state._replace(faults=1))
        faults = [step for step in steps if not step.needed and step.is_fault]
        if faults and self.faults < HARMLESS_FAULTS:
            self.state = faults[choice % len(faults)].after()._replace(faults=0)
            self.faults += 1
            self.out = bool(self.state.outage)

    @precondition(lambda self: bool(self.state.outage))
    @rule()
    def recover(self) -> None:
        self.state = self.state._replace(outage="")

    @rule()
    def redrive(self) -> None:
        self.state = self.system.redriven(self.state)

    @invariant()
    def nothing_is_hidden_before_its_turn(self) -> None:
        assert hidden_early(self.state) == []

    def teardown(self) -> None:
        self._come_to_rest()
        judge = promise_alone if self.out else violations
        assert judge(self.state) == []
        self.state = self.system.redriven(self.state._replace(outage=""))
        self._come_to_rest()
        assert promise_alone(self.state) + unfinished(self.state) == []
        self.finished.append(self.state)

    def _come_to_rest(self) -> None:
        while needed := [step for step in self.system.steps(self.state) if step.needed]:
            self.state = needed[0].after()

    def _do(self, plan: Plan) -> None:
        self.state = self.system.person(self.state._replace(plans=(plan,)))


def run_histories(
    pipeline: type[Pipeline], system: System, seed_number: int, examples: int
) -> None:
    """Run random histories of a pipeline, and fail if the promise is broken in any of them."""
    pipeline.system, pipeline.finished = system, []
    machine: Any = seed(seed_number)(pipeline)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=40,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert len(pipeline.finished) >= examples


@pytest.mark.timeout(14_400)
def test_nothing_is_lost_whatever_happens(
    system: System, soaking: bool, say: Callable[[str], None]
) -> None:
    fresh = random.getrandbits(32) if soaking else SEED
    seed_number = int(os.environ.get("SEED") or fresh)
    examples = int(os.environ.get("EXAMPLES") or (SOAK_EXAMPLES if soaking else EXAMPLES))
    try:
        run_histories(Pipeline, system, seed_number, examples)
    finally:
        say(_summary(Pipeline.finished, seed_number))


def _summary(finished: list[State], seed_number: int) -> str:
    uploads = sum(len(state.uploads) for state in finished)
    executions = sum(len(state.executions) for state in finished)
    backfills = sum(message.listed for state in finished for message in state.notifications)
    reprocesses = sum(
        REPROCESS in message.event for state in finished for message in state.executions
    )
    return (
        f"random histories: {len(finished):,} examples with {uploads:,} uploads, {backfills:,} "
        f"messages of backfills and {executions:,} executions, {reprocesses:,} of them "
        f"reprocesses, SEED={seed_number}"
    )
