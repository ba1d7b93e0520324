"""Nothing is lost in bursts, crashes and recoveries of the deployed pipeline."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from image_converter import keys
from scripts.commands import cli
from scripts.lib import deployed
from scripts.lib.executions import collect
from scripts.lib.executions.model import SUCCEEDED
from tests.conftest import Deployment, of_both_types, use
from tests.durability import invariants
from tests.durability.invariants import Upload, take_snapshot
from tests.durability.load import kill
from tests.durability.load.bursts import Load
from tests.support import images, pipeline

pytestmark = [pytest.mark.e2e, of_both_types, pytest.mark.usefixtures("deployed_type")]

SEED = 20_260_102


@pytest.fixture
def stack(deployment: Deployment) -> deployed.Deployment:
    return deployed.find(deployment.clients, deployed.DEFAULT_NAME)


@pytest.fixture
def burst(deployment: Deployment, stack: deployed.Deployment) -> Load:
    return Load(deployment.clients, stack, SEED)


def test_a_burst_with_duplicates_and_bad_images(burst: Load, deployed_type: str) -> None:
    sent = burst.send(f"burst-{deployed_type}", 40)
    burst.wait(sent)
    assert burst.violations() == []
    figures = burst.figures(sent)
    assert (figures.converted, figures.reported) == (38, 2)


def test_functions_that_are_killed_lose_nothing(
    deployment: Deployment, burst: Load, deployed_type: str
) -> None:
    emulator = deployment.aws.process_id
    # What a killed trigger had comes again when the queue shows it again, minutes later.
    with kill.functions(emulator, SEED, spared="trigger", seconds=(0.1, 0.5)) as killed:
        sent = burst.send(f"killed-{deployed_type}", 20)
        burst.wait_for(sent, 15)
    burst.wait(sent)
    assert killed, "nothing was killed, so nothing was shown"
    assert burst.broken_promises() == []
    burst.redrive()
    burst.wait(sent)
    assert burst.violations() == []


def test_redrive_puts_right_what_a_mistake_in_the_settings_broke(
    deployment: Deployment,
    stack: deployed.Deployment,
    deployed_type: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    key, content = f"redriven-{deployed_type}.jpg", images.jpeg(seed=7)
    with _wrong_setting(deployment, stack):
        version = pipeline.upload(deployment, key, content)
        failed = pipeline.execution_of(deployment, version)
    assert failed.status == "FAILED"
    assert "CopyObject" in failed.sentence
    _check(deployment, stack, Upload(key, version, content))

    use(deployment.aws, monkeypatch)
    assert cli.run(["redrive"]) == 0
    assert key in capsys.readouterr().out
    again = pipeline.ended_by_name(deployment, f"{failed.name}-redo1")
    assert again.status == SUCCEEDED, again.sentence
    assert images.pixels(pipeline.destination(deployment, keys.png_key(key))) == images.pixels(
        content
    )
    assert key not in pipeline.source_keys(deployment)
    _check(deployment, stack, Upload(key, version, content))

    source = collect.source(deployment.clients, stack)
    before = len(list(source.listed()))
    assert cli.run(["redrive"]) == 0
    assert len(list(source.listed())) == before


def _check(deployment: Deployment, stack: deployed.Deployment, upload: Upload) -> None:
    invariants.check(take_snapshot.observed(deployment.clients, stack, [upload]))


@contextmanager
def _wrong_setting(deployment: Deployment, stack: deployed.Deployment) -> Iterator[None]:
    """Have the copy go to a bucket that does not exist."""
    functions = deployment.clients.functions
    name = f"{stack.name}-copy-file"
    settings = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    wrong = {**settings, "DESTINATION_BUCKET": "no-such-bucket-anywhere"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": wrong})
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": settings}
        )
