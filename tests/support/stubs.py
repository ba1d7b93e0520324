"""AWS clients that answer what a test says, and check both sides by the services' own models.

botocore's Stubber refuses an answer that the service could not give; botocore itself refuses a
parameter that the service does not have or of another type.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from image_converter import clients
from tests.support import fake_cloud

REGION = "us-east-1"
# An environment for clients that reach no service: they are stubbed, or moto answers them.
ANY_ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
}
STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:image-converter"
_FUNCTIONS_OF = {"s3": ("s3", "s3_copies"), "dynamodb": ("dynamodb",)}


@dataclass(frozen=True)
class Call:
    """A call that the code under test made.

    Attributes:
        operation: service and operation, for example `s3.PutObject`.
        parameters: as boto3 was given them.
    """

    operation: str
    parameters: dict[str, Any]


@dataclass
class Stubs:
    """The services' clients, with the calls that were made of them."""

    calls: list[Call] = field(default_factory=list)
    stubbers: dict[str, Stubber] = field(default_factory=dict)

    def answer(self, service: str, method: str, response: dict[str, Any] | None = None) -> None:
        """Have the service's next call, which must be of that method, answered."""
        self.stubbers[service].add_response(method, response or {})

    def refuse(self, service: str, method: str, code: str, status: int) -> None:
        """Have the service's next call, which must be of that method, refused."""
        self.stubbers[service].add_client_error(
            method, service_error_code=code, http_status_code=status
        )

    def parameters(self, operation: str) -> dict[str, Any]:
        """Return the parameters of the one call of that operation."""
        [parameters] = [call.parameters for call in self.calls if call.operation == operation]
        return parameters

    def record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Remember a call; botocore calls this for each."""
        service = model.service_model.service_name
        self.calls.append(Call(f"{service}.{model.name}", dict(params)))


@contextmanager
def stubbed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubs]:
    """Have the functions use stubbed clients, and check at the end that every answer was asked."""
    for name, value in fake_cloud.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("STATE_MACHINE_ARN", STATE_MACHINE)
    stubs = Stubs()
    for service in ("s3", "dynamodb", "events", "stepfunctions"):
        client = client_of(service)
        client.meta.events.register(f"provide-client-params.{service}", stubs.record)
        stubs.stubbers[service] = Stubber(client)
        stubs.stubbers[service].activate()
        for function in _FUNCTIONS_OF.get(service, (service,)):
            monkeypatch.setattr(clients, function, lambda stub=client: stub)
    try:
        yield stubs
        for stubber in stubs.stubbers.values():
            stubber.assert_no_pending_responses()
    finally:
        for service, stubber in stubs.stubbers.items():
            stubber.deactivate()
            client_of(service).meta.events.unregister(
                f"provide-client-params.{service}", stubs.record
            )


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubs]:
    """Stubbed clients, which the functions use."""
    with stubbed(monkeypatch) as stubbed_clients:
        yield stubbed_clients


@lru_cache
def client_of(service: str) -> Any:
    """Return the service's client, which sends nothing while it is stubbed."""
    session: Any = boto3.session.Session(
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - nothing is sent anywhere
    )
    return session.client(service)
