"""The functions by name: as their modules are called, and as AWS knows them."""

from typing import Final

# Those that the state machine calls, in its order.
TASKS: Final = ("get_file_type", "copy_file", "resize_image", "write_to_dynamodb", "delete_file")
TRIGGER: Final = "trigger"
FUNCTIONS: Final = ("upload", TRIGGER, *TASKS)


def on_aws(function: str) -> str:
    """Return what AWS knows the function by, behind the stack's name and a hyphen."""
    return function.replace("_", "-")
