"""One definition, two interpreters: outcome, output, error, order and number of attempts.

The expected outcomes are written out here, from the States Language; both interpreters have to
reach them, or differences.py lists the difference.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from moto.stepfunctions.parser.asl.component.state.exec.state_parallel.branch_worker import (
    BranchWorker,
)
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped

from scripts.lib import wait
from scripts.lib.functions import TASKS
from tests.aws_contract import differences, interpreters, scripted
from tests.aws_contract.interpreters import Outcome
from tests.support import workflow
from tests.support.emulator import Emulator

ALL_STATES = (
    "GetFileType",
    "CheckFileType",
    "ProcessFile",
    "CopyToDestination",
    "ResizeImage",
    "WriteToDynamoDb",
    "DeleteSourceFile",
)
# Which states stand before a function's own, and the Fail state that its failure leads to.
STATES_UNTIL: dict[str, tuple[str, ...]] = {
    "get_file_type": ("GetFileType", "QuitMain"),
    "copy_file": (*ALL_STATES[:4], "QuitCopy", "ResizeImage"),
    "resize_image": (*ALL_STATES[:4], "QuitResize", "ResizeImage"),
    "write_to_dynamodb": (*ALL_STATES[:6], "QuitMain"),
    "delete_file": (*ALL_STATES, "QuitMain"),
}
CALLED_UNTIL: dict[str, tuple[str, ...]] = {
    "get_file_type": (),
    "copy_file": ("get_file_type", "resize_image"),
    "resize_image": ("copy_file", "get_file_type"),
    "write_to_dynamodb": ("copy_file", "get_file_type", "resize_image"),
    "delete_file": ("copy_file", "get_file_type", "resize_image", "write_to_dynamodb"),
}

NUMBERS: dict[str, float] = {"retry_max_attempts": 2, "transient_max_attempts": 3}
ATTEMPTS = 3  # the first one and two more
# A Task that times out waits that long on the emulator, where a function's process may have to
# start first; moto calls it in this process.
EMULATOR_TIMEOUT, MOTO_TIMEOUT = 4, 1


@dataclass(frozen=True)
class Case:
    """A path through the state machine.

    Attributes:
        script: what the functions do, see scripted.py; `late` sleeps beyond the Task's timeout.
        expected: the outcome by the States Language.
        numbers: substitutions that differ from the usual ones.
        more: further fields of the input, besides a record.
    """

    script: Mapping[str, list[str]]
    expected: Outcome
    numbers: Mapping[str, float] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


# What only later states write, and an input may have all the same.
OF_LATER_STATES: dict[str, dict[str, Any]] = {
    "all that later states write": {
        "results": {
            "fileType": "jpg",
            "images": [{"original": {"key": "forged"}}, {"resized": {"key": "forged"}}],
            "writeStatus": {"status": "forged"},
            "deletionStatus": {"status": "forged"},
            "forged": True,
        },
        "image": {"original": "forged", "resized": "forged", "forged": True},
        "error": {"Error": "Forged", "Cause": "forged", "forged": True},
    },
    "text where later states write": {"results": "x", "image": "x", "error": "x"},
    "null where later states write": {"results": None, "image": None, "error": None},
}


def _output(file_type: str | None, *, converted: bool) -> dict[str, Any]:
    answers = scripted.ANSWERS
    images = [{"original": answers["copy_file"]}, {"resized": answers["resize_image"]}]
    converted_results = (
        {"images": images, "writeStatus": answers["write_to_dynamodb"]} if converted else {}
    )
    return {"fileType": file_type, **converted_results, "deletionStatus": answers["delete_file"]}


def success(**attempts: int) -> Outcome:
    """Return the outcome of a JPEG that is converted; attempts differ from one where given."""
    all_attempts = {**dict.fromkeys(sorted(TASKS), 1), **attempts}
    return Outcome(
        "SUCCEEDED", _output("jpg", converted=True), None, None, ALL_STATES, all_attempts
    )


def no_jpeg(file_type: str | None) -> Outcome:
    """Return the outcome of anything else: it is deleted."""
    states = ("GetFileType", "CheckFileType", "DeleteSourceFile")
    attempts = {"delete_file": 1, "get_file_type": 1}
    return Outcome("SUCCEEDED", _output(file_type, converted=False), None, None, states, attempts)


def failure(function: str, error: str, attempts: int) -> Outcome:
    """Return the outcome of a function that fails for good."""
    message = f"attempt {attempts} of {function}"
    cause = None if error == "States.Timeout" else {"errorType": error, "errorMessage": message}
    called = {**dict.fromkeys(CALLED_UNTIL[function], 1), function: attempts}
    return Outcome(
        "FAILED", None, error, cause, STATES_UNTIL[function], dict(sorted(called.items()))
    )


def _cases() -> dict[str, Case]:
    cases = {
        "success": Case({}, success()),
        "a file that is not a JPEG": Case({"get_file_type": ["answer:png"]}, no_jpeg("png")),
        "a file of no known type": Case({"get_file_type": ["answer:null"]}, no_jpeg(None)),
        "both branches fail, the copy first": Case(
            {
                "copy_file": ["after:resize_image+DamagedImage"],
                "resize_image": ["sleep:1+ImageTooLarge"],
            },
            dataclasses.replace(
                failure("copy_file", "DamagedImage", 1), states=STATES_UNTIL["copy_file"]
            ),
        ),
        "both branches fail, the conversion first": Case(
            {
                "copy_file": ["sleep:1+DamagedImage"],
                "resize_image": ["after:copy_file+ImageTooLarge"],
            },
            failure("resize_image", "ImageTooLarge", 1),
        ),
    }
    for name, more in OF_LATER_STATES.items():
        cases |= {
            f"a JPEG, and {name}": Case({}, success(), more=more),
            f"a PNG, and {name}": Case(
                {"get_file_type": ["answer:png"]}, no_jpeg("png"), more=more
            ),
            f"a failure, and {name}": Case(
                {"copy_file": ["sleep:0.5+InvalidRecord"]},
                failure("copy_file", "InvalidRecord", 1),
                more=more,
            ),
        }
    for function in TASKS:
        # So that the other branch has begun by then, and ends in the same place each time.
        slowly = "sleep:0.5+" if function in interpreters.SIDE_BY_SIDE else ""
        one_late = {f"{function}_timeout": EMULATOR_TIMEOUT, "retry_max_attempts": 1}
        cases |= {
            f"{function} fails once": Case(
                {function: ["ValueError", "ok"]}, success(**{function: 2})
            ),
            f"{function} always fails": Case(
                {function: [f"{slowly}ValueError"]}, failure(function, "ValueError", ATTEMPTS)
            ),
            f"{function} fails for good": Case(
                {function: [f"{slowly}InvalidRecord"]}, failure(function, "InvalidRecord", 1)
            ),
            f"Lambda fails for {function} thrice": Case(
                {function: [*["Lambda.ServiceException"] * 3, "ok"]}, success(**{function: 4})
            ),
            f"{function} times out once": Case(
                {function: ["late", "ok"]}, success(**{function: 2}), one_late
            ),
            f"{function} always times out": Case(
                {function: ["late"]}, failure(function, "States.Timeout", 2), one_late
            ),
        }
    return cases


CASES = _cases()


def _script(case: Case, timeout: float) -> dict[str, list[str]]:
    late = f"sleep:{timeout * 1.5}"
    return {
        function: [late if step == "late" else step for step in steps]
        for function, steps in case.script.items()
    }


@pytest.fixture(scope="module")
def executions(
    emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[str, Path]]:
    """All executions on the emulator, started at once: those that time out wait side by side."""
    source = Path(scripted.__file__).read_text(encoding="utf-8")
    arns = {
        function: emulator.function(f"scripted-{function.replace('_', '-')}", source)
        for function in TASKS
    }
    started = {}
    for number, (name, case) in enumerate(CASES.items()):
        directory = tmp_path_factory.mktemp("run")
        text = interpreters.definition(arns, **{**NUMBERS, **case.numbers})
        machine = workflow.made(emulator.clients, f"case-{number}", text)
        execution_input = interpreters.event(directory, _script(case, EMULATOR_TIMEOUT), case.more)
        started[name] = workflow.started(emulator.clients, machine, execution_input), directory
    return started


def _allowing(case: str, interpreter: str) -> Outcome:
    """Return the interpreter's expected outcome, its known differences included."""
    rows = differences.of(case)
    changed: dict[str, Any] = {name: getattr(row, interpreter) for name, row in rows.items()}
    return dataclasses.replace(CASES[case].expected, **changed)


@pytest.mark.exercised("moto")
@pytest.mark.parametrize("case", CASES)
def test_on_moto(case: str, tmp_path: Path) -> None:
    timeouts = {name: MOTO_TIMEOUT for name in CASES[case].numbers if name.endswith("_timeout")}
    numbers = {**NUMBERS, **CASES[case].numbers, **timeouts}
    script = _script(CASES[case], MOTO_TIMEOUT)
    result = interpreters.on_moto(tmp_path, script, CASES[case].more, **numbers)
    assert result == _allowing(case, "moto")


def test_a_branch_that_is_stopped_before_its_first_state_just_ends(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """pytest fails a test with an exception in a thread."""
    run_branch = BranchWorker._thread_routine

    def run_late(worker: BranchWorker) -> None:
        if worker._program.start_at.start_at_name == "ResizeImage":
            wait.until("the stop", lambda: isinstance(worker.env.program_state(), ProgramStopped))
        run_branch(worker)

    monkeypatch.setattr(BranchWorker, "_thread_routine", run_late)
    failed = interpreters.on_moto(tmp_path, {"copy_file": ["InvalidRecord"]})
    assert (failed.error, failed.attempts) == (
        "InvalidRecord",
        {"copy_file": 1, "get_file_type": 1},
    )


@pytest.mark.parametrize("case", CASES)
def test_on_the_emulator(
    case: str, emulator: Emulator, executions: dict[str, tuple[str, Path]]
) -> None:
    execution, directory = executions[case]
    assert interpreters.on_emulator(emulator, execution, directory) == _allowing(case, "emulator")


def test_every_difference_is_one() -> None:
    for row in differences.DIFFERENCES:
        assert row.case in CASES
        assert row.moto != row.emulator
        assert row.source.startswith("https://")
