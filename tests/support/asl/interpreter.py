"""The state machine on moto's interpreter, with functions that run in this process.

    result = run(definition, {"s3": ...}, {arn: handler, ...})

moto's interpreter derives from LocalStack's, whose behaviour was compared with AWS's. Five things
are corrected here:

* Lambda: a Task calls the function for its ARN, and an exception becomes the error object that
  Lambda's Python runtime reports.
* Waiting: a retry does not sleep; `Result.waits` has the seconds that it would have waited.
* Parallel: when a branch fails, moto goes through the other one's remaining steps without doing
  them, and the history contains garbage. Here the other branch stops, as on AWS.
* JSONata: moto uses a Java virtual machine, which is not installed. The emulator's library is used
  instead, with the local AWS's corrections.
* Fail with ErrorPath: moto takes the name that the path finds for a custom one, and stops at
  `States.Timeout` with a ValueError. AWS documents no such limit of ErrorPath.
"""

import io
import itertools
import json
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import boto3
import jsonata
from jsonata.functions import Functions
from moto.core.config import default_user_config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.stepfunctions.parser.asl.component import eval_component
from moto.stepfunctions.parser.asl.component.common.error_name import custom_error_name
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import (
    StateTaskLambda,
)
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.jsonata import jsonata as moto_jsonata
from moto.stepfunctions.parser.models import (
    StepFunctionsParserBackend,
    stepfunctions_parser_backends,
)
from moto.stepfunctions.parser.utils import TMP_THREADS

from scripts.local_aws import jsonata_text
from tests.support.moto_aws import mock_aws

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

# A function, called as Lambda calls a handler: with the event and a context.
Function = Callable[[Any, Any], Any]

_REGION = "us-east-1"
_ROLE = "arn:aws:iam::123456789012:role/state-machine"
# Longer than any test's state machine may run; what is awaited is its end.
_PATIENCE_SECONDS = 120
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Result:
    """What `describe_execution` and `get_execution_history` say of an execution that has ended.

    Attributes:
        output: its output, parsed; None of one that failed.
        events: the history, each `timestamp` as text.
        waits: the seconds that each retry would have waited, in order of time.
    """

    status: str
    output: Any
    error: str | None
    cause: str | None
    events: list[dict[str, Any]]
    waits: list[float]

    @property
    def states(self) -> list[str]:
        """The names of the states that were entered, in order of time."""
        entered = (event.get("stateEnteredEventDetails") for event in self.events)
        return [details["name"] for details in entered if details]


class LambdaFailureError(Exception):
    """An error object by name and text, for a name without an exception class."""

    def __init__(self, error: str, message: str = ""):
        super().__init__(message)
        self.error = error


def run(definition: str, event: object, functions: Mapping[str, Function]) -> Result:
    """Run one execution to its end.

    Args:
        definition: the rendered state machine.
        event: the execution's input.
        functions: by the ARN that the definition's Tasks name.

    An enclosing `mock_aws` is used if there is one, so that handlers find their buckets.
    """
    waits: list[float] = []
    with _completed(functions, waits):
        sfn = _client()
        number = next(_numbers)  # moto runs one execution of a state machine at most
        machine = sfn.create_state_machine(
            name=f"machine-{number}", definition=definition, roleArn=_ROLE
        )
        threads = len(TMP_THREADS)
        execution = sfn.start_execution(
            stateMachineArn=machine["stateMachineArn"],
            name=f"execution-{number}",
            input=json.dumps(event),
        )["executionArn"]
        TMP_THREADS[threads].join(_PATIENCE_SECONDS)
        described = sfn.describe_execution(executionArn=execution)
        # From moto itself: serialized and parsed again, a history takes longer than its execution.
        backend = stepfunctions_parser_backends[DEFAULT_ACCOUNT_ID][_REGION]
        events = [
            {**event, "type": event["type"].value}
            for event in backend.get_execution_history(execution)["events"]
        ]
        # A function may still be at work: in a branch that was stopped, in a Task that timed out.
        for thread in itertools.islice(TMP_THREADS, threads, None):
            thread.join(_PATIENCE_SECONDS)
    output = described.get("output")
    return Result(
        status=described["status"],
        output=None if output is None else json.loads(output),
        error=described.get("error"),
        cause=described.get("cause"),
        events=events,
        waits=waits,
    )


@cache
def _client() -> "SFNClient":
    """Make the client, once: it takes longer than an execution."""
    return boto3.client("stepfunctions", region_name=_REGION)


@contextmanager
def _completed(functions: Mapping[str, Function], waits: list[float]) -> Iterator[None]:
    """Have moto run executions, with what the module's docstring lists."""
    lambdas = SimpleNamespace(invoke=lambda **call: _invoke(functions, **call))
    with (
        patch.dict(default_user_config, {"stepfunctions": {"execute_state_machine": True}}),
        patch.object(lambda_eval_utils, "boto_client_for", lambda **_: lambdas),
        patch.object(retrier_decl, "time", SimpleNamespace(sleep=waits.append)),
        patch.object(moto_jsonata, "_eval_jsonata", _evaluate),
        patch.object(Functions, "_string", jsonata_text.text),
        patch.object(custom_error_name, "ILLEGAL_CUSTOM_ERROR_PREFIX", "\0"),
        patch.object(EvalComponent, "eval", _stopping(EvalComponent.eval)),
        patch.object(Program, "eval", _stopping(Program.eval)),
        patch.object(StateTaskLambda, "_from_error", _passing_stops(StateTaskLambda._from_error)),
        patch.multiple(eval_component.LOG, disabled=True),  # it prints the whole machine
        patch.object(StepFunctionsParserBackend, "_validate_definition", _validate),
        mock_aws(),
    ):
        yield


# Once for each definition: it parses the whole, and takes as long as an execution.
_validate = cache(StepFunctionsParserBackend._validate_definition)


def _evaluate(expression: str) -> Any:
    return jsonata.Jsonata.jsonata(expression).evaluate(None)


class _StoppedError(RuntimeError):
    """The branch is to do no more."""


def _stopping(evaluate: Callable[..., None]) -> Callable[..., None]:
    """Return the evaluation of a component, which raises once the branch is stopped.

    The branch itself, a program, ends silently: nothing waits for its threads any more. It may be
    stopped before its first state, and moto raises RuntimeError if that happens halfway.
    """

    def eval_unless_stopped(component: EvalComponent, env: Any) -> None:
        try:
            if _is_stopped(env):
                raise _StoppedError
            evaluate(component, env)
        except RuntimeError:
            if not (isinstance(component, Program) and _is_stopped(env)):
                raise

    return eval_unless_stopped


def _is_stopped(env: Any) -> bool:
    return isinstance(env.program_state(), ProgramStopped)


def _passing_stops(from_error: Callable[..., Any]) -> Callable[..., Any]:
    def from_error_unless_stopped(state: StateTaskLambda, env: Any, ex: Exception) -> Any:
        if isinstance(ex, _StoppedError):
            raise ex
        return from_error(state, env, ex)

    return from_error_unless_stopped


def _invoke(functions: Mapping[str, Function], FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
    """Answer as `lambda:Invoke` does."""
    try:
        answer: Any = functions[FunctionName](json.loads(Payload), None)
        failed = {}
    except Exception as error:  # noqa: BLE001 - Lambda reports whatever a handler raises
        answer = _error_object(error)
        failed = {"FunctionError": "Unhandled"}
    return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(answer).encode()), **failed}


def _error_object(error: Exception) -> dict[str, Any]:
    """Return what Lambda's Python runtime makes of an exception.

    https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html
    """
    name = error.error if isinstance(error, LambdaFailureError) else type(error).__name__
    return {
        "errorMessage": str(error),
        "errorType": name,
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
