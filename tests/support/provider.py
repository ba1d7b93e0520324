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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scripts.lib import supervisor, terraform_cli, wait
from scripts.lib.paths import TERRAFORM

_REATTACH = re.compile(r"TF_REATTACH_PROVIDERS='(.+)'")


def install(directory: Path) -> Path:
    """Have Terraform install the provider that the lock file names; return its program.

    Parameters:
        directory: an empty folder to work in.
    """
    for name in ("versions.tf", ".terraform.lock.hcl"):
        shutil.copy(TERRAFORM / name, directory)
    terraform_cli.init(directory, terraform_cli.environment(), "-lockfile=readonly")
    installed = directory / ".terraform" / "providers" / terraform_cli.REGISTRY
    [program] = (installed / terraform_cli.PROVIDER).glob("*/*/terraform-provider-aws_*")
    return program


@contextmanager
def running(program: Path, log: Path, env: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Start the provider; yield the environment with which Terraform uses it.

    Parameters:
        program: the provider's.
        log: where its output goes.
        env: says which AWS to use, and as whom.
    """
    with log.open("wb") as output:
        keeper = supervisor.start(
            [str(program), "-debug"], env=env, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        found = wait.until("the provider", lambda: _REATTACH.search(log.read_text("utf-8")))
        yield {**env, "TF_REATTACH_PROVIDERS": found[1]}
    finally:
        supervisor.stop(keeper)
