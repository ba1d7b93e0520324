"""The HTTP API's requests and responses, payload format 2.0.

Source:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import binascii
import json
import unicodedata
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

from image_converter import keys
from image_converter.events import Event

# Unicode's property Bidi_Control: https://www.unicode.org/reports/tr9/#Directional_Formatting_Codes
_DIRECTION_MARKS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


class HttpError(Exception):
    """A request that is refused: the status, and the sentence for the caller."""

    def __init__(self, status: HTTPStatus, sentence: str, headers: dict[str, str] | None = None):
        super().__init__(sentence)
        self.status = status
        self.headers = headers or {}


def route(event: Event, method: str, paths: Collection[str]) -> str:
    """Return which of the paths is requested, and refuse every other request.

    Raises:
        HttpError: 404 for another path, 405 for another method.
    """
    request = event["requestContext"]["http"]
    stage = event["requestContext"].get("stage", "$default")
    path = str(request["path"])
    if stage != "$default":
        path = path.removeprefix(f"/{stage}")
    if path not in paths:
        endpoints = " or ".join(f"{method} {endpoint}" for endpoint in paths)
        raise HttpError(HTTPStatus.NOT_FOUND, f"there is nothing at {path}: {endpoints}")
    if request["method"] != method:
        raise HttpError(
            HTTPStatus.METHOD_NOT_ALLOWED, f"{path} takes {method} only", {"Allow": method}
        )
    return path


def image_name(event: Event) -> str:
    """Return the `name` parameter, which becomes the object's key.

    Raises:
        HttpError: 400, it is missing or makes no safe key.
    """
    name = (event.get("queryStringParameters") or {}).get("name", "")
    problem = _problem(name)
    if problem:
        raise HttpError(HTTPStatus.BAD_REQUEST, f"{problem}: POST /upload?name=photo.jpg")
    return str(name)


def body(event: Event, max_bytes: int) -> bytes:
    """Return the request's body as bytes.

    Raises:
        HttpError: 400 for an empty or undecodable body, 413 for one of more than `max_bytes`.
    """
    raw = event.get("body") or ""
    try:
        content = (
            base64.b64decode(raw, validate=True) if event.get("isBase64Encoded") else raw.encode()
        )
    except (binascii.Error, ValueError) as error:
        raise HttpError(HTTPStatus.BAD_REQUEST, "the body is not valid base64") from error
    if not content:
        raise HttpError(HTTPStatus.BAD_REQUEST, "the body is empty; it must be the image")
    if len(content) > max_bytes:
        raise HttpError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the image is {len(content):,} bytes and this endpoint accepts {max_bytes:,}: "
            "POST /upload-url?name=photo.jpg answers with a presigned upload for larger ones",
        )
    return content


def response(
    status: HTTPStatus, content: dict[str, Any], headers: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the function's response in payload format 2.0."""
    return {
        "statusCode": int(status),
        "headers": {"content-type": "application/json", **(headers or {})},
        "body": json.dumps(content),
    }


def _problem(name: str) -> str | None:
    """Return what keeps the name from being a key of the source bucket, or None."""
    if not name:
        return "the parameter 'name' is missing"
    if len((name + keys.PNG_SUFFIX).encode(errors="replace")) > keys.MAX_KEY_BYTES:
        return f"the name is longer than {keys.MAX_KEY_BYTES - len(keys.PNG_SUFFIX):,} bytes"
    if name.startswith("/") or any(part in ("", ".", "..") for part in name.split("/")):
        return "the name must not start or end with a slash or have empty, '.' or '..' parts"
    if any(_is_control(character) for character in name):
        return "the name must not have control characters"
    # In an upload form, S3 replaces ${filename} by a name of the sender's choice.
    forbidden = next((part for part in ("\\", "${filename}") if part in name), None)
    return f"the name must not have {forbidden}" if forbidden else None


def _is_control(character: str) -> bool:
    """Return whether it is a control, a lone surrogate, a line break or a direction mark."""
    return character in _DIRECTION_MARKS or (
        unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")
    )
