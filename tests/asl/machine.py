"""The project's state machine as tests run it: rendered with values like the Terraform's."""

from collections.abc import Mapping

from image_converter.handlers import (
    copy_file,
    delete_file,
    get_file_type,
    resize_image,
    write_to_dynamodb,
)
from scripts import asl
from tests.asl.interpreter import Function

HANDLERS: dict[str, Function] = {
    "get_file_type": get_file_type.handler,
    "copy_file": copy_file.handler,
    "resize_image": resize_image.handler,
    "write_to_dynamodb": write_to_dynamodb.handler,
    "delete_file": delete_file.handler,
}

VALUES: dict[str, object] = {
    "execution_timeout": 3600,
    "transient_interval": 1,
    "transient_max_attempts": 6,
    "transient_backoff": 2,
    "transient_max_delay": 60,
    "retry_interval": 5,
    "retry_max_attempts": 2,
    "retry_backoff": 2,
    "any_error_interval": 2,
    **{f"{function}_timeout": 60 for function in HANDLERS},
}


def arn(function: str) -> str:
    """Return the function's ARN."""
    name = function.replace("_", "-")
    return f"arn:aws:lambda:us-east-1:123456789012:function:image-converter-{name}"


def definition(**changed: object) -> str:
    """Return the rendered state machine; `changed` values replace the usual ones."""
    arns = {f"{function}_arn": arn(function) for function in HANDLERS}
    return asl.render(asl.template(), {**VALUES, **arns, **changed})


def functions(**changed: Function) -> Mapping[str, Function]:
    """Return the functions by ARN: the real handlers, but for those that are `changed`."""
    return {arn(name): function for name, function in {**HANDLERS, **changed}.items()}
