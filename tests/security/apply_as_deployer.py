"""Terraform applies, plans empty and destroys with the deployer's policy.

What the local AWS cannot tie to a resource is allowed on everything beside it, see _UNTIED: of
those actions, this shows nothing.

It takes another apply, so it is no part of `make test`: `make test-deployer` runs it.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import deployer
from scripts.aws_clients import Clients
from scripts.inventory import inventory
from scripts.local_aws import REGION, LocalAws
from scripts.stack import Stack
from tests.conftest import PACKAGE

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

ACCOUNT = "000000000000"

# What the policy ties to a resource, a tag or a function where the local AWS takes the request for
# one on everything, or for another action.
_UNTIED = {
    "dynamodb:ListTagsOfResource": "the table's ARN in the request is not read",
    "cloudwatch:ListTagsForResource": "the alarm's ARN in the request is not read",
    "cloudwatch:DeleteAlarms": "the alarms' names in the request are not read",
    "cloudwatch:PutDashboard": "the dashboard's name in the request is not read",
    "cloudwatch:GetDashboard": "the dashboard's name in the request is not read",
    "cloudwatch:DeleteDashboards": "the dashboard's name in the request is not read",
    "sns:ListTagsForResource": "the topic's ARN in the request is not read",
    "states:ListTagsForResource": "the state machine's ARN in the request is not read",
    "lambda:CreateFunction": "the function's name in the request is not read",
    "lambda:CreateEventSourceMapping": "conditions do not know lambda:FunctionArn",
    "lambda:UpdateEventSourceMapping": "conditions do not know lambda:FunctionArn",
    "lambda:DeleteEventSourceMapping": "conditions do not know lambda:FunctionArn",
    "lambda:ListEventSourceMappings": "it is taken for GetEventSourceMapping",
    "lambda:ListLayers": "it is taken for GetLayerVersion",
    "kms:*": "conditions do not know the tags of keys",
}


@pytest.fixture
def deployer_env(local_aws: LocalAws) -> dict[str, str]:
    """The environment of a user who has the deployer's policy."""
    iam = Clients(local_aws.env).iam
    untied: list[dict[str, Any]] = [{"Effect": "Allow", "Action": list(_UNTIED), "Resource": "*"}]
    policies = {
        "deployer": deployer.policy(ACCOUNT, REGION),
        "untied": {"Version": "2012-10-17", "Statement": untied},
    }
    iam.create_user(UserName="deployer")
    for name, document in policies.items():
        iam.put_user_policy(
            UserName="deployer", PolicyName=name, PolicyDocument=json.dumps(document)
        )
    made = iam.create_access_key(UserName="deployer")["AccessKey"]
    return {
        **local_aws.env,
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
    }


def test_the_deployers_policy_is_enough(
    local_aws: LocalAws, deployer_env: dict[str, str], tmp_path: Path
) -> None:
    before = inventory(Clients(local_aws.env))
    variables = {"force_destroy": True}
    stack = Stack(tmp_path / "stack", deployer_env, package=PACKAGE, variables=variables)
    stack.init()
    stack.apply()
    assert stack.plan() == []
    bucket = stack.outputs()["source_bucket"]
    Clients(local_aws.env).s3.put_object(Bucket=bucket, Key="left.txt", Body=b"left")
    stack.destroy()
    assert stack.resources() == []
    assert inventory(Clients(local_aws.env)) - before == set()
