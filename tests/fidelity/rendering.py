"""The state machine as Terraform renders it, with values for every substitution."""

import json
from typing import Any

from image_converter import errors
from scripts import asl

FUNCTIONS = ("get_file_type", "copy_file", "resize_image", "write_to_dynamodb", "delete_file")

# Terraform's own defaults; test_inventory.py compares them with what Terraform renders.
NUMBERS: dict[str, float] = {
    "execution_timeout": 3600,
    "retry_interval": 5,
    "retry_max_attempts": 2,
    "retry_backoff": 2,
    "any_error_interval": 2,
    "transient_interval": 1,
    "transient_max_attempts": 60,
    "transient_backoff": 2,
    "transient_max_delay": 60,
    "get_file_type_timeout": 35,
    "copy_file_timeout": 365,
    "resize_image_timeout": 245,
    "write_to_dynamodb_timeout": 35,
    "delete_file_timeout": 85,
}

# The names that the functions' errors have in Lambda's answer and in ErrorEquals.
FUNCTION_ERRORS = frozenset(
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.PermanentError)
)


def function_arn(function: str, prefix: str = "image-converter") -> str:
    """Return the ARN of one of the functions, as tests name them."""
    return f"arn:aws:lambda:us-east-1:123456789012:function:{prefix}-{function.replace('_', '-')}"


def rendered(prefix: str = "image-converter", **changed: float) -> str:
    """Return the definition's text.

    Args:
        prefix: what the functions' names begin with.
        changed: numbers in place of Terraform's defaults.
    """
    arns = {f"{function}_arn": function_arn(function, prefix) for function in FUNCTIONS}
    values = {**arns, **NUMBERS, **changed}
    return asl.render(asl.template(), values)


def machine(prefix: str = "image-converter", **changed: float) -> dict[str, Any]:
    """Return the definition as JSON; arguments as of `rendered`."""
    definition: dict[str, Any] = json.loads(rendered(prefix, **changed))
    return definition
