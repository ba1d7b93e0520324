"""Answers in the form in which the emulator's handlers return them."""

from collections.abc import Callable
from typing import Any

from ministack.core import responses

Response = tuple[int, dict[str, str], bytes]  # status, headers, body
Handler = Callable[..., Response]


def json_answer(data: dict[str, Any]) -> Response:
    """Return a successful answer of a service that speaks JSON."""
    response: Response = responses.json_response(data)
    return response


def json_error(code: str, message: str) -> Response:
    """Return a refusal of a service that speaks JSON."""
    response: Response = responses.error_response_json(code, message, 400)
    return response
