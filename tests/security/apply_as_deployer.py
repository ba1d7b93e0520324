"""Terraform applies, plans empty and destroys with the deployer's policy.

What the local AWS cannot tie to a resource is also allowed on everything, see _UNTIED: for these
actions, this test proves nothing.

It takes another apply, so it is not part of `make test`: `make test-deployer` runs it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.commands import deployer_policy
from scripts.lib.aws import Clients
from scripts.lib.inventory import inventory
from scripts.lib.terraform_stack import Stack
from scripts.local_aws import REGION, LocalAws
from tests.conftest import PACKAGE
from tests.support.resources import user
from tests.support.terraform_changes import plan, resources

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

ACCOUNT = "000000000000"
BUCKETS = {"source": "my-uploads", "access-logs": "my-logs"}

# Lambda makes snapshots from python3.12 on. The guard of a destroy runs while Terraform applies, so
# the package must be for this machine's Python.
SNAP_START = {"snap_start": sys.version_info >= (3, 12)}

# All options.
VARIABLES: dict[str, Any] = {
    "force_destroy": True,
    "bucket_names": {"source": "my-uploads", "access_logs": "my-logs"},
    "monthly_budget_usd": 50,
    "alarm_email": "someone@example.com",
    "functions": {
        "resize_image": {"reserved_concurrency": 10},
        "trigger": SNAP_START,
        "upload": SNAP_START,
    },
}

# What the policy ties to a resource, a tag or a function, while the local AWS treats the request as
# one on everything, or as another action.
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
    "lambda:ListAliases": "it is taken for GetAlias",
    "kms:*": "conditions do not know the tags of keys",
    "budgets:*": "the actions have other names than on AWS, those of the operations",
}
# Conditions do not know the tags of event source mappings, either; functions' are tied by name.
_UNTIED_MAPPINGS = {
    "Effect": "Allow",
    "Action": ["lambda:ListTags", "lambda:TagResource", "lambda:UntagResource"],
    "Resource": f"arn:aws:lambda:{REGION}:{ACCOUNT}:event-source-mapping:*",
}


@pytest.fixture
def deployer_env(local_aws: LocalAws) -> dict[str, str]:
    """The environment of a user who has the deployer's policy."""
    iam = Clients(local_aws.env).iam
    untied: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": list(_UNTIED), "Resource": "*"},
        _UNTIED_MAPPINGS,
    ]
    policies = {
        "deployer": deployer_policy.policy(
            ACCOUNT, REGION, bucket_names=BUCKETS, budget=True, backfill=True
        ),
        "untied": {"Version": "2012-10-17", "Statement": untied},
    }
    keys = user(iam, "deployer")
    for name, document in policies.items():
        iam.put_user_policy(
            UserName="deployer", PolicyName=name, PolicyDocument=json.dumps(document)
        )
    return {**local_aws.env, **keys}


def test_the_deployers_policy_is_enough(
    local_aws: LocalAws, deployer_env: dict[str, str], tmp_path: Path
) -> None:
    before = inventory(Clients(local_aws.env))
    stack = Stack(tmp_path / "stack", deployer_env, package=PACKAGE, variables=VARIABLES)
    stack.init()
    stack.apply()
    assert plan(stack) == []
    bucket = stack.outputs()["source_bucket"]
    Clients(local_aws.env).s3.put_object(Bucket=bucket, Key="left.txt", Body=b"left")
    stack.destroy()
    assert resources(stack) == []
    assert inventory(Clients(local_aws.env)) - before == set()
