"""The project's state machine with the project's functions, to run on moto's interpreter."""

from collections.abc import Callable
from typing import Any

from image_converter.handlers import (
    copy_file,
    delete_file,
    get_file_type,
    resize_image,
    write_to_dynamodb,
)
from tests.support.asl import interpreter, rendering
from tests.support.asl.interpreter import Function, Result

HANDLERS: dict[str, Function] = {
    "get_file_type": get_file_type.handler,
    "copy_file": copy_file.handler,
    "resize_image": resize_image.handler,
    "write_to_dynamodb": write_to_dynamodb.handler,
    "delete_file": delete_file.handler,
}


def run(event: object, **changed: Function) -> Result:
    """Run an execution with Terraform's own numbers.

    Args:
        event: the input.
        changed: functions in place of the real ones, by name.
    """
    functions = {
        rendering.function_arn(name): function for name, function in {**HANDLERS, **changed}.items()
    }
    return interpreter.run(rendering.rendered(), event, functions)


def failing(function: str, times: int | None = None, *, after_its_effect: bool = False) -> Function:
    """Return the real function, which raises a transient error.

    Args:
        function: its name.
        times: how many calls fail; None for all.
        after_its_effect: whether it does its work first.
    """
    calls: list[object] = []

    def handler(event: Any, context: Any) -> Any:
        calls.append(event)
        fails = times is None or len(calls) <= times
        answer = HANDLERS[function](event, context) if after_its_effect or not fails else None
        if fails:
            raise ConnectionError(f"{function} lost its connection")
        return answer

    return handler


def preceded(function: str, action: Callable[[], object]) -> Function:
    """Return the real function; something happens just before its first call."""
    waiting = [action]

    def handler(event: Any, context: Any) -> Any:
        if waiting:
            waiting.pop()()
        return HANDLERS[function](event, context)

    return handler
