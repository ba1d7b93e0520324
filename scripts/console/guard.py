"""Which requests the page's server accepts, and what browsers may do with its answers.

It acts with somebody's credentials, and every web page can send requests to this machine. So every
request carries a random token in its path, which no other page knows. A cookie would be sent to
every other port of this machine as well.
"""

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scripts.lib.ports import HOST

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def refusal(scope: Scope, port: int, token: str) -> str | None:
    """Return why a request is refused, or None where it is not.

    Parameters:
        scope: the request, as ASGI has it.
        port: the TCP port that the page is reached at.
        token: the first part of every path.
    """
    own, headers = f"{HOST}:{port}", Headers(scope=scope)
    if headers.getlist("host") != [own]:
        return f"This page only answers requests whose Host is {own}."
    origins = headers.getlist("origin")
    reads = scope.get("method") in ("GET", "HEAD")  # browsers name the origin of all others
    is_own = origins == [f"http://{own}"] or (reads and not origins)
    if not is_own or set(headers.getlist("sec-fetch-site")) - {"same-origin", "none"}:
        return "This page does not accept requests from other pages."
    if not hmac.compare_digest(scope["path"].split("/")[1].encode(), token.encode()):
        return "Open the address that the command has printed, with everything in it."
    return None


def protected(app: ASGIApp) -> ASGIApp:
    """Add the headers that make browsers careful to every answer that has none of its own."""

    async def protect(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_protected)

    return protect


def policy_of_reports(nonce: str) -> str:
    """Return a policy under which only the report's own scripts run: those that have the nonce."""
    styled = _POLICY.replace("style-src 'self'", "style-src 'unsafe-inline'")
    styled = styled.replace("connect-src 'self'; ", "")
    return styled.replace("script-src 'self'", f"script-src 'nonce-{nonce}'")
