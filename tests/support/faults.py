"""What happens to a client's calls until the test ends: something in between, or a refusal."""

from collections.abc import Callable
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.client import BaseClient
from botocore.compat import HTTPHeaders

_hooks: list[tuple[BaseClient, str, Callable[..., Any]]] = []


def before(
    client: BaseClient, operation: str, action: Callable[[], object], calls: int = 0
) -> None:
    """Have `action` happen once, just before the client's next call of the operation.

    Args:
        calls: how many calls of it come before that one.
    """
    waiting: list[Callable[[], object]] = [action, *[lambda: None] * calls]

    def happen(**_: Any) -> None:
        if waiting:
            waiting.pop()()

    _hook(client, operation, happen)


def observe(client: BaseClient, operation: str) -> list[dict[str, Any]]:
    """Return a list that gains the request (headers, url, body) of each call of the operation."""
    requests: list[dict[str, Any]] = []
    _hook(client, operation, lambda params, **_: requests.append(dict(params)))
    return requests


def replace_header(client: BaseClient, operation: str, name: str, value: str) -> None:
    """Change a header in the requests of each call of the operation."""
    _hook(client, operation, lambda params, **_: params["headers"].update({name: value}))


def refuse(
    client: BaseClient, operation: str, code: str, status: int = 500, times: int | None = None
) -> None:
    """Have AWS answer the client's next calls of the operation with an error, without retries.

    Args:
        code: AWS's name for the error.
        status: the HTTP status.
        times: how many calls; None for all.
    """
    left = [times]

    def answer(**_: Any) -> tuple[AWSResponse, dict[str, Any]] | None:
        if left[0] is not None:
            if left[0] == 0:
                return None
            left[0] -= 1
        parsed = {
            "Error": {"Code": code, "Message": "refused by the test"},
            "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "test"},
        }
        return AWSResponse("https://aws.test", status, HTTPHeaders(), None), parsed

    _hook(client, operation, answer)


def end() -> None:
    """Leave all clients as they were."""
    while _hooks:
        client, event, handler = _hooks.pop()
        client.meta.events.unregister(event, handler)


def _hook(client: BaseClient, operation: str, handler: Callable[..., Any]) -> None:
    service = client.meta.service_model.service_id.hyphenize()
    event = f"before-call.{service}.{operation}"
    client.meta.events.register(event, handler)
    _hooks.append((client, event, handler))
