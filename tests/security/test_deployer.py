"""The policy of who applies the Terraform is as narrow as AWS lets it be."""

import json
from typing import Any

import pytest

from scripts import deployer
from scripts.local_aws import REGION
from tests.conftest import Deployment

# Inline policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LIMIT = 10_240

# Statements that name no resource, and why. By AWS's own reference:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
_EVERYWHERE = {
    "EventSource": "a mapping is named by an id that AWS gives; a condition names its function",
    "MakeKey": "a key has no name before it is made; its tag is demanded",
    "TagNewKey": "as long as it has no alias; its tag is demanded",
    "ReadAlarms": "AWS asks for it on all alarms, whichever are described",
    "ListAliases": "has no resource to name",
    "DeliverLogs": "log deliveries and saved queries have no resources to name",
    "Subscription": "subscriptions are no resources to IAM",
    "CheckDefinition": "nothing exists yet when a definition is checked",
    "HandRolesOnToNobodyElse": "it denies",
}

# Where `some-stack-*` stands for what belongs to some-stack, it is some-stack-2's, too.
_BEGIN_ALIKE = {"LogGroups", "Alarms"}

PLACE = ("123456789012", "eu-central-1")


def _statements(**chosen: Any) -> dict[str, dict[str, Any]]:
    made = deployer.policy(*PLACE, "some-stack", **chosen)
    return {each["Sid"]: each for each in made["Statement"]}


@pytest.fixture
def statements() -> list[dict[str, Any]]:
    return list(_statements(budget=True).values())


def test_no_action_has_a_wildcard(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        for action in statement["Action"]:
            assert "*" not in action


def test_resources_are_this_stacks(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        sid = statement["Sid"]
        if statement["Resource"] == ["*"]:
            assert sid in _EVERYWHERE, sid
        elif sid in ("Key", "TagEventSource"):
            assert statement["Condition"] == {
                "StringEquals": {"aws:ResourceTag/Project": "some-stack"}
            }
        elif sid == "TagNewEventSource":
            assert statement["Condition"] == {
                "StringEquals": {"aws:RequestTag/Project": "some-stack"}
            }
        elif sid != "UploadApi":  # named by ids that AWS gives
            for resource in statement["Resource"]:
                assert "some-stack" in resource, resource


def test_nothing_of_a_stack_whose_name_begins_alike(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        if statement["Sid"] not in _BEGIN_ALIKE and statement["Resource"] != ["*"]:
            for resource in statement["Resource"]:
                assert "some-stack-*" not in resource, resource
                assert "some-stack*" not in resource, resource


def test_nobody_elses_key_becomes_this_stacks() -> None:
    """Tagging a key is taking it over: only what has no alias yet, and only this stack's way."""
    found = _statements()
    assert "kms:TagResource" not in found["MakeKey"]["Action"]
    assert found["TagNewKey"]["Condition"] == {
        "StringEquals": {"aws:RequestTag/Project": "some-stack"},
        "Null": {"kms:ResourceAliases": "true"},
    }


def test_roles_are_handed_to_two_services_only() -> None:
    passing = [each for each in _statements().values() if "iam:PassRole" in each["Action"]]
    assert [each["Sid"] for each in passing] == ["Roles", "HandRolesOnToNobodyElse"]
    assert passing[1]["Effect"] == "Deny"
    assert passing[1]["Condition"] == {
        "StringNotEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    }


def test_buckets_of_other_names() -> None:
    found = _statements(bucket_names={"source": "my-uploads"})
    assert found["Buckets"]["Resource"] == [
        "arn:aws:s3:::my-uploads",
        "arn:aws:s3:::some-stack-destination-123456789012-eu-central-1",
        "arn:aws:s3:::some-stack-access-logs-123456789012-eu-central-1",
    ]
    assert "arn:aws:s3:::my-uploads/*" in found["EmptyBuckets"]["Resource"]
    with pytest.raises(ValueError, match="there is no bucket access_logs"):
        _statements(bucket_names={"access_logs": "my-logs"})


def test_a_budget_only_where_there_is_one() -> None:
    assert "Budget" not in _statements()
    assert _statements(budget=True)["Budget"]["Resource"] == [
        "arn:aws:budgets::123456789012:budget/some-stack-eu-central-1"
    ]


@pytest.mark.e2e
@pytest.mark.terraform
def test_names_are_those_of_the_stack(deployment: Deployment) -> None:
    """Roles, functions and buckets are listed by name: none is missing, none is too many."""
    clients = deployment.clients
    account = clients.sts.get_caller_identity()["Account"]
    found = {each["Sid"]: each for each in deployer.policy(account, REGION)["Statement"]}
    functions = deployment.outputs["function_names"].values()
    arn = f"arn:aws:lambda:{REGION}:{account}:function"
    assert set(found["Functions"]["Resource"]) == {f"{arn}:{name}*" for name in functions}
    roles = [role["Arn"] for role in clients.iam.list_roles()["Roles"]]
    assert set(found["Roles"]["Resource"]) == {
        role for role in roles if ":role/image-converter-" in role
    }
    buckets = [f"arn:aws:s3:::{bucket['Name']}" for bucket in clients.s3.list_buckets()["Buckets"]]
    assert set(found["Buckets"]["Resource"]) == {
        bucket for bucket in buckets if ":image-converter-" in bucket
    }


def test_fits_into_a_role() -> None:
    made = deployer.policy(
        "123456789012",
        "ap-southeast-1",
        "a234567890-234567890-23",
        bucket_names=dict.fromkeys(deployer.BUCKETS, "b" * 63),
        budget=True,
    )
    assert len(json.dumps(made, separators=(",", ":"))) <= LIMIT


def test_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--account", "123456789012", "--region", "eu-central-1", "--budget"]
    assert deployer.main([*arguments, "--access-logs-bucket", "my-logs"]) == 0
    assert json.loads(capsys.readouterr().out) == deployer.policy(
        *PLACE, bucket_names={"access-logs": "my-logs"}, budget=True
    )
