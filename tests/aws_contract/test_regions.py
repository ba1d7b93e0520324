"""Two stacks of one name, in two regions of one account, share nothing that either could spoil."""

import pytest

from tests.aws_contract.mocked_stacks import Stack, kind_of

pytestmark = pytest.mark.terraform

# What AWS names once per account, or once in the world, and the attribute that holds the name.
GLOBAL = {
    "aws_budgets_budget": "name",
    "aws_cloudwatch_dashboard": "dashboard_name",
    "aws_iam_role": "name",
    "aws_s3_bucket": "bucket",
}
# What belongs to something of the list above, or to nothing.
DEPENDENT = {"aws_iam_role_policy", "terraform_data"}
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
# gives each of these an ARN with a region in it.
REGIONAL = {
    "aws_apigatewayv2_api",
    "aws_apigatewayv2_authorizer",
    "aws_apigatewayv2_integration",
    "aws_apigatewayv2_route",
    "aws_apigatewayv2_stage",
    "aws_cloudwatch_log_group",
    "aws_cloudwatch_metric_alarm",
    "aws_cloudwatch_query_definition",
    "aws_dynamodb_table",
    "aws_kms_alias",
    "aws_kms_key",
    "aws_lambda_alias",
    "aws_lambda_event_source_mapping",
    "aws_lambda_function",
    "aws_lambda_invocation",
    "aws_lambda_layer_version",
    "aws_lambda_permission",
    "aws_sfn_state_machine",
    "aws_sns_topic",
    "aws_sns_topic_policy",
    "aws_sns_topic_subscription",
    "aws_sqs_queue",
}


def _global_names(stack: Stack) -> set[tuple[str, str]]:
    return {
        (kind, values[attribute])
        for kind, attribute in GLOBAL.items()
        for values in stack.of_type(kind).values()
    }


def test_every_type_is_known_to_be_global_or_regional(stacks: dict[str, Stack]) -> None:
    kinds = {kind_of(address) for stack in stacks.values() for address in stack.resources}
    settings_of_buckets = {kind for kind in kinds if kind.startswith("aws_s3_bucket_")}
    assert kinds - settings_of_buckets - REGIONAL - DEPENDENT == GLOBAL.keys()


def test_global_names_carry_the_region(stacks: dict[str, Stack]) -> None:
    ireland, singapore = (_global_names(stacks[place]) for place in ("ireland", "singapore"))
    assert {kind for kind, _ in ireland} == GLOBAL.keys()
    assert ireland & singapore == set()
