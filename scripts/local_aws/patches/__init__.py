"""All that touches ministack's private names: what it lacks for this project, put in from outside.

ministack moves fast and promises nothing about these names. So its version is pinned, every name
that a module of this package uses stands in PRIVATE_NAMES with its parameters, and importing the
package fails with a sentence when one is gone or has changed. Nothing else may reach into
ministack. What is put in, and why, by service:

* ``lambda_``: Python functions run under AWS's own runtime client (awslambdaric), as ``provided``
  ones do: ministack's own worker reports every exception as ``Runtime.HandlerError``, so that no
  Retry and no Catch of a state machine would ever match a name.
* ``stepfunctions``: ``StartExecution`` is idempotent while the execution runs, and refuses input
  that is not JSON. State machines are checked by a real validator and remember their tracing
  configuration. EXPRESS executions cannot be asked about, and their names may be used again.
* ``stepfunctions_history``: histories hold the states in branches, too, and functions' events.
* ``stepfunctions_logs``: executions are logged at the state machine's level, and subscription
  filters choose lines by their type.
* ``s3``: ``CopyObject`` honours If-Match and If-None-Match on the destination.
  ``GetBucketRequestPayment`` is known by its name on the wire, or it answers with a listing.
  ``ListObjectVersions`` encodes keys where asked to, as Terraform does before it empties a bucket.
  Versions without an id of their own are called "null", as on AWS.
* ``s3_events``: events on the bus name the object's version.
* ``apigateway``: JWT authorisers have no payload format version, or each plan would remove it.
* ``cloudwatch``: ``DescribeAlarms`` describes the whole alarm in the Query protocol, which the
  provider speaks.
* ``logs``: CloudWatch Logs keeps saved queries.
* ``iam``: with IAM enforced, root users' signatures are checked, with the secret of this start, and
  conditions see TLS, roles, callers, an upload's encryption and events' source as on AWS. A
  policy's ``*`` stands for newlines, too.
"""

import inspect
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from scripts.local_aws.patches import (
    apigateway,
    cloudwatch,
    iam,
    lambda_,
    logs,
    s3,
    s3_events,
    stepfunctions,
    stepfunctions_history,
    stepfunctions_logs,
)

MINISTACK_VERSION = "1.5.33"

# The names used, with their parameters where they are functions that are called or replaced.
PRIVATE_NAMES: dict[str, dict[str, str | None]] = {
    "ministack.core.iam_actions": {
        "_s3_object_context": "iam_action query_params path headers",
        "request_tag_context": "service iam_action body params",
    },
    "ministack.core.iam_evaluator": {
        "_anonymous": None,
        "_resolve_condition_key": "key ctx",
        "_fnmatch_compile": "pattern ignore_case",
        "_is_root_key": "access_key_id",
        "is_root_access_key": "access_key_id",
        "resolve_caller_identity": "access_key_id",
    },
    "ministack.core.lambda_runtime": {
        "ProvidedRuntimeError": None,
        "ProvidedWorker": None,
        "_worker_class_for": "config",
    },
    "ministack.core.responses": {
        "error_response_json": "code message status extra message_key content_type",
        "json_response": "data status content_type",
    },
    "ministack.services.apigateway": {"_authorizers": None, "_create_authorizer": "api_id data"},
    "ministack.services.cloudwatch": {
        "_describe_alarms": "params cbor_data is_cbor is_json",
        "_p": "params key default",
        "_xml": "status root_tag inner",
    },
    "ministack.services.cloudwatch_logs": {
        "_create_log_stream": "data",
        "_put_log_events": "data",
        "_subscription_pattern_matches": "pattern message",
        "handle_request": "method path headers body query_params",
    },
    "ministack.services.eventbridge": {"_dispatch_event": "event view"},
    "ministack.services.lambda_svc": {
        "_docker_extracted_dir": "blob kind",
        "_execute_function_provided_warm": "func event request_id",
        "_execute_function_warm": "func event request_id",
        "_provided_code_lock": None,
        "_provided_runtime_code_dir": "code_zip",
        "_provided_worker_env": "config code_dir port",
        "_resolve_layer_zip": "attachment",
        "_runtime_env_vars": "config",
    },
    "ministack.services.s3": {
        "_bucket_versioning": None,
        "_check_put_preconditions": "headers existing_obj",
        "_dispatch": "method bucket key headers body query_params",
        "_copy_object": "bucket_name dest_key headers",
        "_ensure_bucket": "name",
        "_fire_s3_event": (
            "bucket_name key event_name size etag deletion_type restore_event_data version_id"
            " sequencer object_extra record_extra"
        ),
        "_list_object_versions": "bucket_name query_params",
        "_qp": "params key default",
    },
    "ministack.services.sts": {"is_root_access_key": "access_key_id"},
    "ministack.services.stepfunctions": {
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
        "_fail_state_error": "state_def raw_input ctx",
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
    """Fail with a sentence where ministack is not the one that the patches were written against."""
    found = version("ministack")
    if found != MINISTACK_VERSION:
        raise ImportError(
            f"ministack is {found}, but the patches in scripts/local_aws/patches were "
            f"written against {MINISTACK_VERSION}. Run `make setup`; to use another version, "
            "first check PRIVATE_NAMES and the end-to-end tests."
        )
    for module_name, names in PRIVATE_NAMES.items():
        module = import_module(module_name)
        for name, parameters in names.items():
            value = getattr(module, name, None)
            if value is None:
                raise ImportError(f"{module_name} has no {name} any more")
            if parameters is not None:
                actual = " ".join(inspect.signature(value).parameters)
                if actual != parameters:
                    raise ImportError(
                        f"{module_name}.{name} takes ({actual}) now, not ({parameters})"
                    )


_check_names()


def install(runtime_python: Path) -> None:
    """Put everything in. Call once, before ministack serves.

    Parameters:
        runtime_python: the interpreter that runs the functions; awslambdaric must be installed for
            it, and Pillow must not, so that it comes from the layer.
    """
    lambda_.run_python_under_awslambdaric(runtime_python)
    for service in (
        stepfunctions,
        stepfunctions_history,
        stepfunctions_logs,
        s3,
        s3_events,
        apigateway,
        cloudwatch,
        logs,
        iam,
    ):
        service.install()
