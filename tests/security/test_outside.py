"""Who is kept out: by the policies of buckets, queues, key, topic, functions and roles."""

import json
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from image_converter import keys
from scripts.lib.aws import Clients
from scripts.local_aws import REGION
from tests.conftest import Deployment
from tests.security.users import user_of_s3
from tests.support import images, terraform_changes

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

Resource = dict[str, Any]
Statement = dict[str, Any]

# Where a policy says who else may use a resource, or become a role.
_POLICIES = {
    "aws_iam_role": "assume_role_policy",
    "aws_kms_key": "policy",
    "aws_s3_bucket_policy": "policy",
    "aws_sns_topic_policy": "policy",
    "aws_sqs_queue": "policy",
}

# Conditions that say on whose behalf a service of AWS's asks.
_ON_BEHALF = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}


@pytest.fixture(scope="module")
def resources(plan: dict[str, Any]) -> list[Resource]:
    """Every resource of the stack, with its values."""
    return list(terraform_changes.managed(plan["planned_values"]["root_module"]))


@pytest.fixture(scope="module")
def statements(resources: list[Resource]) -> list[tuple[str, Statement]]:
    """Every statement of every policy of a resource, with the resource's address."""
    return [
        (resource["address"], statement)
        for resource in resources
        if resource["type"] in _POLICIES
        for statement in json.loads(resource["values"][_POLICIES[resource["type"]]])["Statement"]
    ]


def _of(resources: list[Resource], kind: str) -> dict[str, dict[str, Any]]:
    return {
        resource["address"]: resource["values"]
        for resource in resources
        if resource["type"] == kind
    }


def _keys(statement: Statement) -> set[str]:
    return {key for tests in statement.get("Condition", {}).values() for key in tests}


def test_no_policy_lets_everyone_in(statements: list[tuple[str, Statement]]) -> None:
    for address, statement in statements:
        if statement["Effect"] == "Allow":
            assert isinstance(statement["Principal"], dict), address
            assert "*" not in json.dumps(statement["Principal"]), address


def test_every_service_says_on_whose_behalf(statements: list[tuple[str, Statement]]) -> None:
    seen = set()
    for address, statement in statements:
        principal = statement["Principal"]
        if statement["Effect"] == "Allow" and "Service" in principal:
            assert _keys(statement) & _ON_BEHALF, f"{address}: {statement}"
            seen.add(address.split(".")[-2])
    assert seen == _POLICIES.keys()


def test_accounts_that_are_let_in(
    statements: list[tuple[str, Statement]], deployment: Deployment
) -> None:
    """Only the account itself, only by the key's policy, which leaves the rest to IAM."""
    account = deployment.clients.sts.get_caller_identity()["Account"]
    allowed = [
        (address, statement["Principal"]["AWS"], statement["Action"])
        for address, statement in statements
        if statement["Effect"] == "Allow" and "AWS" in statement["Principal"]
    ]
    assert allowed == [("module.key.aws_kms_key.this[0]", f"arn:aws:iam::{account}:root", "kms:*")]


@pytest.mark.parametrize("bucket", ["source", "destination", "access_logs"])
def test_buckets_deny_plain_http_and_other_accounts(
    bucket: str, resources: list[Resource], deployment: Deployment
) -> None:
    address = f"module.{bucket}_bucket[0].aws_s3_bucket"
    values = _of(resources, "aws_s3_bucket_policy")[f"{address}_policy.this"]
    statements = {
        statement["Sid"]: statement for statement in json.loads(values["policy"])["Statement"]
    }
    arn = f"arn:aws:s3:::{values['bucket']}"
    everything = {"Effect": "Deny", "Principal": "*", "Action": "s3:*"}
    account = deployment.clients.sts.get_caller_identity()["Account"]
    for sid, condition in {
        "TlsOnly": {"Bool": {"aws:SecureTransport": "false"}},
        "ThisAccountOnly": {
            "StringNotEquals": {"aws:PrincipalAccount": [account]},
            # Unsigned requests carry no such word, and are denied, too.
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
        },
    }.items():
        statement = statements[sid]
        assert everything.items() <= statement.items()
        assert statement["Condition"] == condition
        assert statement["Resource"] == [arn, f"{arn}/*"]
    blocks = _of(resources, "aws_s3_bucket_public_access_block")[
        f"{address}_public_access_block.this"
    ]
    for block in (
        "block_public_acls",
        "block_public_policy",
        "ignore_public_acls",
        "restrict_public_buckets",
    ):
        assert blocks[block] is True


def test_images_are_encrypted_with_the_stacks_key(
    resources: list[Resource], deployment: Deployment
) -> None:
    """checkov's check of it is skipped, for the sake of the access logs alone."""
    kind = "aws_s3_bucket_server_side_encryption_configuration"
    for bucket in ("source", "destination"):
        [rule] = _of(resources, kind)[f"module.{bucket}_bucket[0].{kind}.this"]["rule"]
        [encryption] = rule["apply_server_side_encryption_by_default"]
        assert encryption["sse_algorithm"] == "aws:kms"
        assert encryption["kms_master_key_id"] == deployment.outputs["kms_key_arn"]


@pytest.mark.parametrize("address", ["module.alarms[0].aws_sns_topic_policy.this[0]"])
def test_the_topic_denies_plain_http(address: str, resources: list[Resource]) -> None:
    values = _of(resources, "aws_sns_topic_policy")[address]
    [denied] = [
        statement
        for statement in json.loads(values["policy"])["Statement"]
        if statement["Effect"] == "Deny"
    ]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert (denied["Principal"], denied["Action"]) == ("*", "sns:Publish")


@pytest.mark.parametrize("bucket", ["source_bucket", "destination_bucket"])
def test_nobody_gets_in_unsigned(bucket: str, deployment: Deployment) -> None:
    unsigned = boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=deployment.aws.endpoint,
        config=Config(signature_version=UNSIGNED),
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        unsigned.list_objects_v2(Bucket=deployment.outputs[bucket])
    with pytest.raises(ClientError, match="AccessDenied"):
        unsigned.put_object(Bucket=deployment.outputs[bucket], Key="unsigned.jpg", Body=b"")


def test_functions_are_called_by_this_api_only(resources: list[Resource]) -> None:
    [api] = _of(resources, "aws_apigatewayv2_api").values()
    permissions = _of(resources, "aws_lambda_permission").values()
    assert {permission["source_arn"] for permission in permissions} == {
        f"{api['execution_arn']}/*/POST/upload",
        f"{api['execution_arn']}/*/POST/upload-url",
    }
    assert {permission["principal"] for permission in permissions} == {"apigateway.amazonaws.com"}
    routes = _of(resources, "aws_apigatewayv2_route").values()
    assert {route["authorization_type"] for route in routes} == {"AWS_IAM"}


def test_nothing_loops_and_everything_is_bounded(
    resources: list[Resource], deployment: Deployment
) -> None:
    [notification] = _of(resources, "aws_s3_bucket_notification").values()
    assert notification["bucket"] == deployment.outputs["source_bucket"]
    for name, function in _of(resources, "aws_lambda_function").items():
        variables = function["environment"][0]["variables"]
        assert variables.get("DESTINATION_BUCKET") != deployment.outputs["source_bucket"], name
    [mapping] = _of(resources, "aws_lambda_event_source_mapping").values()
    assert 2 <= mapping["scaling_config"][0]["maximum_concurrency"] <= 1000
    [stage] = _of(resources, "aws_apigatewayv2_stage").values()
    [limits] = stage["default_route_settings"]
    assert limits["throttling_rate_limit"] > 0
    assert limits["throttling_burst_limit"] > 0


# The settings of functions; none of them opens anything.
_ENVIRONMENT = {
    "DESTINATION_BUCKET",
    "FORM_SECONDS",
    "LOG_LEVEL",
    "MAX_FORM_BYTES",
    "MAX_IMAGE_BYTES",
    "MAX_IMAGE_PIXELS",
    "MAX_UPLOAD_BYTES",
    "OTHER_TYPES",
    "PNG_COMPRESSION",
    "SOURCE_AFTER",
    "SOURCE_BUCKET",
    "STATE_MACHINE_ARN",
    "TABLE_NAME",
    "TRACING",
}


def test_environments_hold_no_secret(resources: list[Resource]) -> None:
    functions = _of(resources, "aws_lambda_function").values()
    variables = {name for function in functions for name in function["environment"][0]["variables"]}
    assert variables == _ENVIRONMENT


def test_the_state_machine_may_call_its_functions_and_deliver_logs_and_traces(
    resources: list[Resource], deployment: Deployment
) -> None:
    """The local AWS does not enforce this role: it is compared action by action."""
    address = "module.state_machine.aws_iam_role_policy.this"
    policy = json.loads(_of(resources, "aws_iam_role_policy")[address]["policy"])
    called = {
        deployment.clients.functions.get_function_configuration(FunctionName=name)["FunctionArn"]
        for function, name in deployment.outputs["function_names"].items()
        if function not in ("upload", "trigger")
    }
    policies = {
        action: set(statement["Resource"])
        for statement in policy["Statement"]
        for action in statement["Action"]
    }
    # Neither log deliveries nor traces have resources to name:
    # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html
    # https://docs.aws.amazon.com/step-functions/latest/dg/concepts-xray-tracing.html
    everywhere = {
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert policies == {"lambda:InvokeFunction": called, **{action: {"*"} for action in everywhere}}


def test_only_the_pipeline_writes_to_the_destination(deployment: Deployment) -> None:
    bucket, key = deployment.outputs["destination_bucket"], "outside.jpg"
    root = deployment.clients.s3
    version = root.put_object(Bucket=bucket, Key=key, Body=images.jpeg())["VersionId"]
    with user_of_s3(deployment.clients, dict(deployment.aws.env)) as user:
        for forged in ("forged.png", "backfill/forged.png", "backfill/results/1/FAILED_0.jsonl"):
            with pytest.raises(ClientError, match="AccessDenied"):
                user.s3.put_object(Bucket=bucket, Key=forged, Body=b"forged")
        where = {"Bucket": bucket, "Key": f"{keys.MANIFESTS}1.csv"}
        manifest = user.s3.put_object(**where, Body=b"Bucket,Key")
        user.s3.delete_object(**where, VersionId=manifest["VersionId"])
        assert user.s3.get_object(Bucket=bucket, Key=key)["Body"].read() == images.jpeg()
        user.s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    assert not root.list_object_versions(Bucket=bucket, Prefix=key).get("Versions")


@pytest.mark.parametrize("bucket", ["source_bucket", "destination_bucket"])
def test_another_account_is_kept_out(bucket: str, deployment: Deployment) -> None:
    env = dict(deployment.aws.env)
    foreign = Clients({**env, "AWS_ACCESS_KEY_ID": "111111111111"})
    with user_of_s3(foreign, env) as user:
        assert user.sts.get_caller_identity()["Account"] == "111111111111"
        name = deployment.outputs[bucket]
        with pytest.raises(ClientError, match=r"AccessDenied|NoSuchBucket"):
            user.s3.put_object(Bucket=name, Key="foreign.jpg", Body=images.jpeg())
        with pytest.raises(ClientError, match=r"AccessDenied|NoSuchBucket"):
            user.s3.list_objects_v2(Bucket=name)
