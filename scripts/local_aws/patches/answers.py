"""What the emulator's functions take and return."""

from collections.abc import Callable
from typing import Any

from ministack.core import responses

Call = Callable[..., Any]
Json = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]  # status, headers, body
Handler = Callable[..., Response]


def json_answer(data: Json) -> Response:
    """Return a successful answer of a service that speaks JSON."""
    response: Response = responses.json_response(data)
    return response


def json_error(code: str, message: str) -> Response:
    """Return a refusal of a service that speaks JSON."""
    response: Response = responses.error_response_json(code, message, 400)
    return response
