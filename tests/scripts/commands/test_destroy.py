"""What keeps a stack from being destroyed, by Terraform's state."""

from typing import Any

import pytest

from scripts.commands import destroy


def state(*resources: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a state with one module, in which these resources are."""
    listed = [{"address": address, "values": values} for address, values in resources]
    module = {"child_modules": [{"resources": listed}]}
    return {"values": {"root_module": {"child_modules": [module]}}}


@pytest.mark.parametrize("caller", ["", "module.pictures.", 'module.pictures["eu"].'])
@pytest.mark.parametrize("index", ["", "[0]"])
def test_the_images_are_found_wherever_the_stack_is(caller: str, index: str) -> None:
    holdings = destroy._holdings(
        state(
            (f"{caller}module.source_bucket{index}.aws_s3_bucket.this", {"bucket": "source"}),
            (f"{caller}module.destination_bucket{index}.aws_s3_bucket.this", {"bucket": "pngs"}),
            (f"{caller}module.access_logs_bucket{index}.aws_s3_bucket.this", {"bucket": "logs"}),
            (
                f"{caller}module.table.aws_dynamodb_table.this",
                {"name": "records", "deletion_protection_enabled": True},
            ),
        )
    )
    assert holdings == (["source", "pngs"], "records")


def test_nothing_keeps_a_state_without_a_stack() -> None:
    assert destroy._holdings({}) == ([], None)
