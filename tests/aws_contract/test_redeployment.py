"""The seconds in which a function has a newer layer than its code are outlasted by retries.

Terraform's provider changes a function's layer first and its code after that, by two requests. In
between, the function refuses to work: tests/unit/test_layer.py.
"""

from itertools import islice
from typing import Any

import pytest

from tests.support.asl import rendering

# Two requests, the wait for Lambda between them, and the upload of 200 KB.
SECONDS = 10


def _tasks(states: dict[str, Any]) -> dict[str, dict[str, Any]]:
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
    for state in states.values():
        for branch in state.get("Branches", []):
            tasks |= _tasks(branch["States"])
    return tasks


TASKS = _tasks(rendering.machine()["States"])


@pytest.mark.parametrize("task", TASKS)
def test_a_function_that_is_being_updated_is_called_again_after_that(task: str) -> None:
    """LayerMismatch, or Runtime.ImportModuleError before that check: both are States.TaskFailed."""
    errors = {"LayerMismatch", "Runtime.ImportModuleError", "States.TaskFailed"}
    rule = next(rule for rule in TASKS[task]["Retry"] if errors & set(rule["ErrorEquals"]))
    waits = (rule["IntervalSeconds"] * rule["BackoffRate"] ** n for n in range(99))
    assert sum(islice(waits, rule["MaxAttempts"])) >= SECONDS
