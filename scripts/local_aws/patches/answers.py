"""What the emulator's functions take and return."""

from collections.abc import Callable
from typing import Any

from ministack.core import responses

Call = Callable[..., Any]
Json = dict[str, Any]
Response = tuple[int, dict[str, str], bytes]  # status, headers, body
Handler = Callable[..., Response]

# Answers of a service that speaks JSON: of data, and a refusal of a code and a sentence.
json_answer: Handler = responses.json_response
json_error: Handler = responses.error_response_json
