"""Step Functions: state machines are checked, executions are started and found as on AWS."""

import contextvars
import json
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from ministack.services import stepfunctions

from scripts.lib import asl_check
from scripts.local_aws.patches import stepfunctions_batches, stepfunctions_maps
from scripts.local_aws.patches.answers import Response, json_answer, json_error

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_LONGEST_EXPRESS: Final = 300


def install() -> None:
    """Put in what concerns state machines and the start of executions."""
    _complete_state_machines()
    _make_start_execution_idempotent()
    _run_within_limits()
    _refuse_questions_about_express_executions()


def _complete_state_machines() -> None:
    create, update = stepfunctions._create_state_machine, stepfunctions._update_state_machine

    def create_state_machine(data: dict[str, Any]) -> Response:
        return _invalid_definition(data) or _keeping_tracing(create, data)

    def update_state_machine(data: dict[str, Any]) -> Response:
        return _invalid_definition(data) or _keeping_tracing(update, data)

    def validate_state_machine_definition(data: dict[str, Any]) -> Response:
        problems = _problems(data.get("definition", ""))
        diagnostics = [
            {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": problem}
            for problem in problems
        ]
        answer = {"result": "FAIL" if problems else "OK", "diagnostics": diagnostics}
        return json_answer(answer | {"truncated": False})

    stepfunctions._create_state_machine = create_state_machine
    stepfunctions._update_state_machine = update_state_machine
    stepfunctions._validate_state_machine_definition = validate_state_machine_definition


def _invalid_definition(data: Mapping[str, Any]) -> Response | None:
    problems = _problems(data["definition"]) if "definition" in data else []
    if not problems:
        return None
    sentence = "Invalid State Machine Definition: " + "; ".join(problems)
    return json_error("InvalidDefinition", sentence)


def _problems(definition: str) -> list[str]:
    return asl_check.problems(definition) or stepfunctions_batches.refusals(definition)


def _keeping_tracing(
    change: Callable[[dict[str, Any]], Response], data: dict[str, Any]
) -> Response:
    """Create or update a state machine, and keep the tracing configuration with it."""
    response = change(data)
    if response[0] == HTTPStatus.OK and "tracingConfiguration" in data:
        arn = data.get("stateMachineArn") or json.loads(response[2])["stateMachineArn"]
        stepfunctions._state_machines[arn]["tracingConfiguration"] = data["tracingConfiguration"]
    return response


def _make_start_execution_idempotent() -> None:
    start = stepfunctions._start_execution

    def start_execution(data: dict[str, Any]) -> Response:
        text = data.get("input") or "{}"
        try:
            json.loads(text)
        except ValueError as error:
            sentence = f"Invalid State Machine Execution Input: '{error}'"
            return json_error("InvalidExecutionInput", sentence)
        if _is_express(data.get("stateMachineArn")):
            return _start_express(start, data)
        response: Response = start(data)
        arn = _already_existing(response)
        running = stepfunctions._executions.get(arn) if arn else None
        if running and running["status"] == "RUNNING" and running["input"] == text:
            return json_answer({"executionArn": arn, "startDate": running["startDate"]})
        return response

    stepfunctions._start_execution = start_execution


def _start_express(start: Callable[[dict[str, Any]], Response], data: dict[str, Any]) -> Response:
    """Start an execution of its own, whatever was started under its name before.

    Its ARN is of another form, with an id at the end.
    """
    name = f"{data.get('name') or uuid.uuid4()}:{uuid.uuid4()}"
    status, headers, body = start({**data, "name": name})
    return status, headers, body.replace(b":execution:", b":express:")


def _run_within_limits() -> None:
    """End executions when their time is up; an execution that has ended ends no second time."""
    run_execution = stepfunctions._run_execution
    fail_execution = stepfunctions._fail_execution

    def run(started_as: str) -> None:
        execution = stepfunctions._executions.get(started_as)
        machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
        arn = started_as
        if machine.get("type") == "EXPRESS":
            arn = started_as.replace(":execution:", ":express:")
            execution |= {"executionArn": arn, "name": arn.split(":")[7]}
            stepfunctions._executions[arn] = execution
            del stepfunctions._executions[started_as]
        seconds = longest_seconds(machine)
        if seconds is None:
            run_execution(arn)
            return
        # Account and region of the request are the context's.
        end = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
        end.daemon = True
        end.start()
        try:
            run_execution(arn)
        finally:
            end.cancel()

    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            fail_execution(execution, error, cause)

    stepfunctions._run_execution = run
    stepfunctions._fail_execution = fail


def longest_seconds(machine: Mapping[str, Any]) -> float | None:
    """Return how long an execution of a state machine may take; None if that has no limit."""
    given = json.loads(machine.get("definition") or "{}").get("TimeoutSeconds")
    limits = [given] if isinstance(given, (int, float)) else []
    if machine.get("type") == "EXPRESS":
        limits.append(_LONGEST_EXPRESS)
    return min(limits, default=None)


def _time_out(execution: dict[str, Any]) -> None:
    if execution["status"] == "RUNNING":
        execution |= {"status": "TIMED_OUT", "stopDate": stepfunctions.now_iso()}
        stepfunctions._add_event(
            execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}}
        )
        stepfunctions._emit_execution_status_event(execution)


def _already_existing(response: Response) -> str | None:
    """Return the ARN of the execution whose name is taken, where that is what the answer says."""
    status, _headers, body = response
    if status != HTTPStatus.BAD_REQUEST or b"ExecutionAlreadyExists" not in body:
        return None
    arn = re.search(rb"arn:[^'\"]+", body)
    return arn.group().decode() if arn else None


def _refuse_questions_about_express_executions() -> None:
    """Refuse what AWS refuses: EXPRESS executions show in logs alone.

    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html,
    and the pages of the other three operations
    """
    list_executions = stepfunctions._list_executions

    def list_standard_executions(data: dict[str, Any]) -> Response:
        run = stepfunctions._map_runs.get(data.get("mapRunArn"))
        if _is_express(run["_stateMachineArn"] if run else data.get("stateMachineArn")):
            sentence = "This operation is not supported by this type of state machine"
            return json_error("StateMachineTypeNotSupported", sentence)
        answer: Response = list_executions(data)
        return answer

    def only_standard(ask: Callable[[dict[str, Any]], Response]) -> Callable[..., Response]:
        def ask_of_standard(data: dict[str, Any]) -> Response:
            if ":express:" in str(data.get("executionArn")):
                sentence = "Invalid Arn: 'Resource type not valid in this context: express'"
                return json_error("InvalidArn", sentence)
            return ask(data)

        return ask_of_standard

    stepfunctions._list_executions = list_standard_executions
    for operation in (
        "_describe_execution",
        "_describe_state_machine_for_execution",
        "_get_execution_history",
    ):
        setattr(stepfunctions, operation, only_standard(getattr(stepfunctions, operation)))


def _is_express(state_machine_arn: object) -> bool:
    # The children of a Distributed Map have the ARN of its state machine, a slash and a label.
    arn, of_a_map, _label = str(state_machine_arn).partition("/")
    machine = stepfunctions._state_machines.get(arn)
    if of_a_map:
        return bool(machine) and stepfunctions_maps.starts_express_children(machine["definition"])
    return bool(machine) and machine.get("type") == "EXPRESS"
