"""Images that are uploaded by HTTP are stored and converted, or refused with a reason."""

from urllib.parse import quote

import pytest

from scripts.lib.executions.model import SUCCEEDED
from tests.conftest import Deployment
from tests.support import door, images, pipeline

pytestmark = pytest.mark.e2e


def test_jpeg_is_taken_and_converted(deployment: Deployment) -> None:
    content = images.jpeg(seed=7)
    name = "from the web ü.jpg"

    status, answer = door.send(deployment, "POST", content, f"name={quote(name)}")

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
        (400, images.jpeg(), "name=..%2Fsecret.jpg"),
        (400, b"", "name=a.jpg"),
        (415, b"words", "name=a.jpg"),
        (413, b"\xff\xd8\xff" + bytes(4_600_000), "name=a.jpg"),
    ],
    ids=["no name", "escaping name", "no body", "not a JPEG", "too large"],
)
def test_refusal_says_why(deployment: Deployment, status: int, content: bytes, query: str) -> None:
    before = pipeline.source_keys(deployment)

    answered, answer = door.send(deployment, "POST", content, query)

    assert answered == status, answer
    assert len(next(iter(answer.values()))) > 20  # a sentence, not a word
    assert pipeline.source_keys(deployment) == before


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/upload"), ("GET", "/upload-url"), ("POST", "/elsewhere")]
)
def test_other_routes_are_not_there(deployment: Deployment, method: str, path: str) -> None:
    status, _answer = door.send(deployment, method, b"", path=path)

    assert status in (404, 405)
