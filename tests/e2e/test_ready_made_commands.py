"""The commands that `terraform output commands` prints, pasted into a shell."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.lib import wait
from scripts.lib.paths import REPOSITORY
from tests.conftest import Deployment
from tests.support import images, pipeline

pytestmark = pytest.mark.e2e

Paste = Callable[[str], str]


@pytest.fixture
def paste(deployment: Deployment, tmp_path: Path) -> Paste:
    """Run one in a shell that has credentials, but no word of the local AWS: nothing may leave."""
    (tmp_path / "photo.jpg").write_bytes(images.jpeg(60, 40, seed=70))
    env = {name: value for name, value in deployment.aws.env.items() if name != "AWS_ENDPOINT_URL"}
    env["PATH"] += f":{REPOSITORY / '.venv' / 'awscli' / 'bin'}"

    def run(name: str) -> str:
        command = deployment.outputs["commands"][name]
        program = command.split()[0]
        if shutil.which(program, path=env["PATH"]) is None:
            advice = "run `make setup-awscli`" if program == "aws" else "install it"
            pytest.skip(f"{program} is not on the PATH: {advice} to test this command")
        done = subprocess.run(
            ["sh", "-c", command],
            env=env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _converted(deployment: Deployment) -> Callable[[], bool]:
    """Return what says whether a new PNG has been made since."""
    before = _versions(deployment)
    return lambda: _versions(deployment) > before


def _versions(deployment: Deployment) -> int:
    listed = deployment.clients.s3.list_object_versions(
        Bucket=deployment.outputs["destination_bucket"], Prefix="photo.png"
    )
    return len(listed.get("Versions", []))


@pytest.mark.parametrize("name", ["upload", "upload_api", "upload_form"])
def test_each_way_to_upload_ends_in_a_png(deployment: Deployment, paste: Paste, name: str) -> None:
    converted = _converted(deployment)
    paste(name)
    wait.until(f"the PNG of {name}", converted)


def test_what_is_printed_about_a_photo(
    deployment: Deployment, paste: Paste, tmp_path: Path
) -> None:
    converted = _converted(deployment)
    version = pipeline.upload(deployment, "photo.jpg", images.jpeg(60, 40, seed=71))
    wait.until("the PNG", converted)
    pipeline.execution_of(deployment, version)

    assert '"executionArn"' in paste("start")
    assert '"executions"' in paste("watch")
    assert '"imageName"' in paste("record")
    assert '"converted"' in paste("logs")
    paste("dead_letters")
    paste("download")
    assert (tmp_path / "photo.png").read_bytes().startswith(b"\x89PNG")


def test_no_command_reads_the_environment_for_its_endpoint(deployment: Deployment) -> None:
    endpoint = deployment.aws.endpoint
    for name, command in deployment.outputs["commands"].items():
        if command.startswith("aws"):
            assert command.count("aws --endpoint-url " + endpoint) == command.count("aws "), name
