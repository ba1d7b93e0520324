"""A local AWS with its clients, for tests that need neither Terraform nor IAM."""

import io
import platform
import sys
import zipfile
from dataclasses import dataclass

from scripts.lib.aws import Clients
from scripts.local_aws import LocalAws

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
        function = self.clients.functions.create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",  # type: ignore[arg-type]
            Architectures=["arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"],
            Role=ROLE,
            Handler="index.handler",
            Code={"ZipFile": archive.getvalue()},
            Timeout=timeout,
            Environment={"Variables": environment},
        )
        return function["FunctionArn"]
