"""A copy of the configuration for Terraform to run in: nobody's state or settings are touched."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from scripts.lib import terraform_cli
from scripts.lib.paths import REPOSITORY
from tests.support.provider import Provider

OWN_SETTINGS = (".terraform", "*.tfstate*", "*.tfvars*", "backend.tf", "*override.tf")

Terraform = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment() -> Mapping[str, str]:
    """What Terraform is run with: no credentials, no region, nobody's settings."""
    return {
        name: value
        for name, value in terraform_cli.environment().items()
        if not name.startswith(("AWS_", "TF_VAR_", "TF_CLI_ARGS", "TF_DATA_DIR", "TF_WORKSPACE"))
    }


def _runner(environment: Mapping[str, str]) -> Terraform:
    binary = terraform_cli.terraform_binary()

    def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [binary, f"-chdir={folder}", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def terraform(environment: Mapping[str, str]) -> Terraform:
    """Runs Terraform in a folder and returns what it said."""
    return _runner(environment)


@pytest.fixture(scope="module")
def terraform_with_provider(
    environment: Mapping[str, str], provider: Provider
) -> Iterator[Terraform]:
    """The same, with a provider that is running already and reaches no AWS."""
    with provider.running(environment) as env:
        yield _runner(env)


@pytest.fixture(scope="session")
def configuration(tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Path:
    """A copy of terraform/, ready to run."""
    root = tmp_path_factory.mktemp("configuration")
    ignore = shutil.ignore_patterns(*OWN_SETTINGS)
    shutil.copytree(REPOSITORY / "terraform", root / "terraform", ignore=ignore)
    terraform_cli.init(root / "terraform", environment, "-backend=false", "-lockfile=readonly")
    return root / "terraform"
