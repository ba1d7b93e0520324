"""The server of the page: on 127.0.0.1 only, for whoever has the address that it printed.

It acts with somebody's credentials. Every request carries a random token in its path, which no
other page knows: a cookie would be sent to every other port of this machine as well. Uploads
go through here, from the browser to S3 without being kept: so the source bucket needs no rule
for other origins, and the local AWS goes on refusing what comes from pages.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import io
import json
import re
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config
from jinja2 import Template
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route

from image_converter import keys
from scripts.console.live import Item, Live, not_started
from scripts.lib import terminal, user_errors
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, uploads
from scripts.lib.executions.definition import Machine, State
from scripts.lib.executions.run import Run
from scripts.lib.user_errors import UserError
from scripts.local_aws.gate import App, Gate, Message, Receive, Send, by_name
from scripts.report import graph, pages

HOST = "127.0.0.1"

_TEMPLATES = Path(__file__).parent / "templates"
_BUSY_SECONDS, _IDLE_SECONDS, _TROUBLED_SECONDS = 0.5, 2.0, 5.0  # between two looks at AWS
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
_AWS_SAID_NO = (BotoCoreError, ClientError, UserError)


def serve(clients: Clients, stack: Deployment, port: int | None = None) -> None:
    """Print the address of the live page of a stack, and serve it until SIGINT or SIGTERM.

    Args:
        clients: of the AWS that the stack is on.
        stack: the stack.
        port: the TCP port on 127.0.0.1; None takes a free one.

    Raises:
        UserError: the port is taken.
    """
    with listening(port) as at:
        console = Console(clients, stack, at.getsockname()[1])
        terminal.say(f"The live page of {stack.name} is at {console.address}")
        terminal.say("Whoever has this address can use it as you can. Press ctrl-C to stop.")
        asyncio.run(console.run(at))


def listening(port: int | None) -> socket.socket:
    """Return a socket that is bound to the port of this machine alone, or to a free one."""
    at = socket.socket()
    at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        at.bind((HOST, port or 0))
        at.listen()  # from now on, whoever opens the address is answered, even if in a moment
    except OSError as error:
        at.close()
        raise UserError(f"Port {port} on {HOST} is not available ({error.strerror}).") from error
    return at


class Console:
    """The page of one stack, with everything that it asks for."""

    def __init__(self, clients: Clients, stack: Deployment, port: int) -> None:
        """Prepare, without asking AWS."""
        self.live = Live(clients, stack)
        self._port = port
        self._token = secrets.token_urlsafe(24)
        self._readers: set[asyncio.Queue[str]] = set()
        self._read = asyncio.Event()  # there are readers
        self._hurry = asyncio.Event()  # something was done that AWS should be asked about
        self._said = ""

    @property
    def address(self) -> str:
        """The page's, with the token."""
        return f"http://{HOST}:{self._port}/{self._token}/"

    async def run(
        self, at: socket.socket, stop: Callable[[], Awaitable[Any]] | None = None
    ) -> None:
        """Serve on a socket until told to stop, or by default until a signal."""
        config = Config()
        config.bind = [f"fd://{at.detach()}"]
        config.loglevel = "WARNING"
        config.graceful_timeout = 0.2  # pages that read events do not end by themselves
        asyncio.get_running_loop().set_exception_handler(_but_for_cancelled)
        await serve_asgi(self.app, config, shutdown_trigger=stop)  # type: ignore[arg-type]

    @property
    def app(self) -> App:
        """The application, behind its gate."""
        routes = [
            Route("/", self._page),
            Route("/console.css", self._style),
            Route("/console.js", self._script),
            Route("/events", self._events),
            Route("/images", self._upload, methods=["POST"]),
            Route("/items/{name:path}", self._item),
            Route("/pictures/{name:path}", self._pictures),
            Route("/retry/{name:path}", self._retry, methods=["POST"]),
            Route("/report/{name:path}", self._report),
        ]
        handlers: Any = dict.fromkeys((*_AWS_SAID_NO, ClientDisconnect), _as_sentence)
        inner = Starlette(
            routes=[Mount("/{token}", routes=routes)],
            lifespan=self._lifespan,
            exception_handlers=handlers,
        )
        return Gate(_protected(inner), self.refusal)

    def refusal(self, scope: Message) -> str | None:
        """Return why a request is refused, or None where it is not.

        Only this page sends requests that change something, and only with the address at hand is
        anything answered.
        """
        own = f"{HOST}:{self._port}".encode()
        headers = by_name(scope["headers"])
        if headers.get(b"host") != [own]:
            return f"This page only answers requests whose Host is {own.decode()}."
        origins = headers.get(b"origin", [])
        needed = scope.get("method") not in ("GET", "HEAD")
        if origins != [b"http://" + own] and (origins or needed):
            return "This page does not accept requests from other pages."
        if set(headers.get(b"sec-fetch-site", [])) - {b"same-origin", b"none"}:
            return "This page does not accept requests from other pages."
        token = scope["path"].split("/")[1:2] or [""]
        if not hmac.compare_digest(token[0].encode(), self._token.encode()):
            return "Open the address that the command has printed, with everything in it."
        return None

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(self._follow())
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    async def _follow(self) -> None:
        """Look at AWS again and again, while a page is open."""
        while True:
            await self._read.wait()
            self._hurry.clear()
            pause = _BUSY_SECONDS
            try:
                changed, gone = await asyncio.to_thread(self.live.look)
                self._tell({"items": self._summaries(changed), "gone": gone, "problem": ""})
                pause = _BUSY_SECONDS if self.live.is_busy else _IDLE_SECONDS
            except _AWS_SAID_NO as error:
                self._tell({"items": [], "gone": [], "problem": user_errors.sentence(error)})
                pause = _TROUBLED_SECONDS
            try:
                await asyncio.wait_for(self._hurry.wait(), pause)
            except TimeoutError:
                continue

    def _tell(self, news: dict[str, Any]) -> None:
        text = json.dumps(news | {"counts": self.live.counts})
        if news["items"] or news["gone"] or text != self._said:
            for reader in self._readers:
                reader.put_nowait(text)
        self._said = text

    def _summaries(self, items: Sequence[Item]) -> list[dict[str, Any]]:
        ordered = sorted(items, key=lambda item: item.since, reverse=True)
        return [
            {
                "name": item.name,
                "group": item.group,
                "since": item.since.timestamp(),
                "html": _template("summary.html.j2").render(item=item),
                "said": f"{item.key}: {item.execution.kind}" if item.execution else item.key,
            }
            for item in ordered
        ]

    async def _page(self, _request: Request) -> Response:
        machine = await asyncio.to_thread(self.live.machine)
        meta = self.live.clients.stepfunctions.meta
        local = meta.endpoint_url if "amazonaws" not in meta.endpoint_url else ""
        html = _template("console.html.j2").render(
            stack=self.live.stack,
            place=f"the local AWS at {local}" if local else meta.region_name,
            account=self.live.stack.state_machine_arn.split(":")[4],
            planned=graph.of_execution(not_started(machine)),
        )
        return HTMLResponse(html)

    async def _style(self, _request: Request) -> Response:
        return Response(_template("console.css").render(), media_type="text/css")

    async def _script(self, _request: Request) -> Response:
        return FileResponse(_TEMPLATES / "console.js")

    async def _events(self, _request: Request) -> Response:
        return StreamingResponse(self._news(), media_type="text/event-stream")

    async def _news(self) -> AsyncIterator[str]:
        """Yield everything that is known, then what changes."""
        reader: asyncio.Queue[str] = asyncio.Queue()
        self._readers.add(reader)
        self._read.set()
        self._hurry.set()
        try:
            everything = self._summaries(list(self.live.items.values()))
            first = {"all": True, "items": everything, "gone": [], "counts": self.live.counts}
            yield f"retry: 1000\ndata: {json.dumps(first)}\n\n"
            while True:
                yield f"data: {await reader.get()}\n\n"
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._read.clear()

    async def _upload(self, request: Request) -> Response:
        key = request.query_params.get("key", "")
        if not key or len(key.encode()) > keys.MAX_KEY_BYTES:
            raise HTTPException(400, f"A key has from 1 to {keys.MAX_KEY_BYTES} bytes.")
        kind = request.headers.get("content-type", "application/octet-stream")
        body = io.BufferedReader(_Body(request.stream(), asyncio.get_running_loop()))
        version = await asyncio.to_thread(
            uploads.send, self.live.clients, self.live.stack, key, body, kind
        )
        item = self.live.add(key, version)
        self._tell({"items": self._summaries([item]), "gone": [], "problem": ""})
        self._hurry.set()
        return JSONResponse({"name": item.name})

    async def _item(self, request: Request) -> Response:
        item = self._named(request)
        await asyncio.to_thread(self.live.read, item)
        execution = item.execution
        if execution is None and not self.live.stack.express:
            execution = not_started(await asyncio.to_thread(self.live.machine))
        html = _template("item.html.j2").render(
            item=item,
            graph=graph.of_execution(execution) if execution else None,
            express=self.live.stack.express,
        )
        return HTMLResponse(html)

    async def _pictures(self, request: Request) -> Response:
        item = self._named(request)
        pictures = await asyncio.to_thread(self.live.pictures_of, item)
        html = _template("figures.html.j2").render(pictures=pictures, key=item.key)
        return HTMLResponse(html)

    async def _retry(self, request: Request) -> Response:
        result = await asyncio.to_thread(self.live.retry, self._named(request))
        self._hurry.set()
        return JSONResponse({"did": result.did, "why": result.why})

    async def _report(self, request: Request) -> Response:
        item = self._named(request)
        if not item.arn:
            raise HTTPException(404, "It has no execution yet.")
        (run,) = await asyncio.to_thread(collect.runs, self.live.clients, [item.arn])
        html = pages.execution_page(run, self.address)
        return HTMLResponse(html, headers={"content-security-policy": _policy_of_report()})

    def _named(self, request: Request) -> Item:
        item = self.live.items.get(request.path_params["name"])
        if item is None:
            raise HTTPException(404, "It is not listed any more.")
        return item


class _Body(io.RawIOBase):
    """What a browser sends, for a thread that reads it as a file."""

    def __init__(self, stream: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._stream = stream
        self._loop = loop
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            chunk = asyncio.run_coroutine_threadsafe(self._next(), self._loop).result()
            if chunk is None:
                return 0
            self._left = chunk
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    async def _next(self) -> bytes | None:
        return await anext(self._stream, None)


def _but_for_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Report exceptions, but not that connections are ended with the server (Python 3.11 does)."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)


def _template(name: str) -> Template:
    return pages.environment(_TEMPLATES).get_template(name)


def _protected(app: App) -> App:
    """Add the headers that keep browsers careful to every answer that has not its own."""

    async def protected(scope: Message, receive: Receive, send: Send) -> None:
        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower(): value for name, value in message.get("headers", [])}
                message = {**message, "headers": list((_HEADERS | own).items())}
            await send(message)

        await app(scope, receive, send_protected)

    return protected


@cache
def _policy_of_report() -> str:
    """Return a policy under which the report's own scripts run, and no others.

    They are taken from a page of an execution in which nothing has happened: nobody else has put
    anything into it.
    """
    machine = Machine("Start", {"Start": State("Start", "Pass", "", "", (), ())})
    nothing = replace(not_started(machine), ended=datetime.now(UTC))
    scripts = re.findall(r"<script>(.*?)</script>", pages.execution_page(Run(nothing)), re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts]
    sources = " ".join(f"'sha256-{one}'" for one in hashes)
    return _POLICY.replace("style-src 'self'", "style-src 'unsafe-inline'").replace(
        "script-src 'self'", f"script-src {sources}"
    )


async def _as_sentence(_request: Request, error: Exception) -> Response:
    return Response(user_errors.sentence(error), 502, media_type="text/plain")
