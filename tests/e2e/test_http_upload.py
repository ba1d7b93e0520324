"""Images that come by HTTP."""

import http.client
import json
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from scripts.executions import SUCCEEDED
from scripts.local_aws import REGION
from tests import images
from tests.conftest import Deployment
from tests.e2e import pipeline

pytestmark = pytest.mark.e2e


def _send(
    deployment: Deployment,
    method: str,
    body: bytes,
    query: str = "",
    *,
    path: str | None = None,
    signed: bool = True,
) -> tuple[int, Any]:
    """Send a request to the upload API and return its status and what its body says.

    The API's host name ends in .localhost, which not every resolver knows: the connection goes to
    the local AWS, and the name into the Host header.
    """
    url = urlsplit(deployment.outputs["upload_url"])
    local = urlsplit(deployment.aws.endpoint)
    target = (path or url.path) + (f"?{query}" if query else "")
    request = AWSRequest(
        method, f"http://{url.netloc}{target}", {"Content-Type": "image/jpeg"}, body
    )
    if signed:
        SigV4Auth(Credentials("test", "test"), "execute-api", REGION).add_auth(request)
    connection = http.client.HTTPConnection(local.hostname or "", local.port, timeout=30)
    headers = {**request.headers, "Host": url.netloc}
    connection.request(method, target, body, {name: str(text) for name, text in headers.items()})
    answer = connection.getresponse()
    said = answer.read()
    connection.close()
    return answer.status, json.loads(said) if said else None


def test_jpeg_is_taken_and_converted(deployment: Deployment) -> None:
    content = images.jpeg(seed=7)
    name = "from the web ü.jpg"

    status, answer = _send(deployment, "POST", content, f"name={quote(name)}")

    assert status == 202, answer
    assert answer["bucket"] == deployment.outputs["source_bucket"]
    assert answer["key"] == name
    execution = pipeline.execution_of(deployment, answer["versionId"])
    assert execution.status == SUCCEEDED, execution.sentence
    png = pipeline.destination(deployment, "from the web ü.png")
    assert images.pixels(png) == images.pixels(content)


@pytest.mark.parametrize(
    ("status", "content", "query"),
    [
        (400, images.jpeg(), ""),
        (400, images.jpeg(), "name=../secret.jpg"),
        (400, b"", "name=a.jpg"),
        (415, b"no image", "name=a.jpg"),
        (413, b"\xff\xd8\xff" + bytes(4_600_000), "name=a.jpg"),
    ],
    ids=["no name", "escaping name", "no body", "no jpeg", "too large"],
)
def test_refusal_says_why(deployment: Deployment, status: int, content: bytes, query: str) -> None:
    before = pipeline.source_keys(deployment)

    answered, answer = _send(deployment, "POST", content, query)

    assert answered == status, answer
    assert len(next(iter(answer.values()))) > 20  # a sentence, not a word
    assert pipeline.source_keys(deployment) == before


def test_unsigned_request_is_refused(deployment: Deployment) -> None:
    status, _answer = _send(deployment, "POST", images.jpeg(), "name=a.jpg", signed=False)

    assert status == 403


@pytest.mark.parametrize(("method", "path"), [("GET", None), ("POST", "/elsewhere")])
def test_other_routes_are_not_there(deployment: Deployment, method: str, path: str | None) -> None:
    status, _answer = _send(deployment, method, b"", path=path)

    assert status in (404, 405)
