"""A local AWS with its clients, for tests that need neither Terraform nor IAM."""

import platform
from dataclasses import dataclass

from scripts.lib.aws import Clients
from scripts.local_aws import LocalAws
from tests.support.functions import HOST_RUNTIME, zipped

ROLE = "arn:aws:iam::000000000000:role/any"


@dataclass(frozen=True)
class Emulator:
    """The local AWS with its clients."""

    aws: LocalAws
    clients: Clients

    def function(self, name: str, source: str, timeout: int = 60, **environment: str) -> str:
        """Make a function of one Python file, whose `handler` is called; return its ARN."""
        function = self.clients.functions.create_function(
            FunctionName=name,
            Runtime=HOST_RUNTIME,
            Architectures=["arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"],
            Role=ROLE,
            Handler="index.handler",
            Code={"ZipFile": zipped({"index.py": source})},
            Timeout=timeout,
            Environment={"Variables": environment},
        )
        return function["FunctionArn"]
