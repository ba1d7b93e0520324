"""The configuration by the schema of a current 6.x of the provider, which is not installed here."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.lib import terraform_cli
from scripts.lib.paths import REPOSITORY
from tests.aws_contract import provider_check, provider_schema
from tests.support.provider import Provider


@pytest.mark.exercised("schema")
def test_the_configuration_is_valid() -> None:
    assert provider_check.problems() == []


@pytest.mark.exercised("schema")
def test_the_schema_has_every_type_in_use() -> None:
    """It is extracted again by `make provider-6`."""
    types = json.loads(provider_schema.SCHEMA.read_text(encoding="utf-8"))["types"]
    assert provider_schema.used() <= types.keys()


# In which file, what is replaced by what, and what the check has to say of it.
FAULTS = {
    "an attribute that is gone": (
        "modules/table/main.tf",
        "  billing_mode ",
        "  read_ahead = true\n  billing_mode ",
        "aws_dynamodb_table.this: there is no read_ahead",
    ),
    "a required attribute that is missing": (
        "modules/state_machine/main.tf",
        "  role_arn   = aws_iam_role.this.arn\n",
        "",
        "aws_sfn_state_machine.this: role_arn is required",
    ),
    "a block written as an attribute": (
        "modules/state_machine/main.tf",
        "  tracing_configuration {\n",
        "  tracing_configuration = {\n",
        "tracing_configuration is a block, not an attribute",
    ),
    "an attribute written as a block": (
        "modules/table/main.tf",
        "  tags                        = var.tags\n",
        "  tags {\n    a = 1\n  }\n",
        "tags is an attribute, not a block",
    ),
    "an attribute that is computed only": (
        "modules/table/main.tf",
        "  billing_mode ",
        '  arn = "arn"\n  billing_mode ',
        "aws_dynamodb_table.this.arn is computed and cannot be set",
    ),
    "a literal of another type": (
        "modules/key/main.tf",
        "  enable_key_rotation     = true",
        '  enable_key_rotation     = "on"',
        "enable_key_rotation is a string, but must be a boolean",
    ),
    "an unknown attribute in a nested block": (
        "modules/state_machine/main.tf",
        "    enabled = var.tracing",
        "    enabled = var.tracing\n    sampled = true",
        "tracing_configuration: there is no sampled",
    ),
    "a block that stands too often": (
        "modules/state_machine/main.tf",
        "  tracing_configuration {\n",
        "  tracing_configuration {\n    enabled = false\n  }\n\n  tracing_configuration {\n",
        "tracing_configuration stands 2 times, but may 1",
    ),
    "an attribute that expressions read in vain": (
        "modules/state_machine/main.tf",
        "role_arn   = aws_iam_role.this.arn",
        "role_arn   = aws_iam_role.this.role_arn",
        "aws_iam_role.this has no role_arn",
    ),
    "an attribute that 6.x deprecates": (
        "names.tf",
        "data.aws_region.current.id",
        "data.aws_region.current.name",
        "data.aws_region.current.name is deprecated",
    ),
    "a resource that does not exist": (
        "modules/table/main.tf",
        'resource "aws_dynamodb_table" "this"',
        'resource "aws_dynamodb_tables" "this"',
        "there is no aws_dynamodb_tables",
    ),
}


@pytest.mark.exercised("schema")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(fault: str, tmp_path: Path) -> None:
    file, old, new, sentence = FAULTS[fault]
    copy = tmp_path / "terraform"
    shutil.copytree(REPOSITORY / "terraform", copy, ignore=shutil.ignore_patterns(".terraform"))
    text = (copy / file).read_text(encoding="utf-8")
    assert old in text, f"{file} has changed: choose another place for the fault"
    (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    problems = provider_check.problems(copy)
    assert any(sentence in problem for problem in problems), problems


# ---- The extraction is right: where 6.x has what 5.100.0 has, both say the same ----------------

# What 6.69.1 has otherwise than 5.100.0: see docs/upgrade-to-provider-6.md.
CHANGED = {
    "aws_cloudwatch_metric_alarm.comparison_operator": "optional",
    "aws_cloudwatch_metric_alarm.evaluation_periods": "optional",
    "aws_dynamodb_table.global_secondary_index.hash_key": "optional, computed",
    "aws_lambda_function.code_sha256": "optional, computed",
    "aws_s3_bucket.region": "optional, computed",
    "aws_s3_bucket_lifecycle_configuration.rule.noncurrent_version_expiration"
    ".newer_noncurrent_versions": "optional",
    "aws_s3_bucket_lifecycle_configuration.rule.noncurrent_version_transition"
    ".newer_noncurrent_versions": "optional",
    "data.aws_s3_bucket.region": "optional, computed",
    "aws_s3_bucket_server_side_encryption_configuration.rule.bucket_key_enabled": (
        "optional, computed"
    ),
    "aws_s3_bucket_server_side_encryption_configuration.rule"
    ".apply_server_side_encryption_by_default.kms_master_key_id": "optional, computed",
}


@pytest.fixture(scope="module")
def installed(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The schema of the installed provider, as Terraform prints it."""
    folder = tmp_path_factory.mktemp("schema")
    for name in ("versions.tf", ".terraform.lock.hcl"):
        shutil.copy(REPOSITORY / "terraform" / name, folder)
    with provider.running(terraform_cli.environment()) as env:
        terraform_cli.init(folder, env, "-backend=false", "-lockfile=readonly")
        output = terraform_cli.output(folder, env, "providers", "schema", "-json")
    schema: Mapping[str, Any] = json.loads(output)["provider_schemas"][
        "registry.terraform.io/hashicorp/aws"
    ]
    return schema


@pytest.mark.terraform
def test_the_extracted_schema_agrees_with_the_installed_one(installed: Mapping[str, Any]) -> None:
    types = json.loads(provider_schema.SCHEMA.read_text(encoding="utf-8"))["types"]
    changed: dict[str, str] = {}
    for kind, node in types.items():
        group = "data_source_schemas" if kind.startswith("data.") else "resource_schemas"
        block = installed[group][kind.removeprefix("data.")]["block"]
        changed |= _changes(kind, block, node)
    assert changed == CHANGED


def _changes(path: str, block: Mapping[str, Any], node: provider_schema.Node) -> dict[str, str]:
    """Return what the extracted schema says otherwise of what the installed one has."""
    changed: dict[str, str] = {}
    for name, attribute in block.get("attributes", {}).items():
        _, availability = node["attributes"].get(name, (None, "gone"))
        if availability != _availability(attribute):
            changed[f"{path}.{name}"] = availability
    for name, inner in block.get("block_types", {}).items():
        nested = node["blocks"].get(name)
        if nested is None:
            changed[f"{path}.{name}"] = "gone"
            continue
        nesting = re.sub("single", "struct", inner["nesting_mode"])
        if nesting != nested["nesting"] or bool(inner.get("min_items")) != nested["needed"]:
            changed[f"{path}.{name}"] = f"{nested['nesting']}, needed: {nested['needed']}"
        changed |= _changes(f"{path}.{name}", inner["block"], nested)
    return changed


def _availability(attribute: Mapping[str, Any]) -> str:
    if attribute.get("required"):
        return "required"
    return ", ".join(name for name in ("optional", "computed") if attribute.get(name))
