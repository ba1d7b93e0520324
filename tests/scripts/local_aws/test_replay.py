"""What Terraform asks for twice, because an answer got lost, is done once."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.types import Message, Receive, Scope, Send

from scripts.local_aws.replay import Replay

TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.11.4"


class _Counter:
    """An application that says how often it was called."""

    def __init__(self, status: int) -> None:
        self.status, self.calls = status, 0

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        await receive()
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": str(self.calls).encode()})


def _ask(app: Replay, call: str, agent: str = TERRAFORM, method: str = "POST") -> bytes:
    sent: list[Message] = []
    named = {"amz-sdk-invocation-id": call, "user-agent": agent}
    headers = [(name.encode(), value.encode()) for name, value in named.items()]

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": "/", "headers": headers}
    # In a thread of its own: the browser of other tests has an event loop running in this one.
    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, app(scope, receive, send)).result()
    return bytes(sent[1]["body"])


def test_a_call_that_succeeded_is_answered_again_but_not_done_again() -> None:
    counter = _Counter(200)
    app = Replay(counter)

    assert [_ask(app, call) for call in ("a", "a", "b", "a")] == [b"1", b"1", b"2", b"1"]
    assert counter.calls == 2


@pytest.mark.parametrize(
    ("status", "agent", "method"),
    [(500, TERRAFORM, "POST"), (200, "Boto3/1.43.106", "POST"), (200, TERRAFORM, "GET")],
)
def test_everything_else_is_done_as_often_as_it_is_asked_for(
    status: int, agent: str, method: str
) -> None:
    app = Replay(_Counter(status))

    assert [_ask(app, "a", agent, method) for _ in range(2)] == [b"1", b"2"]
