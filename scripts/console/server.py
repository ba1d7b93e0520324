"""The server of the page: it follows a stack for the browser, and takes uploads and retries.

Uploads go through here, from the browser to S3 without being kept: so the source bucket needs no
rule for other origins, and the local AWS goes on refusing what comes from pages.
"""

import asyncio
import io
import json
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from hypercorn.asyncio import serve as serve_asgi
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from image_converter import keys
from scripts.console import guard
from scripts.console.live import Item, Live, not_started
from scripts.lib import terminal, user_errors
from scripts.lib.aws import Clients, is_local
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, uploads
from scripts.lib.ports import HOST, listening
from scripts.lib.user_errors import UserError
from scripts.local_aws.gate import guarded
from scripts.report import graph, pages

_TEMPLATES = Path(__file__).parent / "templates"
_BUSY_SECONDS, _IDLE_SECONDS, _TROUBLED_SECONDS = 0.5, 2.0, 5.0  # between two polls of AWS
_THREADS = 32  # requests and uploads that wait for AWS
_REFUSALS = (BotoCoreError, ClientError, UserError)


def serve(clients: Clients, stack: Deployment, port: int | None = None) -> None:
    """Print the address of the live page of a stack, and serve it until SIGINT or SIGTERM.

    Parameters:
        clients: of the AWS that the stack is on.
        stack: the stack.
        port: the TCP port on 127.0.0.1; None takes a free one.

    Raises:
        UserError: the port is taken.
    """
    with listening(port) as listener:
        console = Console(clients, stack, listener.getsockname()[1])
        terminal.say(f"The live page of {stack.name} is at {console.address}")
        terminal.say("Whoever has this address can use it as you can. Press ctrl-C to stop.")
        asyncio.run(console.run(listener))


@contextmanager
def served(clients: Clients, stack: Deployment) -> "Iterator[Console]":
    """Yield the live page of a stack, which another thread serves meanwhile."""
    with listening(None) as listener:
        console = Console(clients, stack, listener.getsockname()[1])
        loop, stop = asyncio.new_event_loop(), asyncio.Event()
        serving = threading.Thread(
            target=loop.run_until_complete, args=(console.run(listener, stop.wait),)
        )
        serving.start()
        try:
            yield console
        finally:
            loop.call_soon_threadsafe(stop.set)
            serving.join()
            loop.close()


class Console:
    """The page of one stack, with everything that it asks for."""

    def __init__(self, clients: Clients, stack: Deployment, port: int) -> None:
        """Prepare, without asking AWS."""
        self.live = Live(clients, stack)
        self._port = port
        self._token = secrets.token_urlsafe(24)
        self._readers: set[asyncio.Queue[str]] = set()
        self._watched = asyncio.Event()  # there are readers
        self._hurry = asyncio.Event()  # something was done that changes what AWS answers
        self._last_news = ""

    @property
    def address(self) -> str:
        """The page's, with the token."""
        return f"http://{HOST}:{self._port}/{self._token}/"

    async def run(
        self, listener: socket.socket, stop: Callable[[], Awaitable[Any]] | None = None
    ) -> None:
        """Serve on a socket until `stop` returns, or by default until a signal."""
        config = Config()
        config.bind = [f"fd://{listener.detach()}"]
        config.loglevel = "WARNING"
        config.graceful_timeout = 0.2  # pages that read news do not end by themselves
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(_THREADS))
        loop.set_exception_handler(_but_for_cancelled)
        await serve_asgi(self._app(), config, shutdown_trigger=stop)  # type: ignore[arg-type]

    def _app(self) -> ASGIApp:
        routes = [
            Route("/", self._page),
            Route("/console.css", self._style),
            Route("/console.js", self._script),
            Route("/news", self._news),
            Route("/images", self._upload, methods=["POST"]),
            Route("/items/{name:path}", self._item),
            Route("/pictures/{name:path}", self._pictures),
            Route("/retry/{name:path}", self._retry, methods=["POST"]),
            Route("/report/{name:path}", self._report),
        ]
        handlers: Any = dict.fromkeys((*_REFUSALS, ClientDisconnect), _as_sentence)
        app = Starlette(
            routes=[Mount("/{token}", routes=routes)],
            lifespan=self._lifespan,
            exception_handlers=handlers,
        )
        return guarded(
            guard.protected(app), lambda scope: guard.refusal(scope, self._port, self._token)
        )

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(self._follow())
        yield
        following.cancel()
        with suppress(asyncio.CancelledError):
            await following

    async def _follow(self) -> None:
        """Poll AWS while a page is open."""
        while True:
            await self._watched.wait()
            self._hurry.clear()
            try:
                changed, gone = await asyncio.to_thread(self.live.poll)
                self._publish(changed, gone)
                pause = _BUSY_SECONDS if self.live.is_busy else _IDLE_SECONDS
            except _REFUSALS as error:
                self._publish([], [], user_errors.sentence(error))
                pause = _TROUBLED_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause)

    def _publish(self, items: Sequence[Item], gone: Sequence[str] = (), problem: str = "") -> None:
        text = self._written(items, gone=gone, problem=problem)
        if items or gone or text != self._last_news:
            for reader in self._readers:
                reader.put_nowait(text)
        self._last_news = text

    def _written(self, items: Sequence[Item], **more: Any) -> str:
        summaries = [
            {
                "name": item.name,
                "group": item.group,
                "since": item.since.timestamp(),
                "html": pages.template("summary.html.j2", _TEMPLATES).render(item=item),
            }
            for item in sorted(items, key=lambda item: item.since, reverse=True)
        ]
        return json.dumps({"items": summaries, "counts": self.live.counts, **more})

    async def _page(self, _request: Request) -> Response:
        machine = await asyncio.to_thread(self.live.machine)
        meta = self.live.clients.stepfunctions.meta
        html = pages.template("console.html.j2", _TEMPLATES).render(
            stack=self.live.stack,
            place=f"the local AWS at {meta.endpoint_url}"
            if is_local(meta.endpoint_url)
            else meta.region_name,
            account=self.live.stack.state_machine_arn.split(":")[4],
            planned=graph.of_execution(not_started(machine)),
        )
        return HTMLResponse(html)

    async def _style(self, _request: Request) -> Response:
        return Response(pages.template("console.css", _TEMPLATES).render(), media_type="text/css")

    async def _script(self, _request: Request) -> Response:
        return FileResponse(_TEMPLATES / "console.js")

    async def _news(self, _request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        """Yield everything that is known, then what changes."""
        reader: asyncio.Queue[str] = asyncio.Queue()
        self._readers.add(reader)
        self._watched.set()
        self._hurry.set()
        try:
            everything = self._written(list(self.live.items.values()), all=True, gone=[])
            yield f"retry: 1000\ndata: {everything}\n\n"
            while True:
                yield f"data: {await reader.get()}\n\n"
        finally:
            self._readers.discard(reader)
            if not self._readers:
                self._watched.clear()

    async def _upload(self, request: Request) -> Response:
        key = request.query_params.get("key", "")
        if not key or len(key.encode()) > keys.MAX_KEY_BYTES:
            raise HTTPException(400, f"A key has from 1 to {keys.MAX_KEY_BYTES} bytes.")
        kind = request.headers.get("content-type", "application/octet-stream")
        live, body = self.live, Body(request.stream(), asyncio.get_running_loop())
        file = io.BufferedReader(body)
        try:
            version = await asyncio.to_thread(
                uploads.send, live.clients, live.stack, key, file, kind
            )
        finally:
            body.end()
        item = live.add(key, version)
        self._publish([item])
        self._hurry.set()
        return PlainTextResponse(item.name)

    async def _item(self, request: Request) -> Response:
        item = self._item_of(request)
        execution = item.execution
        if execution is None and not item.kind:
            execution = not_started(await asyncio.to_thread(self.live.machine))
        html = pages.template("item.html.j2", _TEMPLATES).render(
            item=item,
            graph=graph.of_execution(execution) if execution else None,
        )
        return HTMLResponse(html)

    async def _pictures(self, request: Request) -> Response:
        item = self._item_of(request)
        pictures = await asyncio.to_thread(self.live.pictures_of, item)
        html = pages.template("figures.html.j2", _TEMPLATES).render(pictures=pictures, key=item.key)
        return HTMLResponse(html)

    async def _retry(self, request: Request) -> Response:
        outcome = await asyncio.to_thread(self.live.retry, self._item_of(request))
        self._hurry.set()
        return PlainTextResponse(outcome)

    async def _report(self, request: Request) -> Response:
        item = self._item_of(request)
        [run] = await asyncio.to_thread(
            collect.runs, self.live.clients, [item.arn], self.live.source
        )
        nonce = secrets.token_urlsafe()
        html = pages.execution_page(run, self.address, nonce)
        policy = guard.policy_of_reports(nonce)
        return HTMLResponse(html, headers={"content-security-policy": policy})

    def _item_of(self, request: Request) -> Item:
        item = self.live.items.get(request.path_params["name"])
        if item is None:
            raise HTTPException(404, "It is not listed any more.")
        return item


class Body(io.RawIOBase):
    """What a browser sends, for a thread that reads it as a file."""

    def __init__(self, stream: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        """Read a stream, which a loop in another thread feeds."""
        super().__init__()
        self._stream = stream
        self._loop = loop
        self._left = b""
        self._pending: Future[bytes | None] | None = None
        self._ended = False

    def end(self) -> None:
        """Have whoever still reads fail: a loop that has stopped would never answer."""
        self._ended = True
        if self._pending:
            self._pending.cancel()

    def readable(self) -> bool:
        """Return whether it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into a buffer, and return how many bytes."""
        while not self._left:
            self._pending = asyncio.run_coroutine_threadsafe(self._next(), self._loop)
            if self._ended:
                self._pending.cancel()
            chunk = self._pending.result()
            if chunk is None:
                return 0
            self._left = chunk
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    async def _next(self) -> bytes | None:
        return await anext(self._stream, None)


async def _as_sentence(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(user_errors.sentence(error), 502)


def _but_for_cancelled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Ignore the CancelledErrors that Python 3.11 reports when connections close."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
