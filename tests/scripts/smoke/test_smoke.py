"""The first hour on AWS, here on the local one: nothing without consent, nothing left behind."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.lib import deployed
from scripts.lib.executions.model import SUCCEEDED
from scripts.lib.inventory import inventory
from scripts.lib.paths import REPOSITORY
from scripts.smoke import shapes
from scripts.smoke.__main__ import REFUSED, main
from scripts.smoke.run import random_name
from tests.conftest import Deployment
from tests.support import images, pipeline
from tests.support.emulator import Emulator
from tests.support.provider import Provider


@pytest.fixture
def env(emulator: Emulator) -> Mapping[str, str]:
    """An environment that leads to the local AWS."""
    return emulator.aws.env


@pytest.mark.parametrize("arguments", [[], ["--confirm", ""], ["--confirm", "no"]])
def test_without_consent_nothing_is_made(
    arguments: list[str],
    env: Mapping[str, str],
    emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    before = inventory(emulator.clients)
    assert main([*arguments, "--directory", str(tmp_path)], env) == REFUSED
    assert inventory(emulator.clients) == before
    assert list(tmp_path.iterdir()) == []
    assert "CONFIRM" in capsys.readouterr().out


def test_an_unreachable_aws_is_reported(
    env: Mapping[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = {**env, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}
    assert main(["--confirm", "yes", "--directory", str(tmp_path)], nowhere) == 3
    assert "Nothing answers at http://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.terraform
def test_what_cannot_be_applied_leaves_nothing(
    env: Mapping[str, str],
    emulator: Emulator,
    provider: Provider,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The zips are not those of the manifest, so the plan is refused."""
    package = shutil.copytree(REPOSITORY / "terraform" / "tests" / "package", tmp_path / "package")
    (package / "functions.txt").write_text("other functions", encoding="utf-8")
    before = inventory(emulator.clients)
    arguments = ["--confirm", "yes", "--package", str(package), "--directory", str(tmp_path)]
    with provider.running(env) as with_provider:
        assert main([*arguments, "--name", "smoke-broken"], with_provider) == 1
    assert "`terraform apply` failed" in capsys.readouterr().out
    assert inventory(emulator.clients) == before


def test_names_differ_and_are_short() -> None:
    names = {random_name() for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("smoke-") and len(name) <= 23 for name in names)


@pytest.mark.e2e
def test_the_recorded_facts_are_those_of_the_local_aws(deployment: Deployment) -> None:
    version = pipeline.upload(deployment, "smoke test.jpg", images.jpeg())
    execution = pipeline.execution_of(deployment, version)
    assert execution.status == SUCCEEDED, execution.sentence
    stack = deployed.find(deployment.clients, deployed.DEFAULT_NAME)
    facts = shapes.observe(deployment.clients, stack, execution)
    assert shapes.differences(facts, shapes.local()) == []


def test_differences_are_reported_for_both_sides() -> None:
    here = {"event.s3.object.key": "str", "png.ContentType": "image/png", "new": "int"}
    there = {"event.s3.object.key": "int", "png.ContentType": "image/png", "old": "int"}
    assert shapes.differences(here, there) == [
        "event.s3.object.key: str (local: int)",
        "new: int (local: not there)",
        "old: not here (local: int)",
    ]


def test_facts_hold_no_name_and_no_identifier() -> None:
    text = json.dumps(shapes.local())
    for private in ("smoke-", "arn:", "000000000000", "postcard"):
        assert private not in text
