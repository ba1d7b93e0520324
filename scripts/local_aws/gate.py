"""What stands before the local AWS, because every web page can send requests to this machine.

A request may come from a program here, and from nowhere else: not from a page of any origin, and
not under a name that somebody else's DNS server has pointed at this machine. Browsers say both:
Origin and Sec-Fetch-Site name the page, Host the name that was looked up. There is one exception:
an API or a bucket whose owner lists an origin (`upload_cors_origins`) is called by pages of exactly
that origin, as on AWS.

Sources: https://fetch.spec.whatwg.org/#origin-header, https://www.w3.org/TR/fetch-metadata/
"""

import logging
import re
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketClose

Check = Callable[[Scope], str | None]

_LOG = logging.getLogger(__name__)
_HTTP_PORT = 80
_POLICY_VIOLATION = 1008  # a WebSocket's status

# The upload API is reached by a name of its own, as on AWS. Browsers, curl and resolvers take every
# name below localhost for this machine; no DNS server is asked (RFC 6761, 6.3). Buckets have no
# such names: under a numeric endpoint, SDKs write a bucket into the path.
_NAMES = re.compile(r"127\.0\.0\.1|localhost|[a-z0-9]+\.execute-api\.localhost")


def guarded(
    app: ASGIApp, check: Check, invites: Callable[[Scope], bool] = lambda _scope: False
) -> ASGIApp:
    """Return an application that passes on what may come in, and refuses the rest.

    Parameters:
        app: what it is passed on to.
        check: returns why a request is refused, or None where it is not.
        invites: says of a request whether its target asks for it although a page sends it; the page
            may then read the answer.
    """

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif (problem := check(scope)) is None:
            await app(scope, receive, send if invites(scope) else _without_cors(send))
        elif scope["type"] == "websocket":
            await WebSocketClose(_POLICY_VIOLATION)(scope, receive, send)
        else:
            _LOG.warning("Refused a request: %s", problem)
            refused = PlainTextResponse(f"{problem}\n", 403, {"connection": "close"})
            await refused(scope, receive, send)

    return guard


def refusal(headers: Headers, port: int, *, invited: bool = False) -> str | None:
    """Return why a request with these headers is refused, or None where it is not.

    Parameters:
        headers: the request's, as often as each was sent.
        port: the TCP port that the local AWS is reached at.
        invited: whether the request's target asks for requests of this page.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_here(hosts[0].lower(), port):
        return f"The local AWS only answers requests whose Host is 127.0.0.1:{port}."
    if invited:
        return None
    # "none" is what somebody typed into the address bar, such as a presigned URL.
    if "origin" in headers or set(headers.getlist("sec-fetch-site")) - {"none"}:
        return "The local AWS does not accept requests from web pages."
    return None


def _is_here(host: str, port: int) -> bool:
    name, colon, number = host.partition(":")
    right = number == str(port) if colon else port == _HTTP_PORT
    return right and _NAMES.fullmatch(name) is not None


def _without_cors(send: Send) -> Send:
    """Take away what would let a page read the answer; the emulator lets every page."""

    async def send_without(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [
                (name, value)
                for name, value in message["headers"]
                if not name.lower().startswith(b"access-control-")
            ]
            message = {**message, "headers": headers}
        await send(message)

    return send_without
