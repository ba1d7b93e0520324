"""Who may ask the page's server for anything, and what browsers may do with its answers.

It acts with somebody's credentials, and every web page can send requests to this machine. So every
request carries a random token in its path, which no other page knows. A cookie would be sent to
every other port of this machine as well.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from scripts.console.live import not_started
from scripts.lib.executions.definition import Machine, State
from scripts.lib.executions.run import Run
from scripts.local_aws.gate import App, Message, Receive, Send, by_name
from scripts.report import pages

HOST = "127.0.0.1"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    b"content-security-policy": _POLICY.encode(),
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"cache-control": b"no-store",
}


def refusal(scope: Message, port: int, token: str) -> str | None:
    """Return why a request is refused, or None where it is not.

    Args:
        scope: the request, as ASGI has it.
        port: the TCP port that the page is reached at.
        token: the first part of every path.
    """
    own = f"{HOST}:{port}".encode()
    headers = by_name(scope["headers"])
    if headers.get(b"host") != [own]:
        return f"This page only answers requests whose Host is {own.decode()}."
    origins = headers.get(b"origin", [])
    reads = scope.get("method") in ("GET", "HEAD")  # browsers name the origin of all others
    if origins != [b"http://" + own] and not (reads and not origins):
        return "This page does not accept requests from other pages."
    if set(headers.get(b"sec-fetch-site", [])) - {b"same-origin", b"none"}:
        return "This page does not accept requests from other pages."
    if not hmac.compare_digest(scope["path"].split("/")[1].encode(), token.encode()):
        return "Open the address that the command has printed, with everything in it."
    return None


def protected(app: App) -> App:
    """Add the headers that make browsers careful to every answer that has none of its own."""

    async def protect(scope: Message, receive: Receive, send: Send) -> None:
        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower(): value for name, value in message.get("headers", [])}
                message = {**message, "headers": list((_HEADERS | own).items())}
            await send(message)

        await app(scope, receive, send_protected)

    return protect


@cache
def policy_of_reports() -> str:
    """Return a policy under which the report's own scripts run, and no others.

    They are taken from the page of an execution in which nothing has happened: nobody else has put
    anything into that.
    """
    machine = Machine("Start", {"Start": State("Start", "Pass", "", "", (), ())})
    nothing = replace(not_started(machine), ended=datetime.now(UTC))
    scripts = re.findall(r"<script>(.*?)</script>", pages.execution_page(Run(nothing)), re.DOTALL)
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    styled = _POLICY.replace("style-src 'self'", "style-src 'unsafe-inline'")
    styled = styled.replace("connect-src 'self'; ", "")
    return styled.replace("script-src 'self'", f"script-src {hashes}")
