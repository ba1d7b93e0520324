"""A local AWS of these tests' own, and what Terraform makes where there is none."""

import io
import platform
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.lib.aws import Clients
from scripts.local_aws import LocalAws, Options
from tests.fidelity import plans

ROLE = "arn:aws:iam::000000000000:role/any"


@dataclass(frozen=True)
class Emulator:
    """The local AWS with its clients."""

    aws: LocalAws
    clients: Clients

    def function(self, name: str, source: str, timeout: int = 60, **environment: str) -> str:
        """Make a function of one Python file, whose `handler` is called; return its ARN."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr("index.py", source)
        made = self.clients.functions.create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",  # type: ignore[arg-type]
            Architectures=["arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"],
            Role=ROLE,
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=timeout,
            Environment={"Variables": environment},
        )
        return made["FunctionArn"]


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A local AWS for these tests."""
    directory: Path = tmp_path_factory.mktemp("fidelity-aws")
    with LocalAws(directory, Options(wait_scale=0.0)) as aws:
        yield Emulator(aws, Clients(aws.env))


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, plans.Stack]:
    """What Terraform makes in each of `plans.PLACES`."""
    return plans.make(tmp_path_factory.mktemp("places"))
