"""A stack that was applied before the configuration became a module keeps what it has."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from scripts.lib.paths import PACKAGE_LOCAL
from scripts.lib.terraform_stack import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

# Applied to the local AWS by the last commit with a provider block in terraform/, with every option
# of that commit; long texts, such as policies, are left out.
BEFORE = Path(__file__).with_name("before_the_module.json")

# A new build is a new version of the layer; nothing else may go.
REPLACED_BY_EVERY_BUILD = {"module.layer.aws_lambda_layer_version.this"}


def test_nothing_is_replaced(terraform_env: dict[str, str], tmp_path: Path) -> None:
    """The plan takes the state at its word: nothing of it exists in this local AWS."""
    stack = Stack(
        tmp_path / "stack",
        terraform_env,
        package=PACKAGE_LOCAL,
        variables={
            "force_destroy": True,
            "alarm_email": "someone@example.com",
            "monthly_budget_usd": 10,
        },
    )
    stack.init()
    shutil.copy(BEFORE, tmp_path / "stack" / "terraform" / "terraform.tfstate")
    before = json.loads(BEFORE.read_text(encoding="utf-8"))["resources"]

    changes = stack.planned("-refresh=false")["resource_changes"]

    gone = {
        change["address"]
        for change in changes
        if "delete" in change["change"]["actions"]
        and change["address"] not in REPLACED_BY_EVERY_BUILD
    }
    assert gone == set()
    kept = {change.get("previous_address") or change["address"] for change in changes}
    assert len(kept) >= sum(len(resource["instances"]) for resource in before)
    made = {change["address"] for change in changes if change["change"]["actions"] == ["create"]}
    assert made == set()
