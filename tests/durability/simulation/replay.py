"""The real handlers, one AWS call at a time.

A handler's behaviour follows from its input and the answers that it has had, so an invocation is a
value: a node in a tree whose edges are answers. Taking a step is running the handler from the start
with the answers so far until it asks for one more. Each node is computed once, however many
interleavings pass through it.
"""

import importlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody
from botocore.validate import validate_parameters

from image_converter import clients, log, records
from tests.durability.simulation.storage import (
    DESTINATION,
    MACHINE,
    TABLE,
    Answer,
    Request,
    request,
)

ENVIRONMENT = {
    "AWS_REGION": "eu-central-1",
    "DESTINATION_BUCKET": DESTINATION,
    "MAX_IMAGE_BYTES": "1000000",
    "MAX_IMAGE_PIXELS": "1000000",
    "PNG_COMPRESSION": "fast",
    "STATE_MACHINE_ARN": MACHINE,
    "TABLE_NAME": TABLE,
}

# In an event of a reprocess, be it a message or a state, and in no other.
REPROCESS = "reprocess"

# The service behind each function of the clients' module.
_SERVICES = {
    "s3": "s3",
    "s3_copies": "s3",
    "dynamodb": "dynamodb",
    "events": "events",
    "stepfunctions": "stepfunctions",
}


class Node(NamedTuple):
    """An invocation that is about to make a call, or has ended.

    Attributes:
        request: the call that it is about to make; None if it has ended.
        result: what the handler returned, as JSON, if it succeeded.
        error: the class name of what it raised, if it failed.
        cause: the message of that.
        is_retry: whether it is not the first attempt of its state.
    """

    function: str
    event: str
    answers: tuple[Answer, ...]
    request: Request | None = None
    result: str | None = None
    error: str = ""
    cause: str = ""
    is_retry: bool = False


class _Asks(BaseException):
    """Stops a handler at the call whose answer is not there yet; no handler may catch it."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.request = request


class Handlers:
    """The real handlers, and all nodes that have been computed of them."""

    def __init__(
        self,
        without: Mapping[str, tuple[str, ...]] | None = None,
        *,
        settings: Mapping[str, str] | None = None,
        settings_of_retries: Mapping[str, str] | None = None,
        settings_of_reprocesses: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare.

        Args:
            without: parameters, by method, that never reach AWS; to show what they are good for.
            settings: environment variables, in addition to the usual ones.
            settings_of_retries: these variables from a state's second attempt on.
            settings_of_reprocesses: these variables for a reprocess. Uploads keep the old ones, as
                executions do that began before the settings were changed.
        """
        self.without = without or {}
        self._settings = settings or {}
        self._settings_of_retries = settings_of_retries or self._settings
        self._settings_of_reprocesses = settings_of_reprocesses
        self._ids: dict[tuple[str, bool, str, tuple[Answer, ...]], int] = {}
        self.nodes: list[Node] = []
        self._answers: Iterator[Answer] = iter(())
        self._next: dict[tuple[int, Answer], int] = {}

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Have the handlers' clients answer from here."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in ENVIRONMENT.items():
                patch.setenv(name, value)
            for name, service in _SERVICES.items():
                client = _Client(self, service)
                patch.setattr(clients, name, lambda client=client: client)
            clock = SimpleNamespace(gmtime=lambda: None, strftime=lambda *_: "2026-01-02T03:04:06Z")
            patch.setattr(records, "time", clock)
            patch.setattr(log, "_write", lambda *_: None)
            yield

    def start(self, function: str, event: str, *, is_retry: bool = False) -> int:
        """Return the node of a new invocation."""
        return self._node(function, event, (), is_retry=is_retry)

    def resume(self, node_id: int, answer: Answer) -> int:
        """Return the node to which an answer leads."""
        if (node_id, answer) not in self._next:
            node = self.nodes[node_id]
            self._next[node_id, answer] = self._node(
                node.function, node.event, (*node.answers, answer), is_retry=node.is_retry
            )
        return self._next[node_id, answer]

    def _node(
        self, function: str, event: str, answers: tuple[Answer, ...], *, is_retry: bool
    ) -> int:
        key = (function, is_retry, event, answers)
        if key not in self._ids:
            self._ids[key] = len(self.nodes)
            with pytest.MonkeyPatch.context() as patch:
                for name, value in self._settings_of(event, is_retry=is_retry).items():
                    patch.setenv(name, value)
                self.nodes.append(self._run(function, event, answers)._replace(is_retry=is_retry))
        return self._ids[key]

    def _settings_of(self, event: str, *, is_retry: bool) -> Mapping[str, str]:
        if self._settings_of_reprocesses is not None and REPROCESS in event:
            return self._settings_of_reprocesses
        return self._settings_of_retries if is_retry else self._settings

    def _run(self, function: str, event: str, answers: tuple[Answer, ...]) -> Node:
        handler = importlib.import_module(f"image_converter.handlers.{function}").handler
        self._answers = iter(answers)
        try:
            result = handler(json.loads(event), None)
        except _Asks as stopped:
            return Node(function, event, answers, request=stopped.request)
        except Exception as error:  # noqa: BLE001 - Lambda reports whatever a handler raises
            name = type(error).__name__
            return Node(function, event, answers, error=name, cause=str(error))
        return Node(function, event, answers, result=json.dumps(result, sort_keys=True))

    def next_answer(self) -> Answer | None:
        """Return the answer to the handler's next call; None if it is not there yet."""
        return next(self._answers, None)


class _Client:
    """Takes the place of a boto3 client; knows the operations from the SDK's service model."""

    def __init__(self, handlers: Handlers, service: str) -> None:
        self._handlers = handlers
        self._service = service

    def __getattr__(self, method: str) -> Any:
        def call(**parameters: Any) -> Any:
            answer = self._handlers.next_answer()
            if answer is None:
                raise _Asks(self._request(method, parameters))
            if answer.error == "lost":
                raise ReadTimeoutError(endpoint_url="https://simulated")
            if answer.error:
                raise _client_error(answer, method)
            return {name: _as_client_returns(name, value) for name, value in answer.fields}

        return call

    def _request(self, method: str, parameters: dict[str, Any]) -> Request:
        _check_parameters(self._service, method, parameters)
        for name in self._handlers.without.get(method, ()):
            parameters.pop(name, None)
            parameters.get("CopySource", {}).pop(name, None)
        return request(self._service, method, parameters)


def _check_parameters(service: str, method: str, parameters: dict[str, Any]) -> None:
    """Raise the SDK's own error for a parameter that the service does not know."""
    shape = _input_shape(service, method)
    copied_from = parameters.get("CopySource")
    # boto3 takes this one as a dict, and S3 as text.
    validate_parameters(parameters | ({"CopySource": "text"} if copied_from else {}), shape)
    unknown = parameters.keys() - shape.members.keys()
    assert not unknown, f"{method} has no parameter {unknown}"


@cache
def _input_shape(service: str, method: str) -> Any:
    model = botocore.session.get_session().get_service_model(service)
    operation = next(name for name in model.operation_names if xform_name(name) == method)
    return model.operation_model(operation).input_shape


def _client_error(answer: Answer, method: str) -> ClientError:
    return ClientError(
        {
            "Error": {"Code": answer.error, "Message": "simulated"},
            "ResponseMetadata": {"HTTPStatusCode": answer.status, "RequestId": "R"},  # type: ignore[typeddict-item]
        },
        method,
    )


def _as_client_returns(name: str, value: Any) -> Any:
    if name == "Body":
        return StreamingBody(io.BytesIO(value), len(value))
    if name == "Item":
        return json.loads(value)
    if isinstance(value, tuple):
        return dict(value)
    return value
