"""What several groups of tests share: a local AWS with this project's Terraform applied to it."""

import gc
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from scripts.lib.aws import Clients
from scripts.lib.inventory import inventory
from scripts.lib.paths import PACKAGE_LOCAL as PACKAGE
from scripts.lib.terraform_stack import Stack
from scripts.local_aws import LocalAws, Options
from tests.support import other_pages, parallel, workflow
from tests.support.emulator import Emulator
from tests.support.fake_cloud import cloud
from tests.support.provider import Provider
from tests.support.stubs import stubs

__all__ = ["PACKAGE", "cloud", "stubs"]

# State machines wait between attempts; a tenth of the real seconds is enough to see that they do.
_WAIT_SCALE = 0.1


# The values of Terraform's variables unless a test changes them.
USUAL = {"force_destroy": True, "backfill": {"enabled": True}}


@dataclass(frozen=True)
class Deployment:
    """The applied Terraform.

    Attributes:
        aws: the local AWS that it is applied to.
        stack: what applies, plans and destroys it.
        clients: AWS clients.
        outputs: Terraform's outputs.
        before: what the local AWS held before.
    """

    aws: LocalAws
    stack: Stack
    clients: Clients
    outputs: dict[str, Any]
    before: set[str]

    def change(self, **variables: object) -> None:
        """Apply with these values for Terraform's variables, and the usual ones for all others.

        Only Terraform changes what it has made, so it does not have to refresh its state.
        """
        self.stack.use_variables(**{**USUAL, **variables})
        self.stack.apply(refresh=False)


def enforcing(directory: Path) -> LocalAws:
    """Return a local AWS that enforces IAM policies."""
    return LocalAws(directory, Options(auth=True, wait_scale=_WAIT_SCALE))


def use(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make commands that run in this process use a local AWS."""
    for name, value in aws.env.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS that enforces IAM policies, for the whole session."""
    with enforcing(tmp_path_factory.mktemp("local-aws")) as aws:
        yield aws


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A local AWS without IAM, which does not wait between attempts."""
    with LocalAws(tmp_path_factory.mktemp("emulator"), Options(wait_scale=0.0)) as aws:
        yield Emulator(aws, Clients(aws.env))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once: Playwright cannot drive a second one from the same thread."""
    expect.set_options(timeout=30_000)  # ms; on a busy machine, functions start slowly
    with other_pages.chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Provider:
    """Terraform's AWS provider."""
    return Provider(tmp_path_factory.mktemp("provider"))


@pytest.fixture(scope="session")
def terraform_env(local_aws: LocalAws, provider: Provider) -> Iterator[dict[str, str]]:
    """The environment of Terraform for the local AWS, with a provider that is running already."""
    with provider.running(local_aws.env) as env:
        yield env


@pytest.fixture(scope="session")
def deployment(
    local_aws: LocalAws, terraform_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """The applied Terraform, for the whole session: most of an apply is waits of the provider's."""
    clients = Clients(local_aws.env)
    before = inventory(clients)
    stack = Stack(
        tmp_path_factory.mktemp("stack"),
        terraform_env,
        package=PACKAGE,
        variables=USUAL,
    )
    stack.init()
    stack.apply()
    return Deployment(local_aws, stack, clients, stack.outputs(), before)


@pytest.fixture(scope="session")
def plan(deployment: Deployment) -> dict[str, Any]:
    """Terraform's plan with every value known, since everything is applied."""
    return deployment.stack.planned()


@pytest.fixture(scope="module")
def deployed_type(deployment: Deployment, request: pytest.FixtureRequest) -> Iterator[str]:
    """The type of the deployed state machine while a module's tests run; see `of_both_types`."""
    kind = request.param
    with workflow.of_type(deployment.clients, deployment.outputs["state_machine_arn"], kind):
        yield kind


of_both_types = pytest.mark.parametrize(
    "deployed_type", workflow.TYPES, indirect=True, scope="module"
)


@pytest.fixture
def in_the_environment(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that run in this process use the deployment's local AWS."""
    use(deployment.aws, monkeypatch)


def pytest_configure() -> None:
    """Have Terraform, its provider and the tests collect garbage less often.

    It took a quarter of Terraform's time, and a fifteenth of the tests'.
    """
    os.environ.setdefault("GOGC", "400")
    gc.set_threshold(50_000)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put each test into its group, in the order in which they are to run."""
    parallel.arrange(
        items, config.rootpath, name_groups=config.getoption("loadgroup", default=False)
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let the group of tests that takes longest go first."""
    parallel.give_way(item, item.config.rootpath)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests have noted with `record_property("covered", ...)`, from all workers."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "covered":
                terminalreporter.write_line(str(value))
