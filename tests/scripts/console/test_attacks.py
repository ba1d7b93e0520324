"""Nobody but the page itself can make its server do anything, or read what it answers."""

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from scripts.console.server import Console
from scripts.local_aws import LocalAws
from tests.scripts.console.conftest import Serve, Small, small_stack
from tests.support import other_pages
from tests.support.other_pages import EVIL, SEND, Headers

pytestmark = pytest.mark.e2e

HERE = ("Host", "127.0.0.1:PORT")
OWN = ("Origin", "http://127.0.0.1:PORT")
FILE = [("Content-Length", "4"), ("Content-Type", "image/jpeg")]


@pytest.fixture(scope="module")
def attacked(unguarded_aws: LocalAws) -> Small:
    """A stack in which no attack is to change anything."""
    return small_stack(unguarded_aws)


@pytest.fixture(scope="module")
def console(attacked: Small, serve: Serve) -> Iterator[Console]:
    with serve(attacked.clients, attacked.deployment) as console:
        yield console


@pytest.fixture
def evil(browser: Browser) -> Iterator[Page]:
    with other_pages.evil_page(browser) as page:
        yield page


def ask(
    console: Console, headers: Headers, method: str = "GET", path: str = "", token: str = ""
) -> tuple[int, bytes]:
    url = urlsplit(console.address)
    target = f"/{token}/{path}" if token else url.path + path
    body = b"JPEG" if method == "POST" else b""
    headers = [*headers, *(FILE if body else [])]
    status, _, answer = other_pages.ask(url.port or 0, headers, method, target, body)
    return status, answer


def uploaded(small: Small) -> list[str]:
    listed = small.clients.s3.list_objects_v2(Bucket=small.deployment.source_bucket)
    return [item["Key"] for item in listed.get("Contents", [])]


def test_the_page_itself_is_answered(console: Console, attacked: Small) -> None:
    assert ask(console, [HERE])[0] == 200
    assert ask(console, [HERE, ("Sec-Fetch-Site", "none")])[0] == 200
    own = [HERE, OWN, ("Sec-Fetch-Site", "same-origin")]
    assert ask(console, own, "POST", "images?key=own.jpg")[0] == 200
    assert "own.jpg" in uploaded(attacked)


@pytest.mark.parametrize("path", ["", "console.js", "items/none", "no-such-page"])
def test_every_answer_makes_browsers_careful(console: Console, path: str) -> None:
    url = urlsplit(console.address)
    _, headers, _ = other_pages.ask(url.port or 0, [HERE], "GET", url.path + path)
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "script-src 'self';" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        [("Host", f"{EVIL}:PORT"), ("Origin", f"http://{EVIL}:PORT")],  # DNS rebinding
        [("Host", f"{EVIL}:PORT"), OWN],
        [("Host", "localhost:PORT"), OWN],
        [("Host", "127.0.0.1"), OWN],
        [HERE],  # no page, or a form of an old browser
        [HERE, ("Origin", "null")],
        [HERE, ("Origin", f"http://{EVIL}")],
        [HERE, ("Origin", "http://127.0.0.1:1")],
        [HERE, ("Origin", "https://127.0.0.1:PORT")],
        [HERE, OWN, ("Origin", f"http://{EVIL}")],
        [HERE, OWN, ("Sec-Fetch-Site", "same-site")],
        [HERE, OWN, ("Sec-Fetch-Site", "cross-site")],
        [HERE, OWN, ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
    ],
    ids=lambda headers: " ".join(map("=".join, headers)),
)
def test_others_upload_and_retry_nothing_even_if_they_know_the_token(
    console: Console, attacked: Small, headers: Headers
) -> None:
    for path in ("images?key=a.jpg", "retry/a"):
        assert ask(console, headers, "POST", path)[0] == 403
    assert "a.jpg" not in uploaded(attacked)


@pytest.mark.parametrize(
    "headers",
    [
        [("Host", f"{EVIL}:PORT")],
        [HERE, ("Origin", f"http://{EVIL}")],
        [HERE, ("Sec-Fetch-Site", "same-site")],
        [HERE, ("Sec-Fetch-Site", "cross-site")],
    ],
)
@pytest.mark.parametrize("path", ["", "news", "items/a", "pictures/a", "report/a", "console.js"])
def test_others_read_nothing_even_if_they_know_the_token(
    console: Console, headers: Headers, path: str
) -> None:
    assert ask(console, headers, "GET", path)[0] == 403


@pytest.mark.parametrize("path", ["", "news", "items/a", "report/a", "console.js", "console.css"])
def test_without_the_token_nothing_is_answered(console: Console, path: str) -> None:
    token = urlsplit(console.address).path.strip("/")
    for wrong in ("x", token[:-1], f"{token}x", token.swapcase(), quote("é"), "%00"):
        status, said = ask(console, [HERE], "GET", path, wrong)
        assert (status, b"Open the address" in said) == (403, True)
    assert len(token) >= 32


def test_other_ports_of_this_machine_are_not_sent_the_token(
    console: Console, browser: Browser
) -> None:
    """Cookies do not know ports, so there are none; and the address goes into no Referer."""
    page = browser.new_page()
    page.goto(console.address)
    assert page.context.cookies() == []
    seen: list[dict[str, str]] = []
    page.on("request", lambda request: seen.append(request.headers))
    with other_pages.evil_origin() as origin:
        page.evaluate("(url) => { location = url; }", origin)
        page.wait_for_url(f"{origin}/")
    token = urlsplit(console.address).path.strip("/")
    assert seen
    assert not [headers for headers in seen if token in str(headers)]
    page.close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("mode", ["cors", "no-cors"])
def test_a_page_of_another_origin_can_send_and_read_nothing(
    console: Console, attacked: Small, evil: Page, mode: str, name: str
) -> None:
    """The worst case: it has got hold of the address."""
    address = console.address.replace("127.0.0.1", name)
    for path, options in (
        ("images?key=a.jpg", {"method": "POST", "body": "JPEG"}),
        ("retry/a", {"method": "POST"}),
        ("news", {}),
        ("", {}),
    ):
        answer = evil.evaluate(SEND, [address + path, {"mode": mode, **options}])
        assert answer == "opaque" if mode == "no-cors" else answer.startswith("refused: ")
    assert "a.jpg" not in uploaded(attacked)


def test_a_page_of_another_origin_cannot_post_a_form_or_frame_the_page(
    console: Console, attacked: Small, evil: Page
) -> None:
    form = (
        f'<form method="post" enctype="text/plain" action="{console.address}images?key=a.jpg">'
        '<input name="JPEG" value=""></form>'
    )
    assert other_pages.submitted(evil, form) == 403

    with other_pages.evil_origin() as origin:
        evil.goto(origin)
        evil.set_content(f'<iframe src="{console.address}"></iframe>')
        expect(evil.frame_locator("iframe").locator("#files")).to_have_count(0)
    assert "a.jpg" not in uploaded(attacked)


def test_a_name_that_points_here_opens_nothing(
    console: Console, attacked: Small, browser: Browser
) -> None:
    """DNS rebinding: the evil page and this one are of one origin to the browser."""
    page = browser.new_page()
    address = console.address.replace("127.0.0.1", EVIL)
    answer = page.goto(address)
    assert answer is not None
    assert answer.status == 403
    sent = page.evaluate(SEND, [f"{address}images?key=a.jpg", {"method": "POST", "body": "JPEG"}])
    assert "only answers requests whose Host is" in sent
    assert "a.jpg" not in uploaded(attacked)
    page.close()


EVIL_KEY = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\"'{{7*7}}.jpg"


def test_keys_and_errors_are_never_markup(own: Console, small: Small, browser: Browser) -> None:
    small.start("evil", "fail", EVIL_KEY)
    small.settle("FAILED", 1)
    page = browser.new_page()
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.goto(own.address)

    row = page.locator("#items > li")
    expect(row.locator(".key")).to_have_text(EVIL_KEY)
    row.locator("summary").click()
    expect(row.get_by_role("button")).to_have_text(f"Retry {EVIL_KEY}")
    expect(row.locator("figcaption")).to_contain_text(EVIL_KEY)
    row.get_by_role("link", name="Full report").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(EVIL_KEY)
    expect(page.locator(".about:visible")).to_have_count(1)  # the report's own script runs
    assert complaints == []
    page.close()


_INJECT = """() => {
    const script = document.createElement("script");
    script.textContent = "window.ran.push('script')";
    document.body.append(script);
    const image = '<img src=x onerror="window.ran.push(1)" onclick="window.ran.push(2)">';
    document.body.insertAdjacentHTML("beforeend", image);
    document.querySelector("img[src=x]").click();
    return new Promise((done) => setTimeout(done));
}"""


def test_no_script_but_the_pages_own_runs(own: Console, small: Small, browser: Browser) -> None:
    """Should a key ever come through as markup, it would still not be a script."""
    small.start("a", "succeed")
    page = browser.new_page()
    page.add_init_script("window.ran = []")
    for path in ("", "report/a"):
        page.goto(own.address)
        expect(page.locator("#items > li")).to_have_count(1)
        page.goto(own.address + path)
        page.evaluate(_INJECT)
        assert page.evaluate("window.ran") == []
    page.close()
