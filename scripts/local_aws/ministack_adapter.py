"""All that touches ministack's private names: what it lacks for this project, put in from outside.

ministack moves fast and promises nothing about these names. So its version is pinned, every name
used here stands in PRIVATE_NAMES with its parameters, and importing this module fails with a
sentence when one is gone or has changed. Nothing else may reach into ministack.

What is put in, and why:

* Python functions run under AWS's own runtime client (awslambdaric), as ``provided`` ones do:
  ministack's own worker reports every exception as ``Runtime.HandlerError``, so that no Retry and
  no Catch of a state machine would ever match a name.
* ``StartExecution`` is idempotent while the execution runs, and refuses input that is no JSON.
* State machines are checked by a real validator and remember their tracing configuration.
* Of EXPRESS executions nobody can ask, and their names may be used again, as on AWS.
* Execution histories read as on AWS: they tell of the states in branches, too, and of functions.
* ``CopyObject`` honours If-Match and If-None-Match on the destination.
* CloudWatch Logs keeps saved queries.
* ``GetBucketRequestPayment`` is known by its name on the wire, or it answers with a listing.
* ``ListObjectVersions`` encodes keys where asked to, as Terraform does before it empties a bucket.
* JWT authorisers have no payload format version, or each plan would want to take it away.
* ``DescribeAlarms`` tells the whole alarm in the Query protocol, which the provider speaks.
* With IAM enforced, requests count as made over TLS: the emulator speaks plain HTTP on the loopback
  interface, and a bucket policy that demands TLS would lock everyone out. Conditions know a role by
  its own ARN, not by its session's, and know that who is asked for a policy is no service of AWS's.
"""

import inspect
import json
import platform
import re
import shlex
import sys
import threading
import uuid
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from ministack.core import iam_evaluator, lambda_runtime, responses
from ministack.services import (
    apigateway,
    cloudwatch,
    cloudwatch_logs,
    lambda_svc,
    s3,
    stepfunctions,
)

from scripts import asl_check
from scripts.local_aws import alarms, history, listings
from scripts.local_aws.queries import SavedQueries
from scripts.local_aws.worker import worker_environment

MINISTACK_VERSION = "1.5.33"

# Status, headers, body.
Response = tuple[int, dict[str, str], bytes]

# The names used, with their parameters where they are functions that are called or replaced.
PRIVATE_NAMES: dict[ModuleType, dict[str, str | None]] = {
    iam_evaluator: {"_resolve_condition_key": "key ctx"},
    lambda_runtime: {
        "ProvidedRuntimeError": None,
        "ProvidedWorker": None,
        "_worker_class_for": "config",
    },
    responses: {
        "error_response_json": "code message status extra message_key content_type",
        "json_response": "data status content_type",
    },
    apigateway: {"_authorizers": None, "_create_authorizer": "api_id data"},
    cloudwatch: {
        "_describe_alarms": "params cbor_data is_cbor is_json",
        "_p": "params key default",
        "_xml": "status root_tag inner",
    },
    cloudwatch_logs: {"handle_request": "method path headers body query_params"},
    lambda_svc: {
        "_docker_extracted_dir": "blob kind",
        "_execute_function_provided_warm": "func event request_id",
        "_execute_function_warm": "func event request_id",
        "_provided_code_lock": None,
        "_provided_runtime_code_dir": "code_zip",
        "_provided_worker_env": "config code_dir port",
        "_resolve_layer_zip": "attachment",
        "_runtime_env_vars": "config",
    },
    s3: {
        "_check_put_preconditions": "headers existing_obj",
        "_dispatch": "method bucket key headers body query_params",
        "_copy_object": "bucket_name dest_key headers",
        "_ensure_bucket": "name",
        "_list_object_versions": "bucket_name query_params",
        "_qp": "params key default",
    },
    stepfunctions: {
        "_ExecutionError": None,
        "_add_event": "execution event_type details",
        "_create_state_machine": "data",
        "_describe_execution": "data",
        "_describe_state_machine_for_execution": "data",
        "_execute_choice": "state_def raw_input ctx",
        "_execute_map": "state_def raw_input execution ctx",
        "_execute_parallel": "state_def raw_input execution ctx",
        "_execute_pass": "state_def raw_input ctx",
        "_execute_task": "state_def raw_input execution ctx",
        "_execute_wait": "state_def raw_input ctx",
        "_executions": None,
        "_get_execution_history": "data",
        "_list_executions": "data",
        "_run_parallel_branches": "state_def raw_input execution ctx",
        "_run_sub_machine": "states start_at input_data execution ctx",
        "_start_execution": "data",
        "_state_machines": None,
        "_update_state_machine": "data",
        "_validate_state_machine_definition": "data",
    },
}


def _check_names() -> None:
    """Fail with a sentence where ministack is not the one that this module was written against."""
    found = version("ministack")
    if found != MINISTACK_VERSION:
        raise ImportError(
            f"ministack is {found}, but scripts/local_aws/ministack_adapter.py was written against "
            f"{MINISTACK_VERSION}. Run `make setup`; to move to another version, go through "
            "PRIVATE_NAMES and the end-to-end tests first."
        )
    for module, names in PRIVATE_NAMES.items():
        for name, parameters in names.items():
            value = getattr(module, name, None)
            if value is None:
                raise ImportError(f"{module.__name__} has no {name} any more")
            if parameters is not None:
                actual = " ".join(inspect.signature(value).parameters)
                if actual != parameters:
                    raise ImportError(
                        f"{module.__name__}.{name} takes ({actual}) now, not ({parameters})"
                    )


_check_names()


def install(runtime_python: Path) -> None:
    """Put everything in. Call once, before ministack serves.

    Parameters:
        runtime_python: the interpreter that runs the functions; awslambdaric must be installed for
            it, and Pillow must not, so that it comes from the layer.
    """
    _run_python_under_awslambdaric(runtime_python)
    _complete_state_machines()
    _make_start_execution_idempotent()
    _tell_nothing_of_express_executions()
    _tell_whole_histories()
    _make_copies_conditional()
    _encode_listed_versions()
    _answer_who_pays()
    _make_jwt_authorisers_plain()
    _tell_whole_alarms()
    _keep_saved_queries()
    _complete_condition_keys()


# ---- Lambda ------------------------------------------------------------------------------------


def _is_python(config: Mapping[str, Any]) -> bool:
    return str(config.get("Runtime", "")).startswith("python")


def _run_python_under_awslambdaric(runtime_python: Path) -> None:
    class_for = lambda_runtime._worker_class_for
    execute_warm = lambda_svc._execute_function_warm
    code_dir = lambda_svc._provided_runtime_code_dir
    provided_env = lambda_svc._provided_worker_env

    def worker_class_for(config: dict[str, Any]) -> type:
        chosen: type = lambda_runtime.ProvidedWorker if _is_python(config) else class_for(config)
        return chosen

    def execute_function_warm(func: dict[str, Any], event: object, request_id: str) -> object:
        provided = _is_python(func.get("config") or func)
        execute = lambda_svc._execute_function_provided_warm if provided else execute_warm
        return execute(func, event, request_id)

    def runtime_code_dir(code_zip: bytes) -> str:
        folder: str = code_dir(code_zip)
        with lambda_svc._provided_code_lock:  # no fork while the file is open for writing
            _write_bootstrap(Path(folder), runtime_python)
        return folder

    def provided_worker_env(config: dict[str, Any], folder: str, port: int) -> dict[str, str]:
        env: dict[str, str] = provided_env(config, folder, port)
        if not _is_python(config):
            return env
        _refuse_foreign_package(config)
        blobs = map(lambda_svc._resolve_layer_zip, config.get("Layers", []))
        layers = [lambda_svc._docker_extracted_dir(blob, "layer") for blob in blobs if blob]
        return worker_environment(env, config, lambda_svc._runtime_env_vars(config), layers)

    lambda_runtime._worker_class_for = worker_class_for
    lambda_svc._execute_function_warm = execute_function_warm
    lambda_svc._provided_runtime_code_dir = runtime_code_dir
    lambda_svc._provided_worker_env = provided_worker_env


def _write_bootstrap(folder: Path, runtime_python: Path) -> None:
    """Put the program that Lambda would start into a function's code, unless it is there."""
    bootstrap = folder / "bootstrap"
    if bootstrap.exists():
        return
    command = f"exec {shlex.quote(str(runtime_python))} -m awslambdaric"
    bootstrap.write_text(f'#!/bin/sh\n{command} "$_HANDLER"\n', encoding="utf-8")
    bootstrap.chmod(0o755)


def _refuse_foreign_package(config: Mapping[str, Any]) -> None:
    """Fail with a sentence where a function is packaged for another Python or processor."""
    host = (
        f"python{sys.version_info.major}.{sys.version_info.minor}",
        {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
    )
    wanted = (config["Runtime"], *config.get("Architectures", ["x86_64"]))
    if wanted != host:
        raise lambda_runtime.ProvidedRuntimeError(
            f"{config['FunctionName']} is packaged for {' on '.join(wanted)}, but the local AWS "
            f"runs functions with {' on '.join(host)}. Run `make package-local` and apply with "
            "package_dir = build/package-local (the exports of `make local-up` do).",
            "Runtime.InvalidEntrypoint",
        )


# ---- Step Functions ----------------------------------------------------------------------------


def _complete_state_machines() -> None:
    create, update = stepfunctions._create_state_machine, stepfunctions._update_state_machine

    def create_state_machine(data: dict[str, Any]) -> Response:
        return _invalid_definition(data) or _keeping_tracing(create, data)

    def update_state_machine(data: dict[str, Any]) -> Response:
        return _invalid_definition(data) or _keeping_tracing(update, data)

    def validate_state_machine_definition(data: dict[str, Any]) -> Response:
        found = asl_check.problems(data.get("definition", ""))
        diagnostics = [
            {"severity": "ERROR", "code": "SCHEMA_VALIDATION_FAILED", "message": problem}
            for problem in found
        ]
        answer = {"result": "FAIL" if found else "OK", "diagnostics": diagnostics}
        return _json(answer | {"truncated": False})

    stepfunctions._create_state_machine = create_state_machine
    stepfunctions._update_state_machine = update_state_machine
    stepfunctions._validate_state_machine_definition = validate_state_machine_definition


def _invalid_definition(data: Mapping[str, Any]) -> Response | None:
    found = asl_check.problems(data["definition"]) if "definition" in data else []
    if not found:
        return None
    sentence = "Invalid State Machine Definition: " + "; ".join(found)
    return _json_error("InvalidDefinition", sentence)


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
            return _json_error("InvalidExecutionInput", sentence)
        if _is_express(data.get("stateMachineArn")):
            data = {**data, "name": f"{data.get('name') or 'unnamed'}:{uuid.uuid4()}"}
        response: Response = start(data)
        arn = _already_existing(response)
        running = stepfunctions._executions.get(arn) if arn else None
        if running and running["status"] == "RUNNING" and running["input"] == text:
            return _json({"executionArn": arn, "startDate": running["startDate"]})
        return response

    stepfunctions._start_execution = start_execution


def _already_existing(response: Response) -> str | None:
    """Return the ARN of the execution whose name is taken, where that is what the answer says."""
    status, _headers, body = response
    if status != HTTPStatus.BAD_REQUEST or b"ExecutionAlreadyExists" not in body:
        return None
    found = re.search(rb"arn:[^'\"]+", body)
    return found.group().decode() if found else None


def _tell_nothing_of_express_executions() -> None:
    """Refuse what AWS refuses: EXPRESS executions show in logs alone.

    Source: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html,
    and the pages of the other three operations
    """
    list_executions = stepfunctions._list_executions

    def list_standard_executions(data: dict[str, Any]) -> Response:
        if _is_express(data.get("stateMachineArn")):
            sentence = "This operation is not supported by this type of state machine"
            return _json_error("StateMachineTypeNotSupported", sentence)
        answer: Response = list_executions(data)
        return answer

    def only_standard(ask: Callable[[dict[str, Any]], Response]) -> Callable[..., Response]:
        def ask_of_standard(data: dict[str, Any]) -> Response:
            execution = stepfunctions._executions.get(data.get("executionArn"))
            if execution and _is_express(execution["stateMachineArn"]):
                sentence = "Invalid Arn: 'Resource type not valid in this context: express'"
                return _json_error("InvalidArn", sentence)
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
    machine = stepfunctions._state_machines.get(state_machine_arn)
    return bool(machine) and machine.get("type") == "EXPRESS"


# The execution whose branch runs in this context, and the event that the next one follows.
_BRANCH_OF: ContextVar[Any] = ContextVar("branch_of", default=None)
_PREVIOUS_EVENT: ContextVar[int] = ContextVar("previous_event", default=0)


def _tell_whole_histories() -> None:
    _write_events_as_on_aws()
    _tell_failed_parallels()
    _tell_failing_states_in_branches()
    for kind in ("Choice", "Map", "Parallel", "Pass", "Task", "Wait"):
        name = f"_execute_{kind.lower()}"
        setattr(stepfunctions, name, _telling_in_branches(kind, getattr(stepfunctions, name)))


def _write_events_as_on_aws() -> None:
    add_event = stepfunctions._add_event
    lock = threading.Lock()  # branches write at the same time, and an event's id is its place

    def add_event_as_on_aws(
        execution: dict[str, Any], event_type: str, details: history.Details | None = None
    ) -> None:
        for kind, told in history.as_on_aws(event_type, details or {}):
            with lock:
                joined = kind in ("ParallelStateSucceeded", "ParallelStateFailed")
                previous = len(execution["events"]) if joined else _PREVIOUS_EVENT.get()
                event = add_event(execution, kind, {**told, "previousEventId": previous})
            _PREVIOUS_EVENT.set(event["id"])

    stepfunctions._add_event = add_event_as_on_aws


def _tell_failed_parallels() -> None:
    run_parallel_branches = stepfunctions._run_parallel_branches

    def run_branches(
        state_def: object, raw_input: object, execution: dict[str, Any], ctx: object
    ) -> object:
        try:
            return run_parallel_branches(state_def, raw_input, execution, ctx)
        except stepfunctions._ExecutionError:
            stepfunctions._add_event(execution, "ParallelStateFailed")
            raise

    stepfunctions._run_parallel_branches = run_branches


def _tell_failing_states_in_branches() -> None:
    run_sub_machine = stepfunctions._run_sub_machine

    def run_branch(
        states: dict[str, Any],
        start_at: str,
        input_data: object,
        execution: dict[str, Any],
        ctx: dict[str, Any],
    ) -> object:
        own = dict(ctx)  # each branch is in a state of its own
        outer = _BRANCH_OF.set(execution)
        try:
            return run_sub_machine(states, start_at, input_data, execution, own)
        except stepfunctions._ExecutionError:
            name = own["State"]["Name"]
            if states[name]["Type"] == "Fail":
                stepfunctions._add_event(execution, "FailStateEntered", _entered(name, None))
            raise
        finally:
            _BRANCH_OF.reset(outer)

    stepfunctions._run_sub_machine = run_branch


def _telling_in_branches(kind: str, execute: Callable[..., Any]) -> Callable[..., Any]:
    """Have a state tell when it is entered and left in a branch, as it does outside of one."""

    def execute_and_tell(state_def: object, raw_input: object, *rest: Any) -> Any:
        execution, name = _BRANCH_OF.get(), rest[-1]["State"]["Name"]
        if execution is None:
            return execute(state_def, raw_input, *rest)
        tell = stepfunctions._add_event
        tell(execution, f"{kind}StateEntered", _entered(name, raw_input))
        output, next_state = execute(state_def, raw_input, *rest)
        details = {"stateExitedEventDetails": {"name": name, "output": json.dumps(output)}}
        tell(execution, f"{kind}StateExited", details)
        return output, next_state

    return execute_and_tell


def _entered(name: str, state_input: object) -> history.Details:
    told = {"name": name}
    if state_input is not None:
        told["input"] = json.dumps(state_input)
    return {"stateEnteredEventDetails": told}


# ---- S3, CloudWatch, IAM -----------------------------------------------------------------------


def _make_copies_conditional() -> None:
    copy = s3._copy_object

    def copy_object(bucket_name: str, dest_key: str, headers: dict[str, str]) -> Response:
        bucket = s3._ensure_bucket(bucket_name) or {"objects": {}}
        refused = s3._check_put_preconditions(headers, bucket["objects"].get(dest_key))
        answer: Response = refused or copy(bucket_name, dest_key, headers)
        return answer

    s3._copy_object = copy_object


def _encode_listed_versions() -> None:
    list_versions = s3._list_object_versions

    def list_object_versions(bucket_name: str, query_params: dict[str, Any]) -> Response:
        status, headers, body = list_versions(bucket_name, query_params)
        if status == HTTPStatus.OK and s3._qp(query_params, "encoding-type", "") == "url":
            body = listings.url_encoded(body)
        return status, headers, body

    s3._list_object_versions = list_object_versions


def _answer_who_pays() -> None:
    dispatch = s3._dispatch

    def dispatch_as_on_the_wire(
        method: str,
        bucket: str,
        key: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
    ) -> Response:
        if method == "GET" and "requestPayment" in query_params:
            query_params = {**query_params, "request-payment": [""]}
        answer: Response = dispatch(method, bucket, key, headers, body, query_params)
        return answer

    s3._dispatch = dispatch_as_on_the_wire


# ---- API Gateway -------------------------------------------------------------------------------


def _make_jwt_authorisers_plain() -> None:
    create = apigateway._create_authorizer

    def create_authorizer(api_id: str, data: dict[str, Any]) -> Response:
        answer: Response = create(api_id, data)
        for authoriser in apigateway._authorizers.get(api_id, {}).values():
            if authoriser["authorizerType"] == "JWT":
                authoriser.pop("authorizerPayloadFormatVersion", None)
        return answer

    apigateway._create_authorizer = create_authorizer


# ---- CloudWatch --------------------------------------------------------------------------------


def _tell_whole_alarms() -> None:
    describe = cloudwatch._describe_alarms

    def describe_alarms(
        params: dict[str, Any],
        cbor_data: dict[str, Any] | None,
        is_cbor: bool,
        is_json: bool = False,
    ) -> Response:
        if is_cbor or is_json:
            answer: Response = describe(params, cbor_data, is_cbor, is_json)
            return answer
        # The JSON form selects in the same way and forgets nothing.
        status, headers, body = describe(params, _alarm_query(params), is_cbor=False, is_json=True)
        if status != HTTPStatus.OK:
            return status, headers, body
        told = json.loads(body)
        listed = {kind: told.get(kind, []) for kind in ("MetricAlarms", "CompositeAlarms")}
        text = alarms.result(listed, told.get("NextToken"))
        whole: Response = cloudwatch._xml(200, "DescribeAlarmsResponse", text)
        return whole

    cloudwatch._describe_alarms = describe_alarms


def _keep_saved_queries() -> None:
    handle = cloudwatch_logs.handle_request
    queries = SavedQueries()

    async def handle_request(
        method: str, path: str, headers: Any, body: Any, query_params: Any
    ) -> Response:
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        told = queries.answer(action, json.loads(body)) if action in queries.ACTIONS else None
        if told is not None:
            return _json(told)
        answer: Response = await handle(method, path, headers, body, query_params)
        return answer

    cloudwatch_logs.handle_request = handle_request


def _alarm_query(params: dict[str, Any]) -> dict[str, Any]:
    """Return DescribeAlarms' parameters, given in the Query protocol, as the JSON one has them."""
    query: dict[str, Any] = {}
    for name in ("AlarmNamePrefix", "StateValue", "NextToken", "MaxRecords"):
        if value := cloudwatch._p(params, name):
            query[name] = value
    for name in ("AlarmNames", "AlarmTypes"):
        members = [key for key in params if key.startswith(f"{name}.member.")]
        if members:
            query[name] = [cloudwatch._p(params, key) for key in members]
    return query


def _complete_condition_keys() -> None:
    resolve = iam_evaluator._resolve_condition_key
    fixed = {"aws:securetransport": "true", "aws:principalisawsservice": "false"}

    def resolve_condition_key(key: str, ctx: object) -> object:
        name = key.lower()
        value = fixed.get(name) or resolve(key, ctx)
        return _without_session(str(value)) if name == "aws:principalarn" else value

    iam_evaluator._resolve_condition_key = resolve_condition_key


def _without_session(arn: str) -> str:
    """Return the ARN of a session's role; of any other principal, its own.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    return re.sub(r":sts::(\d+):assumed-role/([^/]+)/.*", r":iam::\1:role/\2", arn)


def _json(data: dict[str, Any]) -> Response:
    response: Response = responses.json_response(data)
    return response


def _json_error(code: str, message: str) -> Response:
    response: Response = responses.error_response_json(code, message, 400)
    return response
