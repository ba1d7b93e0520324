"""What Terraform creates, compared with a readable list: inventory.txt."""

import difflib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.paths import REPOSITORY
from tests.aws_contract.mocked_stacks import Stack, kind_of
from tests.support.asl import rendering

pytestmark = pytest.mark.terraform

INVENTORY = Path(__file__).parent / "inventory.txt"
PROPOSED = REPOSITORY / "build" / "fidelity" / "inventory.txt"

# What is listed of each type: what a reader would want to know, nothing that AWS fills in.
TOLD: dict[str, tuple[str, ...]] = {
    "aws_apigatewayv2_api": ("name", "protocol_type"),
    "aws_apigatewayv2_authorizer": ("authorizer_type", "jwt_configuration"),
    "aws_apigatewayv2_integration": ("integration_type", "payload_format_version"),
    "aws_apigatewayv2_route": ("route_key", "authorization_type"),
    "aws_apigatewayv2_stage": ("name", "auto_deploy", "default_route_settings"),
    "aws_budgets_budget": ("name", "limit_amount", "limit_unit", "time_unit", "cost_filter"),
    "aws_cloudwatch_dashboard": ("dashboard_name",),
    "aws_cloudwatch_log_group": ("name", "retention_in_days", "kms_key_id"),
    "aws_cloudwatch_metric_alarm": ("metric_name", "namespace", "threshold", "comparison_operator"),
    "aws_cloudwatch_query_definition": ("name", "log_group_names"),
    "aws_dynamodb_table": (
        "name",
        "billing_mode",
        "hash_key",
        "deletion_protection_enabled",
        "point_in_time_recovery",
        "server_side_encryption",
    ),
    "aws_iam_role": ("name", "assume_role_policy"),
    "aws_iam_role_policy": ("policy",),
    "aws_kms_alias": ("name",),
    "aws_kms_key": ("enable_key_rotation", "deletion_window_in_days"),
    "aws_lambda_event_source_mapping": (
        "batch_size",
        "maximum_batching_window_in_seconds",
        "function_response_types",
        "scaling_config",
    ),
    "aws_lambda_function": (
        "function_name",
        "handler",
        "runtime",
        "architectures",
        "memory_size",
        "timeout",
        "environment",
        "tracing_config",
    ),
    "aws_lambda_invocation": ("input", "lifecycle_scope"),
    "aws_lambda_layer_version": ("layer_name", "compatible_runtimes", "compatible_architectures"),
    "aws_lambda_permission": ("action", "principal", "source_arn"),
    "aws_s3_bucket": ("bucket", "force_destroy"),
    "aws_s3_bucket_lifecycle_configuration": ("rule",),
    "aws_s3_bucket_logging": ("target_prefix",),
    "aws_s3_bucket_notification": ("queue",),
    "aws_s3_bucket_ownership_controls": ("rule",),
    "aws_s3_bucket_policy": ("policy",),
    "aws_s3_bucket_public_access_block": (
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ),
    "aws_s3_bucket_server_side_encryption_configuration": ("rule",),
    "aws_s3_bucket_versioning": ("versioning_configuration",),
    "aws_sfn_state_machine": ("name", "type", "logging_configuration", "tracing_configuration"),
    "aws_sns_topic": ("name",),
    "aws_sns_topic_policy": ("policy",),
    "aws_sns_topic_subscription": ("protocol", "endpoint"),
    "aws_sqs_queue": (
        "name",
        "visibility_timeout_seconds",
        "message_retention_seconds",
        "redrive_policy",
        "redrive_allow_policy",
    ),
    "terraform_data": (),
}

# The mocked provider makes values up for what AWS would fill in; these are such.
MADE_UP = frozenset({"id", "logging_level", "mfa_delete", "prefix"})


def inventory(stack: Stack) -> str:
    """Return the list: modules in order, a count for each, resources with their attributes."""
    modules: dict[str, list[str]] = {}
    for address in sorted(stack.resources):
        modules.setdefault(_module(address), []).append(address)
    lines = [f"{len(stack.resources)} resources"]
    for module, addresses in modules.items():
        lines += ["", f"{module}: {len(addresses)}"]
        for address in addresses:
            lines.append(f"  {address.removeprefix(f'{module}.')}")
            values = stack.resources[address]
            lines += [
                f"    {name} = {_text_of(values[name])}".replace(" = \n", ":\n")
                for name in TOLD[kind_of(address)]
                if _is_listed(name, values[name])
            ]
    return "\n".join(lines) + "\n"


def _is_listed(name: str, value: Any) -> bool:
    """Return whether there is a value, and not one that the mocked provider made up."""
    if name.startswith("redrive") and not str(value).startswith("{"):
        return False
    return value not in (None, [], {})


def _module(address: str) -> str:
    module = re.match(r"module\.\w+(\[[^\]]+\])?", address)
    return module[0] if module else "root"


def _text_of(value: Any) -> str:
    """Return a value on one line; of a policy, only what it allows or denies on what."""
    if isinstance(value, str) and value.startswith("{"):
        document = json.loads(value)
        statements = document.get("Statement")
        return (
            "".join(f"\n      {_statement(statement)}" for statement in statements)
            if statements
            else _text_of(document)
        )
    if isinstance(value, list):
        return ", ".join(_text_of(item) for item in value)
    if isinstance(value, dict):
        names = sorted(value.keys() - MADE_UP)
        held = {name: value[name] for name in names if value[name] not in (None, "", 0, [], {})}
        return f"({', '.join(f'{k} {_text_of(v)}' for k, v in held.items())})"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _statement(statement: dict[str, Any]) -> str:
    actions = statement["Action"]
    listed = actions if isinstance(actions, list) else [actions]
    condition = " if ..." if "Condition" in statement else ""
    return f"{statement['Effect']} {statement['Sid']}: {' '.join(listed)}{condition}"


def test_what_terraform_makes_is_what_the_inventory_says(stacks: dict[str, Stack]) -> None:
    made = inventory(stacks["virginia"])
    PROPOSED.parent.mkdir(parents=True, exist_ok=True)
    PROPOSED.write_text(made, encoding="utf-8")
    wanted = INVENTORY.read_text(encoding="utf-8") if INVENTORY.exists() else ""
    difference = "\n".join(
        difflib.unified_diff(wanted.splitlines(), made.splitlines(), "listed", "made", lineterm="")
    )
    assert not difference, (
        f"{difference}\nIf that is meant: cp build/fidelity/inventory.txt {INVENTORY.name}"
    )


def test_a_changed_attribute_and_a_missing_resource_are_seen(stacks: dict[str, Stack]) -> None:
    resources = dict(stacks["virginia"].resources)
    name = 'module.function["trigger"].aws_lambda_function.this'
    resources[name] = {**resources[name], "timeout": 31}
    del resources["module.table.aws_dynamodb_table.this"]
    changed = inventory(Stack(resources)).splitlines()
    kept = inventory(stacks["virginia"]).splitlines()
    assert "    timeout = 31" in set(changed) - set(kept)
    assert "module.table: 1" in set(kept) - set(changed)


def test_whatever_can_have_tags_says_which_stack_it_belongs_to(stacks: dict[str, Stack]) -> None:
    """The budget counts by them, and the deployer's policy identifies key and event source."""
    tagged = {
        address: values["tags"]
        for address, values in stacks["ireland"].resources.items()
        if "tags" in values
    }
    assert len(tagged) > 40
    wanted = {"Project": "image-converter", "ManagedBy": "terraform"}
    assert {address: tags for address, tags in tagged.items() if tags != wanted} == {}


def test_the_definition_is_the_one_that_other_tests_render(stacks: dict[str, Stack]) -> None:
    """They render the template with the numbers that stand in rendering.py."""
    machine = stacks["virginia"].resources["module.state_machine.aws_sfn_state_machine.this"]
    mocked = r"arn:aws:lambda:us-east-1:123456789012:function:[\w-]+"
    applied, rendered = (
        json.loads(re.sub(mocked, "...", text))
        for text in (machine["definition"], rendering.rendered())
    )
    # Other tests send events, which name the execution; this stack sends none.
    del rendered["States"]["WriteToDynamoDb"]["Parameters"]["execution.$"]
    assert applied == rendered


def test_the_backfill_is_the_one_that_other_tests_render(stacks: dict[str, Stack]) -> None:
    machine = stacks["ireland"].resources["module.backfill[0].aws_sfn_state_machine.this"]
    applied = json.loads(machine["definition"])
    place = "123456789012-eu-west-1"
    rendered = rendering.backfill(
        source_bucket=f"image-converter-source-{place}",
        destination_bucket=f"image-converter-destination-{place}",
        queue_url=applied["States"]["SendRows"]["ItemProcessor"]["States"]["SendRowBatch"][
            "Arguments"
        ]["QueueUrl"],
    )
    assert applied == json.loads(rendered)
