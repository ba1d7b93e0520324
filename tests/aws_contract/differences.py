"""Where the two interpreters differ, and what AWS does according to its documentation or output.

The tests check that every row is true; docs/fidelity.md prints the table.
"""

from dataclasses import dataclass
from typing import Any

from scripts.lib.functions import TASKS


@dataclass(frozen=True)
class Difference:
    """One field of an execution's outcome that the interpreters report differently.

    Attributes:
        case: the path through the state machine, as test_interpreters.py names it.
        field: the field of `interpreters.Outcome`.
        moto: what moto's interpreter reports.
        emulator: what the local AWS reports.
        aws: what AWS does.
        source: where AWS says so, or where its own output is quoted.
    """

    case: str
    field: str
    moto: Any
    emulator: Any
    aws: str
    source: str


_BRANCHES_STOP = (
    "the first branch that fails ends the Parallel with its error; the other branch is stopped, "
    "as on moto"
)
_PARALLEL = "https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html"
_EMPTY_CAUSE = "the cause of a timeout is the empty string, and so is that of the Fail state"
# AWS quotes the input of a state behind a Catch there: {"Error":"States.Timeout","Cause":"", ...}
_QUOTED = "https://github.com/aws-samples/serverless-coffee-workshop/issues/15"

_BOTH = ("GetFileType", "CheckFileType", "ProcessFile", "CopyToDestination")

DIFFERENCES = (
    Difference(
        case="both branches fail, the copy first",
        field="states",
        moto=(*_BOTH, "QuitCopy", "ResizeImage"),
        emulator=(*_BOTH, "QuitCopy", "QuitResize", "ResizeImage"),
        aws=_BRANCHES_STOP,
        source=_PARALLEL,
    ),
    Difference(
        case="both branches fail, the conversion first",
        field="states",
        moto=(*_BOTH, "QuitResize", "ResizeImage"),
        emulator=(*_BOTH, "QuitCopy", "QuitResize", "ResizeImage"),
        aws=_BRANCHES_STOP,
        source=_PARALLEL,
    ),
    Difference(
        case="both branches fail, the conversion first",
        field="error",
        moto="ImageTooLarge",
        emulator="DamagedImage",
        aws="the error of the branch that fails first, as on moto; the emulator takes the first in "
        "the definition",
        source=_PARALLEL,
    ),
    Difference(
        case="both branches fail, the conversion first",
        field="cause",
        moto={"errorType": "ImageTooLarge", "errorMessage": "attempt 1 of resize_image"},
        emulator={"errorType": "DamagedImage", "errorMessage": "attempt 1 of copy_file"},
        aws="the cause of the same error",
        source=_PARALLEL,
    ),
    *(
        Difference(
            case=f"{function} always times out",
            field="cause",
            moto=None,
            emulator="Task timed out after 4 seconds",
            aws=_EMPTY_CAUSE,
            source=_QUOTED,
        )
        for function in TASKS
    ),
)


def of(case: str) -> dict[str, Difference]:
    """Return the differences of a case by field."""
    return {row.field: row for row in DIFFERENCES if row.case == case}
