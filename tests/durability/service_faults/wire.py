"""Faults between the AWS SDK and the services: another answer, or a broken connection.

They strike below the SDK's own retries, so that the tests include these.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from moto.core.botocore_stubber import BotocoreStubber, MockRawResponse
from moto.core.models import botocore_stubber

from image_converter import clients

Fault = Callable[[Any], AWSResponse]


def s3_error(status: int, code: str) -> Fault:
    """Return a fault: S3 answers with an error."""
    body = f"<Error><Code>{code}</Code><Message>by the test</Message></Error>"
    return _answer(status, body, {"Content-Type": "application/xml"})


def json_error(status: int, code: str) -> Fault:
    """Return a fault: DynamoDB or Step Functions answers with an error."""
    body = f'{{"__type": "{code}", "message": "by the test"}}'
    return _answer(status, body, {"Content-Type": "application/x-amz-json-1.0"})


def _answer(status: int, body: str, headers: dict[str, str]) -> Fault:
    def answer(request: Any) -> AWSResponse:
        http_headers = HTTPHeaders()
        for name, value in headers.items():
            http_headers[name] = value
        return AWSResponse(request.url, status, http_headers, MockRawResponse(body))

    return answer


def _broken(error: Any) -> Fault:
    def fail(request: Any) -> AWSResponse:
        raise error(endpoint_url=request.url)

    return fail


refused_connection = _broken(EndpointConnectionError)
late_connection = _broken(ConnectTimeoutError)
closed_connection = _broken(ConnectionClosedError)
no_answer = _broken(ReadTimeoutError)


def lost_answer(request: Any) -> AWSResponse:
    """Let the service handle the request, and lose its answer."""
    botocore_stubber.process_request(request)
    raise ReadTimeoutError(endpoint_url=request.url)


def short_answer(size: int) -> Fault:
    """Return a fault: S3 answers with the first bytes, and says that there are no more."""

    def shortened(request: Any) -> AWSResponse:
        status, headers, body = botocore_stubber.process_request(request)  # type: ignore[misc]
        http_headers = HTTPHeaders()
        for name, value in headers.items():
            http_headers[name] = value
        del http_headers["Content-Length"]
        del http_headers["Content-Range"]
        http_headers["Content-Length"] = str(size)
        content = body.encode() if isinstance(body, str) else body
        return AWSResponse(request.url, status, http_headers, MockRawResponse(content[:size]))

    return shortened


@contextmanager
def striking(operation: str, fault: Fault, times: int | None = None) -> Iterator[list[str]]:
    """Have a fault meet the functions' requests for an operation.

    Args:
        operation: such as `s3.PutObject`.
        fault: what happens to the request.
        times: how many requests it meets; None for all.

    Yields:
        a list that gains an entry with each request, met or not.
    """
    seen: list[str] = []
    struck: list[Any] = []
    moto_serves = BotocoreStubber.__call__

    def strike(request: Any, **_: Any) -> Any:
        seen.append(operation)
        if times is not None and len(seen) > times:
            return None
        struck.append(request)  # kept, so that no other request gets its id
        return fault(request)

    def serve(stubber: BotocoreStubber, event_name: str, request: Any, **more: Any) -> Any:
        """Do as moto does, except for requests that were struck: the SDK calls all handlers."""
        if any(request is struck_request for struck_request in struck):
            return None
        return moto_serves(stubber, event_name, request, **more)

    service = operation.partition(".")[0]
    clients_of: dict[str, tuple[Any, ...]] = {
        "s3": (clients.s3(), clients.s3_copies()),
        "dynamodb": (clients.dynamodb(),),
        "sfn": (clients.stepfunctions(),),
    }
    for client in clients_of[service]:
        client.meta.events.register_first(f"before-send.{operation}", strike)
    try:
        with patch.object(BotocoreStubber, "__call__", serve):
            yield seen
    finally:
        for client in clients_of[service]:
            client.meta.events.unregister(f"before-send.{operation}", strike)
