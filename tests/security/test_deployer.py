"""The policy of who applies the Terraform is as narrow as AWS lets it be."""

import json
from typing import Any

import pytest

from scripts import deployer

# Inline policies of a role: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
LIMIT = 10_240

# Statements that name no resource, and why.
_EVERYWHERE = {
    "EventSource": "a mapping has no name before it is made; its function is named by a condition",
    "ReadEventSource": "AWS knows no condition for reading one",
    "MakeKey": "a key has no name before it is made; its tag is demanded",
    "ReadAlarms": "AWS asks for it on all alarms, whichever are described",
    "ListAliases": "has no resource to name",
    "DeliverLogs": "log deliveries and saved queries have no resources to name",
    "CheckDefinition": "nothing exists yet when a definition is checked",
}


@pytest.fixture
def statements() -> list[dict[str, Any]]:
    made = deployer.policy("123456789012", "eu-central-1", "some-stack")
    return list(made["Statement"])


def test_no_action_has_a_wildcard(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        for action in statement["Action"]:
            assert "*" not in action


def test_resources_are_this_stacks(statements: list[dict[str, Any]]) -> None:
    for statement in statements:
        sid = statement["Sid"]
        if statement["Resource"] == ["*"]:
            assert sid in _EVERYWHERE, sid
        elif sid == "Key":
            assert statement["Condition"] == {
                "StringEquals": {"aws:ResourceTag/Project": "some-stack"}
            }
        elif sid not in ("UploadApi", "TagEventSource"):  # named by ids that AWS gives
            for resource in statement["Resource"]:
                assert "some-stack" in resource, resource


def test_roles_are_handed_to_two_services_only(statements: list[dict[str, Any]]) -> None:
    [passing] = [each for each in statements if "iam:PassRole" in each["Action"]]
    assert passing["Action"] == ["iam:PassRole"]
    assert passing["Condition"] == {
        "StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com", "states.amazonaws.com"]}
    }


def test_fits_into_a_role() -> None:
    made = deployer.policy("123456789012", "ap-southeast-1", "a234567890-234567890-23")
    assert len(json.dumps(made, separators=(",", ":"))) <= LIMIT


def test_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert deployer.main(["--account", "123456789012", "--region", "eu-central-1"]) == 0
    assert json.loads(capsys.readouterr().out)["Version"] == "2012-10-17"
