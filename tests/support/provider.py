"""The AWS provider as one process for many runs of Terraform, as those who debug it run it.

By itself Terraform reads all 700 MB of the provider before every command, to compare its checksum,
and then starts it two or three times, which takes more of the processor's time than most plans.
It does neither with a provider that is running already.

The provider reads its credentials and its endpoint from its own environment, not from Terraform's,
and has one configuration at a time: it serves one local AWS, and no root that configures it twice.

Source: https://developer.hashicorp.com/terraform/plugin/debugging
"""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.lib import supervisor, terraform_cli, wait
from scripts.lib.paths import TERRAFORM

_REATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.+)'")


class Provider:
    """The provider that the lock file names."""

    def __init__(self, directory: Path) -> None:
        """Have Terraform install it.

        Parameters:
            directory: an empty folder to work in, which also gets the provider's logs.
        """
        for name in ("versions.tf", ".terraform.lock.hcl"):
            shutil.copy(TERRAFORM / name, directory)
        terraform_cli.init(directory, terraform_cli.environment(), "-lockfile=readonly")
        installed = directory / ".terraform" / "providers" / terraform_cli.REGISTRY
        [self._program] = (installed / terraform_cli.PROVIDER).glob("*/*/terraform-provider-aws_*")
        self._directory = directory

    @contextmanager
    def running(self, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
        """Start it; yield the environment with which Terraform uses it.

        Parameters:
            env: says which AWS to use, and as whom.
        """
        log = Path(tempfile.mkdtemp(dir=self._directory)) / "log"
        with log.open("wb") as output:
            keeper = supervisor.start(
                [str(self._program), "-debug"], env=env, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            found = wait.until("the provider", lambda: _REATTACH.search(log.read_text("utf-8")))
            yield {**env, "TF_REATTACH_PROVIDERS": found[1]}
        finally:
            supervisor.stop(keeper)
