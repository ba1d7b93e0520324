"""Seconds in which old code runs with new libraries are outlasted by retries.

Terraform's provider changes a function's layer first and its code after that, by two requests.
"""

from itertools import islice
from typing import Any

import pytest

from tests.support.asl import rendering

# Two requests, the wait for Lambda between them, and the upload of 200 KB.
SECONDS = 10


def _tasks(states: dict[str, Any]) -> dict[str, dict[str, Any]]:
    found = {name: state for name, state in states.items() if state["Type"] == "Task"}
    for state in states.values():
        for branch in state.get("Branches", []):
            found |= _tasks(branch["States"])
    return found


TASKS = _tasks(rendering.machine()["States"])


@pytest.mark.parametrize("task", TASKS)
def test_code_that_misses_something_is_called_again_after_the_change(task: str) -> None:
    """Lambda calls it Runtime.ImportModuleError, or AttributeError: both are States.TaskFailed."""
    rule = next(rule for rule in TASKS[task]["Retry"] if "States.TaskFailed" in rule["ErrorEquals"])
    waits = (rule["IntervalSeconds"] * rule["BackoffRate"] ** n for n in range(99))
    assert sum(islice(waits, rule["MaxAttempts"])) >= SECONDS
