"""The AWS provider as one process for many runs of Terraform, as its developers debug it.

By itself Terraform reads all 700 MB of the provider before every command, to compare its checksum,
and then starts it two or three times, which takes more of the processor's time than most plans.
It does neither with a provider that is running already.

The provider reads its credentials and its endpoint from its own environment, not from Terraform's,
and has one configuration at a time: it serves one local AWS, and no root that configures it twice.
For such a root Terraform can at least be kept from comparing checksums.

Sources: https://developer.hashicorp.com/terraform/plugin/debugging and
https://developer.hashicorp.com/terraform/cli/config/config-file#development-overrides-for-provider-developers
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
        self._installed = directory / ".terraform" / "providers"
        folder = self._installed / terraform_cli.REGISTRY / terraform_cli.PROVIDER
        [self._program] = folder.glob("*/*/terraform-provider-aws_*")
        self._directory = directory

    def unchecked(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment with which Terraform starts it, and does not compare checksums.

        Parameters:
            env: says which AWS to use, and as whom.
        """
        configuration = self._directory / "unchecked.tfrc"
        configuration.write_text(
            f"""\
provider_installation {{
  dev_overrides {{
    "{terraform_cli.PROVIDER}" = "{self._program.parent}"
  }}
  filesystem_mirror {{
    path = "{self._installed}"
  }}
}}
""",
            encoding="utf-8",
        )
        return {**env, "TF_CLI_CONFIG_FILE": str(configuration)}

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
            reattach = wait.until("the provider", lambda: _REATTACH.search(log.read_text("utf-8")))
            yield {**env, "TF_REATTACH_PROVIDERS": reattach[1]}
        finally:
            supervisor.stop(keeper)
