"""How long states take, from the recorded histories."""

import pytest

from scripts.lib.executions import history
from scripts.lib.executions.run import InvocationLog, Run, StateTime, times_by_state
from tests.support.recordings import record


def run_of(name: str, **function_ms: int) -> Run:
    """Return a recorded execution of AWS's, with what Lambda reported about its functions."""
    recorded = record.load("aws", name)
    execution = history.read(recorded["executionArn"], recorded["events"], recorded["definition"])
    logs = {state: [InvocationLog("", measured_ms=ms)] for state, ms in function_ms.items()}
    return Run(execution, logs=logs)


def times_of(*runs: Run) -> dict[str, StateTime]:
    """Return the times by the states' names."""
    return {time.state: time for time in times_by_state(runs)}


def test_each_state_that_was_passed_has_its_time_in_the_definitions_order() -> None:
    run = run_of("succeeded")
    times = times_of(run)

    assert list(times) == [name for name, state in run.execution.states.items() if state.visits]
    [visit] = run.execution.states["ResizeImage"].visits
    assert visit.exited
    passed = (visit.exited - visit.entered).total_seconds() * 1000
    assert times["ResizeImage"].ms == pytest.approx(passed)
    branches = (times["CopyToDestination"].ms, times["ResizeImage"].ms)
    assert times["ProcessFile"].ms >= max(branches)


def test_of_several_executions_it_is_the_median() -> None:
    runs = [run_of("succeeded", ResizeImage=ms, CopyToDestination=0) for ms in (10, 20, 90)]
    times = times_of(*runs)

    assert times["ResizeImage"].function_ms == 20
    assert times["CheckFileType"].function_ms is None
    assert times["CopyToDestination"].function_ms is None  # nothing was reported


def test_a_state_that_was_not_left_has_no_time() -> None:
    assert "DeleteSourceFile" not in times_of(run_of("damaged"))
