"""A browser: windows in which nothing may go wrong, and an attacker's pages."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page

from scripts.lib import browser as installed

EVIL = "evil.example"  # which the attacker's DNS server has pointed at this machine

# Sends a request, and returns as much of the answer as the page can read.
SEND = """async ([url, options]) => {
    try {
        const answer = await fetch(url, options);
        return answer.type === "opaque" ? "opaque" : await answer.text();
    } catch (error) {
        return "refused: " + error;
    }
}"""

Headers = list[tuple[str, str]]
Scheme = Literal["light", "dark"]


class _EvilPage(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Evil</title>")

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def evil_origin() -> Iterator[str]:
    """Yield the origin of an attacker's page, which is on another port of this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _EvilPage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def evil_page(browser: Browser) -> Iterator[Page]:
    """Yield an attacker's page, which is on another port of this machine."""
    with evil_origin() as origin:
        page = browser.new_page()
        page.goto(origin)
        yield page
        page.close()


def submitted(page: Page, form: str) -> int:
    """Have a page post a form; return the status of the answer."""
    page.set_content(form)
    with page.expect_navigation() as navigation:
        page.evaluate("document.forms[0].submit()")
    return navigation.value.status


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield Chromium, for which the name EVIL is this machine."""
    with installed.launched(f"--host-resolver-rules=MAP {EVIL} 127.0.0.1") as launched:
        yield launched


@contextmanager
def flawless(
    browser: Browser, width: int = 1280, scheme: Scheme = "light"
) -> Iterator[tuple[Page, list[str]]]:
    """Yield a window in which nothing may go wrong, and the list of what does."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    with browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme
    ) as context:
        page = context.new_page()
        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page, complaints
    assert complaints == []


def ask(
    port: int, headers: Headers, method: str = "GET", path: str = "/", body: bytes = b""
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send a request with exactly these headers, PORT in them replaced; return the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value.replace("PORT", str(port)))
    connection.endheaders(body or None)
    answer = connection.getresponse()
    result = answer.status, answer.headers, answer.read()
    connection.close()
    return result
