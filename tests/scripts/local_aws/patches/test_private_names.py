"""The private names of ministack that the patches use are there, with the same parameters."""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from scripts.local_aws import patches

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
    "ministack.services.apigateway": {
        "_apis": None,
        "_authorizers": None,
        "_create_authorizer": "api_id data",
    },
    "ministack.services.cloudwatch": {
        "_describe_alarms": "params cbor_data is_cbor is_json",
        "_alarms": None,
        "_composite_alarms": None,
    },
    "ministack.services.cloudwatch_logs": {
        "_compile_filter_pattern": "raw",
        "_create_log_stream": "data",
        "_filter_log_events": "data",
        "_log_events_lock": None,
        "_log_groups": None,
        "_put_log_events": "data",
        "_start_query": "data",
        "_subscription_pattern_matches": "pattern message",
        "handle_request": "method path headers body query_params",
    },
    "ministack.services.eventbridge": {"_dispatch_event": "event view"},
    "ministack.services.iam": {"_roles": None},
    "ministack.services.lambda_svc": {
        "_docker_extracted_dir": "blob kind",
        "_emit_lambda_logs": "func request_id log_text error duration_ms log_source",
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
        "_cors_rules": "bucket_name",
        "_dispatch": "method bucket key headers body query_params",
        "_copy_object": "bucket_name dest_key headers",
        "_ensure_bucket": "name",
        "_fire_s3_event": (
            "bucket_name key event_name size etag deletion_type restore_event_data version_id"
            " sequencer object_extra record_extra"
        ),
        "_get_object": "bucket_name key headers query_params",
        "_list_object_versions": "bucket_name query_params",
        "_put_object": "bucket_name key body headers",
        "_qp": "params key default",
    },
    "ministack.services.sqs": {"_Err": None, "_act_send_message_batch": "data qurl"},
    "ministack.services.sts": {"is_root_access_key": "access_key_id"},
    "ministack.services.stepfunctions": {
        "_ExecutionError": None,
        "_SERVICE_DISPATCH": None,
        "_add_event": "execution event_type details",
        "_apply_input_path": "state_def data ctx",
        "_apply_output_path": "state_def data ctx",
        "_apply_parameters": "state_def data ctx",
        "_apply_result_path": "state_def original result",
        "_apply_result_selector": "state_def data",
        "_create_state_machine": "data",
        "_describe_execution": "data",
        "_describe_state_machine_for_execution": "data",
        "_emit_execution_status_event": "execution",
        "_execute_choice": "state_def raw_input ctx",
        "_execute_map": "state_def raw_input execution ctx",
        "_execute_parallel": "state_def raw_input execution ctx",
        "_execute_pass": "state_def raw_input ctx",
        "_execute_task": "state_def raw_input execution ctx",
        "_execute_wait": "state_def raw_input ctx",
        "_executions": None,
        "_fail_execution": "execution error cause",
        "_fail_state_error": "state_def raw_input ctx",
        "_get_execution_history": "data",
        "_list_executions": "data",
        "_map_run_view": "run",
        "_map_runs": None,
        "_read_map_items": "reader effective ctx",
        "_resolve_params_obj": "template data ctx",
        "_resolve_path_or_ctx": "path data ctx",
        "_run_distributed_map": "state_def raw_input effective iterator execution ctx",
        "_run_execution": "exec_arn",
        "_run_parallel_branches": "state_def raw_input execution ctx",
        "_run_sub_machine": "states start_at input_data execution ctx",
        "_sdk_json_value": "value shape",
        "_start_execution": "data",
        "_state_machines": None,
        "_update_state_machine": "data",
        "_validate_state_machine_definition": "data",
        "now_iso": "",
    },
}


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "MINISTACK_VERSION", "0.0.1")
    with pytest.raises(ImportError, match=r"written against 0\.0\.1.*make setup"):
        patches.check_version()


@pytest.mark.parametrize("module", PRIVATE_NAMES)
def test_every_listed_name_has_its_parameters(module: str) -> None:
    for name, parameters in PRIVATE_NAMES[module].items():
        value = getattr(import_module(module), name)
        if parameters is not None:
            assert " ".join(inspect.signature(value).parameters) == parameters, name


def test_every_private_name_in_use_is_listed() -> None:
    listed = {name for names in PRIVATE_NAMES.values() for name in names}
    modules = {module.rsplit(".", 1)[-1] for module in PRIVATE_NAMES}
    used = {
        node.attr
        for source in Path(str(patches.__file__)).parent.glob("*.py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        and source.stem != "__init__"  # where these are the patches themselves
    }
    assert used <= listed
    by_name = {f"_execute_{kind}" for kind in ("choice", "map", "parallel", "pass", "task", "wait")}
    assert listed - by_name == used  # nothing is listed that nobody uses
