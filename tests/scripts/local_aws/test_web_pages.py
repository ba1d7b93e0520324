"""No web page can make the local AWS do anything, or read what it answers."""

import http.client
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from scripts.lib.aws import Clients
from scripts.local_aws import LocalAws
from tests.support import other_pages
from tests.support.other_pages import EVIL, SEND

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS that enforces no IAM policy: whatever reaches it is done."""
    with LocalAws(tmp_path_factory.mktemp("pages")) as aws:
        yield aws


@pytest.fixture(scope="module")
def clients(aws: LocalAws) -> Clients:
    return Clients(aws.env)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with other_pages.evil_page(browser) as page:
        yield page


def _port(aws: LocalAws) -> int:
    return urlsplit(aws.endpoint).port or 0


def _ask(
    aws: LocalAws, headers: list[tuple[str, str]], method: str = "GET", path: str = "/"
) -> tuple[int, http.client.HTTPMessage, bytes]:
    return other_pages.ask(_port(aws), headers, method, path)


def _check_nothing_was_made(clients: Clients) -> None:
    assert not clients.sqs.list_queues().get("QueueUrls")
    assert clients.s3.list_buckets()["Buckets"] == []


HERE = ("Host", "127.0.0.1:PORT")


@pytest.mark.parametrize(
    "headers",
    [
        [HERE],
        [("Host", "localhost:PORT")],
        [("Host", "LocalHost:PORT")],
        [("Host", "0123abcd.execute-api.localhost:PORT")],
        [HERE, ("Sec-Fetch-Site", "none")],  # typed into the address bar
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_programs_are_answered(aws: LocalAws, headers: list[tuple[str, str]], method: str) -> None:
    status, answered, _body = _ask(aws, headers, method, "/_ministack/health")

    assert status == 200
    assert not [name for name in answered if name.lower().startswith("access-control-")]


REFUSED = [
    [("Host", f"{EVIL}:PORT")],
    [("Host", "127.0.0.1")],
    [("Host", "127.0.0.1:1")],
    [("Host", "127.0.0.1:PORT:PORT")],
    [("Host", f"127.0.0.1:PORT.{EVIL}")],
    [("Host", f"localhost.{EVIL}:PORT")],
    [("Host", f"0123abcd.execute-api.localhost.{EVIL}:PORT")],
    [("Host", f"{EVIL}.localhost:PORT")],
    [("Host", "127.0.0.2:PORT")],
    [("Host", "[::1]:PORT")],
    [("Host", "0:PORT")],
    [("Host", "")],
    [HERE, ("Origin", f"http://{EVIL}")],
    [HERE, ("Origin", "null")],  # a sandboxed frame, a file, a redirected request
    [HERE, ("Origin", "")],
    [HERE, ("Origin", "http://127.0.0.1:PORT")],  # a page that came out of a bucket
    [HERE, ("Origin", "http://0123abcd.execute-api.localhost:PORT")],
    [HERE, ("Sec-Fetch-Site", "cross-site")],
    [HERE, ("Sec-Fetch-Site", "same-site")],  # another port of this machine
    [HERE, ("Sec-Fetch-Site", "same-origin")],
    [HERE, ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")],
    [("Host", f"{EVIL}:PORT"), ("Origin", f"http://{EVIL}:PORT")],
]


@pytest.mark.parametrize("headers", REFUSED, ids=lambda headers: " ".join(map("=".join, headers)))
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_pages_and_other_names_are_refused(
    aws: LocalAws, clients: Clients, headers: list[tuple[str, str]], method: str
) -> None:
    status, answered, _body = _ask(aws, headers, method, "/stolen")

    assert status == 403
    assert not [name for name in answered if name.lower().startswith("access-control-")]
    _check_nothing_was_made(clients)


@pytest.mark.parametrize("host", [[], [HERE, HERE], [HERE, ("Host", f"{EVIL}:PORT")]])
def test_a_request_names_one_host(aws: LocalAws, host: list[tuple[str, str]]) -> None:
    status, _headers, _body = _ask(aws, host)
    assert status in (400, 403)  # the HTTP server refuses some by itself


@pytest.mark.parametrize("origin", [[], [("Origin", f"http://{EVIL}")]])
def test_web_sockets_of_pages_are_refused(aws: LocalAws, origin: list[tuple[str, str]]) -> None:
    host = HERE if origin else ("Host", f"{EVIL}:PORT")
    upgrade = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ]
    status, _headers, _body = _ask(aws, [host, *origin, *upgrade])
    assert status == 403


def test_error_answers_let_no_page_read_them(aws: LocalAws) -> None:
    status, answered, _body = _ask(aws, [HERE], "GET", "/no-such-bucket")

    assert status == 404
    assert not [name for name in answered if name.lower().startswith("access-control-")]


@pytest.mark.parametrize(
    ("options", "path"),
    [
        ({"mode": "no-cors", "method": "POST", "body": ""}, "/?Action=CreateQueue&QueueName=q"),
        ({"mode": "no-cors"}, "/?Action=CreateQueue&QueueName=q"),
        ({"mode": "cors", "method": "POST"}, "/?Action=CreateQueue&QueueName=q"),
        ({"mode": "cors", "method": "PUT"}, "/stolen"),  # with a preflight
        ({"mode": "cors"}, "/_ministack/health"),
    ],
)
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_page_of_another_origin_can_send_and_read_nothing(
    aws: LocalAws,
    clients: Clients,
    page: Page,
    options: dict[str, str],
    path: str,
    name: str,
) -> None:
    answer = page.evaluate(SEND, [f"http://{name}:{_port(aws)}{path}", options])

    assert answer == "opaque" if options["mode"] == "no-cors" else answer.startswith("refused: ")
    _check_nothing_was_made(clients)


def test_page_of_another_origin_cannot_post_a_form(
    aws: LocalAws, clients: Clients, page: Page
) -> None:
    form = (
        f'<form method="post" action="{aws.endpoint}/">'
        '<input name="Action" value="CreateQueue"><input name="QueueName" value="q"></form>'
    )

    assert other_pages.submitted(page, form) == 403
    _check_nothing_was_made(clients)


def test_name_that_points_here_opens_nothing(
    aws: LocalAws, clients: Clients, browser: Browser
) -> None:
    """DNS rebinding: the page and the local AWS are of one origin to the browser."""
    page = browser.new_page()
    origin = f"http://{EVIL}:{_port(aws)}"

    answer = page.goto(f"{origin}/?Action=CreateQueue&QueueName=q")
    assert answer is not None
    assert answer.status == 403
    sent = page.evaluate(SEND, [f"{origin}/stolen", {"method": "PUT"}])

    assert "only answers requests whose Host is" in sent
    _check_nothing_was_made(clients)
    page.close()


def test_page_out_of_a_bucket_can_do_nothing(
    aws: LocalAws, clients: Clients, browser: Browser
) -> None:
    """It is of the same origin as the local AWS: whoever uploads a page must not become root."""
    clients.s3.create_bucket(Bucket="pages")
    clients.s3.put_object(Bucket="pages", Key="a.html", Body=b"<p>A", ContentType="text/html")
    page = browser.new_page()

    answer = page.goto(f"{aws.endpoint}/pages/a.html")
    assert answer is not None
    assert answer.status == 200  # a person opened it
    for options in ({"method": "PUT"}, {"method": "GET"}):
        sent = page.evaluate(SEND, [f"{aws.endpoint}/stolen", options])
        assert sent == "The local AWS does not accept requests from web pages.\n"

    page.close()
    clients.s3.delete_object(Bucket="pages", Key="a.html")
    clients.s3.delete_bucket(Bucket="pages")


INVITED = "https://pictures.example.com"
PREFLIGHT = ("Access-Control-Request-Method", "POST")
FORM = ("Content-Type", "multipart/form-data; boundary=x")


def _posts_from(origin: str) -> Any:
    return {"CORSRules": [{"AllowedOrigins": [origin], "AllowedMethods": ["POST"]}]}


@pytest.fixture
def inviting(clients: Clients) -> Iterator[dict[str, str]]:
    """A bucket and an API that list an origin: their names as hosts and paths."""
    clients.s3.create_bucket(Bucket="inviting")
    clients.s3.put_bucket_cors(Bucket="inviting", CORSConfiguration=_posts_from(INVITED))
    apis = clients.client("apigatewayv2")
    cors = {"AllowOrigins": [INVITED], "AllowMethods": ["POST"]}
    api = apis.create_api(Name="inviting", ProtocolType="HTTP", CorsConfiguration=cors)["ApiId"]
    yield {"BUCKET": "127.0.0.1", "API": f"{api}.execute-api.localhost"}
    apis.delete_api(ApiId=api)
    clients.s3.delete_bucket(Bucket="inviting")


@pytest.mark.parametrize(
    ("target", "path", "method", "headers"),
    [
        ("BUCKET", "/inviting", "OPTIONS", [PREFLIGHT]),
        ("BUCKET", "/inviting", "POST", [FORM]),
        ("BUCKET", "/inviting/", "POST", [FORM, ("Sec-Fetch-Site", "cross-site")]),
        ("API", "/upload", "OPTIONS", [PREFLIGHT]),
        ("API", "/upload-url", "POST", []),
    ],
)
def test_listed_origin_may_send_what_its_owner_asks_for(
    aws: LocalAws,
    inviting: dict[str, str],
    target: str,
    path: str,
    method: str,
    headers: list[tuple[str, str]],
) -> None:
    host = ("Host", f"{inviting[target]}:PORT")

    _status, _headers, body = _ask(aws, [host, ("Origin", INVITED), *headers], method, path)
    assert b"web pages" not in body
    for origin in (f"http://{EVIL}", "null", INVITED.upper(), f"{INVITED}.{EVIL}", "*"):
        sent = [host, ("Origin", origin), *headers]
        status, _headers, body = _ask(aws, sent, method, path)
        assert (status, body) == (403, b"The local AWS does not accept requests from web pages.\n")


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/inviting", "PUT", [FORM]),
        ("/inviting", "GET", []),
        ("/inviting", "OPTIONS", [("Access-Control-Request-Method", "PUT")]),
        ("/inviting", "POST", [("Content-Type", "application/x-www-form-urlencoded")]),
        ("/inviting", "POST", [FORM, ("X-Amz-Target", "AmazonSQS.CreateQueue")]),
        ("/inviting", "POST", [FORM, ("Authorization", "AWS4-HMAC-SHA256 Credential=a/b/c/sqs")]),
        ("/inviting", "POST", [FORM, ("Origin", f"http://{EVIL}")]),
        ("/inviting?delete", "POST", [FORM]),
        ("/inviting?Action=CreateQueue&QueueName=q", "POST", [FORM]),
        ("/inviting/photo.jpg", "POST", [FORM]),
        ("/", "POST", [FORM]),
        ("/?Action=CreateQueue&QueueName=q", "POST", [FORM]),
        ("/another", "POST", [FORM]),
    ],
)
def test_listed_origin_may_send_nothing_else(
    aws: LocalAws,
    clients: Clients,
    inviting: dict[str, str],
    path: str,
    method: str,
    headers: list[tuple[str, str]],
) -> None:
    assert inviting
    status, _headers, body = _ask(aws, [HERE, ("Origin", INVITED), *headers], method, path)

    assert (status, body) == (403, b"The local AWS does not accept requests from web pages.\n")
    assert not clients.sqs.list_queues().get("QueueUrls")


def test_wildcard_of_a_bucket_invites_nobody(aws: LocalAws, clients: Clients) -> None:
    clients.s3.create_bucket(Bucket="wildcard")
    clients.s3.put_bucket_cors(Bucket="wildcard", CORSConfiguration=_posts_from("*"))

    status, _headers, _body = _ask(
        aws, [HERE, ("Origin", f"http://{EVIL}"), FORM], "POST", "/wildcard"
    )

    assert status == 403
    clients.s3.delete_bucket(Bucket="wildcard")
