"""Neither logs nor Terraform's state hold what opens something, or what people sent."""

import base64
import json
import re
from collections.abc import Iterator

import pytest

from scripts.lib.executions.model import SUCCEEDED
from scripts.lib.paths import REPOSITORY
from tests.conftest import Deployment
from tests.support import door, images, pipeline

pytestmark = pytest.mark.e2e

# What opens something, by what it looks like.
_SECRETS = {
    "a signature": r"(?i)x-amz-signature|signature=[0-9a-f/+%]{16}",
    "a session token": r"(?i)x-amz-security-token|aws_session_token",
    "a header": r"(?i)authorization\W+(AWS4|Bearer|Basic)|AWS4-HMAC-SHA256",
    "a key": r"(?i)secret_?access_?key|\b(AKIA|ASIA)[A-Z0-9]{16}\b",
    "a private key": r"BEGIN [A-Z ]*PRIVATE KEY",
}


def secrets(text: str, sent: bytes = b"") -> list[str]:
    """Return what a text must not contain, such as bytes of an image that was sent."""
    secrets = [name for name, looks in _SECRETS.items() if re.search(looks, text)]
    encoded = base64.b64encode(sent).decode()[:64]
    if sent and (encoded in text or repr(sent[:16])[2:-1] in text):
        secrets.append("an image")
    return secrets


def _logged(deployment: Deployment) -> Iterator[str]:
    logs = deployment.clients.logs
    for group in deployment.outputs["log_groups"].values():
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            yield from (event["message"] for event in page["events"])


@pytest.mark.changes_deployment
def test_logs_of_everything_that_ran(deployment: Deployment) -> None:
    """Whatever other tests have run on this stack so far is looked at, too."""
    content = images.jpeg(64, 64, seed=3)
    answer = door.send(deployment, "POST", content, "name=logged.jpg")[1]
    assert pipeline.execution_of(deployment, answer["versionId"]).status == SUCCEEDED
    damaged = pipeline.upload(deployment, "logged-damaged.jpg", content[: len(content) // 2])
    pipeline.execution_of(deployment, damaged)
    form = door.send(deployment, "POST", b"", "name=logged.jpg", path="/upload-url")[1]
    door.send(deployment, "POST", b"no image", "name=logged.jpg")

    lines = list(_logged(deployment))

    assert any("uploaded" in line for line in lines)
    assert any("DamagedImage" in line for line in lines)
    assert any("form given" in line for line in lines)
    for line in lines:
        assert not secrets(line, content), line
        assert form["fields"]["policy"] not in line


@pytest.mark.terraform
def test_state(deployment: Deployment) -> None:
    state = json.loads(
        (deployment.stack.directory / "terraform" / "terraform.tfstate").read_text("utf-8")
    )
    assert state["resources"]
    # The ready-made commands name variables of the shell; what these hold is not in the state.
    del state["outputs"]["commands"]
    assert secrets(json.dumps(state)) == []


@pytest.mark.parametrize(
    "line",
    [
        "https://b.s3.amazonaws.com/k?X-Amz-Signature=0123",
        '{"headers": {"authorization": "AWS4-HMAC-SHA256 Credential=..."}}',
        "AWS_SESSION_TOKEN=abc",
        "key AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN RSA PRIVATE KEY-----",
        f"body {base64.b64encode(images.jpeg()).decode()}",
        f"body {images.jpeg()!r}",
    ],
)
def test_a_secret_is_seen(line: str) -> None:
    assert secrets(line, images.jpeg())


def test_nothing_secret_is_committed() -> None:
    """The names that tests sign with are AWS's own examples, and open nothing."""
    for folder in ("lambda_src", "terraform", "asl", "scripts"):
        for file in (REPOSITORY / folder).rglob("*"):
            if file.is_file() and file.suffix in (".py", ".tf", ".json", ".hcl", ".tftpl"):
                text = file.read_text(encoding="utf-8")
                assert not re.search(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b|PRIVATE KEY-----", text), file
