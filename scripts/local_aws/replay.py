"""Answers that got lost on their way to Terraform are given again.

Now and then the emulator's server closes a connection before its answer is read. Terraform's AWS
provider then sends the request again, and the emulator would answer that the resource exists. AWS
does not replay answers, so only Terraform gets this treatment.
"""

from collections import OrderedDict
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_KEPT: Final = 1_000  # answers; the provider sends a request again within seconds
_SAFE_METHODS: Final = ("GET", "HEAD")  # may be done twice


class Replay:
    """An ASGI application that does what it is asked once, however often Terraform sends it."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application.

        Parameters:
            app: the application.
        """
        self._app = app
        self._answers: OrderedDict[str, list[Message]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a connection as ASGI asks for it."""
        headers = Headers(raw=scope.get("headers", []))
        # The SDK gives all attempts of a call the same ID:
        # https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
        call = headers.get("amz-sdk-invocation-id")
        terraform = "Terraform" in headers.get("user-agent", "")
        if call is None or not terraform or scope["method"] in _SAFE_METHODS:
            await self._app(scope, receive, send)
            return
        if call in self._answers:
            while (await receive()).get("more_body"):
                pass
            for message in self._answers[call]:
                await send(message)
            return
        answer: list[Message] = []

        async def send_and_keep(message: Message) -> None:
            answer.append(message)
            await send(message)

        await self._app(scope, receive, send_and_keep)
        if answer and answer[0].get("status", 500) < 300:  # noqa: PLR2004 - HTTP's limit of success
            self._answers[call] = answer
            while len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
