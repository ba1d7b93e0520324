"""The recordings that the other tests read are what the state machine still does."""

import os
from typing import Any

import pytest

from scripts.lib.executions import history
from scripts.lib.executions.model import Outcome
from tests.support.fake_cloud import Cloud
from tests.support.recordings import record

SCENARIOS = record.scenarios()


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_run_now_goes_the_way_of_the_recorded_one(cloud: Cloud, name: str) -> None:
    recorded = record.run(cloud, SCENARIOS[name])
    if os.environ.get("RECORD"):
        record.save("aws", name, recorded)

    expected = _states(record.load("aws", name))
    seen = _states(recorded)
    for state in [name for name, (outcome, _) in expected.items() if outcome is Outcome.STOPPED]:
        # How far the other lane came before one failed is a matter of milliseconds.
        assert seen.pop(state)[0] in (Outcome.NOT_ENTERED, Outcome.STOPPED, Outcome.SUCCEEDED)
        del expected[state]
    assert seen == expected


def _states(recorded: dict[str, Any]) -> dict[str, tuple[Outcome, int]]:
    run = history.read("arn", recorded["events"], recorded["definition"])
    return {name: (state.outcome, len(state.attempts)) for name, state in run.states.items()}
