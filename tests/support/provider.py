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


def _programs(folder: Path) -> list[Path]:
    """Return the providers for this machine in a folder with a copy of the registry, unpacked."""
    provider = folder / terraform_cli.REGISTRY / terraform_cli.PROVIDER
    return list(provider.glob(f"*/{terraform_cli.target()}/terraform-provider-aws_*"))


class Provider:
    """The provider that the lock file names."""

    def __init__(self, directory: Path) -> None:
        """Find it on this machine, or have Terraform install it.

        Parameters:
            directory: an empty folder to work in, which also gets the provider's logs.
        """
        self._directory = directory
        mirror = terraform_cli.find_mirror()
        locked = (TERRAFORM / ".terraform.lock.hcl").read_text(encoding="utf-8")
        programs = (
            program
            for program in (_programs(mirror) if mirror else [])
            if f'"{program.parent.parent.name}"' in locked  # the version
        )
        self._program = next(programs, None) or self._install()

    def _install(self) -> Path:
        """Have Terraform install it, which takes a second of the processor to compare checksums."""
        for name in ("versions.tf", ".terraform.lock.hcl"):
            shutil.copy(TERRAFORM / name, self._directory)
        terraform_cli.init(self._directory, terraform_cli.environment(), "-lockfile=readonly")
        [program] = _programs(self._directory / ".terraform" / "providers")
        return program

    def unchecked(self, env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment with which Terraform starts it, and does not compare checksums.

        Terraform cannot be initialised with it, only with that of :meth:`running`.

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
