"""Step Functions: state machines are checked, executions are started and found as on AWS."""

import contextvars
import json
import re
import threading
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from ministack.services import stepfunctions

from scripts.lib import asl_check
from scripts.local_aws.patches import stepfunctions_maps
from scripts.local_aws.patches.answers import Call, Handler, Json, Response, json_answer, json_error
from scripts.local_aws.patches.around import around

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_LONGEST_EXPRESS: Final = 300


@around(stepfunctions._create_state_machine)
@around(stepfunctions._update_state_machine)
def change_state_machine(change: Handler, data: Json) -> Response:
    """Refuse an invalid definition; keep the tracing configuration with the state machine."""
    if problems := _problems(data.get("definition")):
        sentence = "Invalid State Machine Definition: " + "; ".join(problems)
        return json_error("InvalidDefinition", sentence)
    status, headers, body = change(data)
    if status == HTTPStatus.OK and "tracingConfiguration" in data:
        arn = data.get("stateMachineArn") or json.loads(body)["stateMachineArn"]
        stepfunctions._state_machines[arn]["tracingConfiguration"] = data["tracingConfiguration"]
    return status, headers, body


@around(stepfunctions._validate_state_machine_definition)
def validate_state_machine_definition(_original: Handler, data: Json) -> Response:
    """Report what change_state_machine refuses."""
    diagnostics = [
        {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": problem}
        for problem in _problems(data.get("definition", ""))
    ]
    result = "FAIL" if diagnostics else "OK"
    return json_answer({"result": result, "diagnostics": diagnostics, "truncated": False})


def _problems(definition: str | None) -> list[str]:
    if definition is None:
        return []
    return asl_check.problems(definition) or stepfunctions_maps.refusals(definition)


@around(stepfunctions._start_execution)
def start_execution(start: Handler, data: Json) -> Response:
    """Refuse input that is not JSON, and start the same execution only once while it runs.

    Of an EXPRESS state machine, start an execution of its own, whatever was started under its name
    before. Its ARN is of another form, with an id at the end.
    """
    text = data.get("input") or "{}"
    try:
        json.loads(text)
    except ValueError as error:
        sentence = f"Invalid State Machine Execution Input: '{error}'"
        return json_error("InvalidExecutionInput", sentence)
    if _is_express(data.get("stateMachineArn")):
        name = f"{data.get('name') or uuid.uuid4()}:{uuid.uuid4()}"
        status, headers, body = start({**data, "name": name})
        return status, headers, body.replace(b":execution:", b":express:")
    response = start(data)
    existing = re.search(r"Execution already exists: '(arn:[^']+)'", response[2].decode())
    running = stepfunctions._executions.get(existing[1]) if existing else None
    if running and running["status"] == "RUNNING" and running["input"] == text:
        fields = ("executionArn", "startDate")
        return json_answer({field: running[field] for field in fields})
    return response


@around(stepfunctions._run_execution)
def run_execution(run: Call, arn: str) -> None:
    """Run an execution, give it the ARN of its type, and end it when its time is up."""
    execution = stepfunctions._executions.get(arn)
    machine = stepfunctions._state_machines.get(execution["stateMachineArn"]) or {}
    if machine.get("type") == "EXPRESS":
        started_as, arn = arn, arn.replace(":execution:", ":express:")
        execution |= {"executionArn": arn, "name": arn.split(":")[7]}
        stepfunctions._executions[arn] = execution
        del stepfunctions._executions[started_as]
    seconds = longest_seconds(machine)
    if seconds is None:
        run(arn)
        return
    # Account and region of the request are the context's.
    end = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
    end.daemon = True
    end.start()
    try:
        run(arn)
    finally:
        end.cancel()


def longest_seconds(machine: Mapping[str, Any]) -> float | None:
    """Return how long an execution of a state machine may take; None if that has no limit."""
    limit = json.loads(machine.get("definition") or "{}").get("TimeoutSeconds")
    limits = [limit] if isinstance(limit, (int, float)) else []
    if machine.get("type") == "EXPRESS":
        limits.append(_LONGEST_EXPRESS)
    return min(limits, default=None)


def _time_out(execution: Json) -> None:
    if execution["status"] == "RUNNING":
        execution |= {"status": "TIMED_OUT", "stopDate": stepfunctions.now_iso()}
        stepfunctions._add_event(
            execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}}
        )
        stepfunctions._emit_execution_status_event(execution)


@around(stepfunctions._fail_execution)
def fail_execution(fail: Call, execution: Json, error: str, cause: str) -> None:
    """Leave an execution alone that has ended already."""
    if execution["status"] == "RUNNING":
        fail(execution, error, cause)


@around(stepfunctions._list_executions)
def list_executions(original: Handler, data: Json) -> Response:
    """Refuse to list EXPRESS executions, which show in logs alone.

    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html
    """
    run = stepfunctions._map_runs.get(data.get("mapRunArn"))
    if _is_express(run["_stateMachineArn"] if run else data.get("stateMachineArn")):
        sentence = "This operation is not supported by this type of state machine"
        return json_error("StateMachineTypeNotSupported", sentence)
    return original(data)


@around(stepfunctions._describe_execution)
@around(stepfunctions._describe_state_machine_for_execution)
@around(stepfunctions._get_execution_history)
def ask_about_execution(ask: Handler, data: Json) -> Response:
    """Refuse questions about EXPRESS executions."""
    if ":express:" in str(data.get("executionArn")):
        sentence = "Invalid Arn: 'Resource type not valid in this context: express'"
        return json_error("InvalidArn", sentence)
    return ask(data)


def _is_express(state_machine_arn: object) -> bool:
    # The children of a Distributed Map have the ARN of its state machine, a slash and a label.
    arn, of_a_map, _label = str(state_machine_arn).partition("/")
    machine = stepfunctions._state_machines.get(arn) or {}
    if of_a_map and machine:
        return stepfunctions_maps.starts_express_children(machine["definition"])
    return machine.get("type") == "EXPRESS"
