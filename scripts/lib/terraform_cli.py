"""Find Terraform and its AWS provider, and the environment to run Terraform in.

Terraform takes providers from its registry. On a machine that cannot reach the registry, the
provider comes from a folder with a copy of it (a filesystem mirror); this module searches for one
and passes it to Terraform in a CLI configuration file of our own under ``build/``. Everything
that runs Terraform here takes its environment from :func:`environment`, and so works the same
everywhere.
"""

import itertools
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from scripts.lib import paths
from scripts.lib.user_errors import UserError

REGISTRY = "registry.terraform.io"
PROVIDER = "hashicorp/aws"

# Where the Filesystem Hierarchy Standard puts software that is not the distribution's own.
ADD_ON_HOMES = ("/opt", "/usr/local", "/usr/local/share", "/usr/local/lib", "/srv")

# Terraform neither asks questions nor looks for newer versions of itself.
UNATTENDED = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}

_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

_PROVIDER_MISSING = (
    "Failed to query available provider packages",
    "Failed to install provider",
)
_PROVIDER_ADVICE = (
    f"The provider {PROVIDER} is available neither from the registry nor from a folder on this "
    "machine. Run this where the registry can be reached, or set TF_PLUGIN_MIRROR to a folder "
    "filled there by `terraform providers mirror FOLDER`."
)


class TerraformError(UserError):
    """Terraform, or what it needs, is missing or failed. The message says what to do."""


def terraform_binary(search_path: str | None = None) -> Path:
    """Return the ``terraform`` executable.

    Parameters:
        search_path: folders to search, separated as in PATH; default is PATH.

    Raises:
        TerraformError: there is none.
    """
    binary = shutil.which("terraform", path=search_path)
    if binary is None:
        raise TerraformError(
            "There is no `terraform` on the PATH. Install Terraform 1.10 or newer "
            "(https://developer.hashicorp.com/terraform/install) and try again."
        )
    return Path(binary)


def target() -> str:
    """Return this machine as Terraform names it, for example ``linux_amd64``."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{_MACHINES.get(machine, machine)}"


def find_mirror(
    env: Mapping[str, str] = os.environ, add_on_homes: Iterable[str | Path] = ADD_ON_HOMES
) -> Path | None:
    """Return a folder with the AWS provider for this machine, or None.

    It is the folder that TF_PLUGIN_MIRROR names, or one with a folder ``registry.terraform.io`` at
    most two levels below ``add_on_homes``. Terraform itself looks through other folders, which need
    no configuration: see "Implied Local Mirror Directories" at
    https://developer.hashicorp.com/terraform/cli/config/config-file.

    Raises:
        TerraformError: TF_PLUGIN_MIRROR names a folder without the provider.
    """
    if folder := env.get("TF_PLUGIN_MIRROR"):
        if not _holds_provider(Path(folder)):
            raise TerraformError(
                f"TF_PLUGIN_MIRROR is {folder}, but it does not contain {REGISTRY}/{PROVIDER} for "
                f"{target()}. Unset it, or fill the folder with `terraform providers mirror "
                "FOLDER`."
            )
        return Path(folder).resolve()
    patterns = itertools.product(map(Path, add_on_homes), (REGISTRY, f"*/{REGISTRY}"))
    registries = (path for home, pattern in patterns for path in sorted(home.glob(pattern)))
    return next((path.parent for path in registries if _holds_provider(path.parent)), None)


def environment(
    base: Mapping[str, str] = os.environ, build: Path = paths.BUILD / "terraform"
) -> dict[str, str]:
    """Return ``base`` with what Terraform needs to find its provider and to run unattended.

    A CLI configuration of the user's that says where providers come from is respected, unless
    TF_PLUGIN_MIRROR is set.

    Parameters:
        base: the environment to start from.
        build: where the CLI configuration file and the provider cache may be written.

    Raises:
        TerraformError: TF_PLUGIN_MIRROR names a folder without the provider.
    """
    env = {**base, **UNATTENDED}
    if not env.get("TF_PLUGIN_MIRROR") and _user_decides(env):
        return env
    if mirror := find_mirror(env):
        env["TF_CLI_CONFIG_FILE"] = str(_write_configuration(mirror, build))
        return env
    if not Path(env.get("TF_CLI_CONFIG_FILE", "")).is_file():
        env.pop("TF_CLI_CONFIG_FILE", None)  # Terraform would warn of it on every run
    if not env.get("TF_PLUGIN_CACHE_DIR"):
        cache = build / "plugin-cache"
        cache.mkdir(parents=True, exist_ok=True)
        env["TF_PLUGIN_CACHE_DIR"] = str(cache)
    return env


def output(folder: Path, env: Mapping[str, str], *arguments: str) -> str:
    """Run a command of Terraform's in ``folder``; return what it prints.

    Parameters:
        folder: the configuration.
        env: from :func:`environment`.
        arguments: the command and its options, for example ``show`` and ``-json``.

    Raises:
        TerraformError: it failed; the message carries Terraform's own.
    """
    done = _run(folder, env, *arguments)
    if done.returncode:
        raise TerraformError(f"`terraform {arguments[0]}` failed: {done.stderr.strip()}")
    return done.stdout


def init(folder: Path, env: Mapping[str, str], *arguments: str) -> None:
    """Run ``terraform init`` in ``folder``.

    Parameters:
        folder: the configuration.
        env: from :func:`environment`.
        arguments: more arguments, for example ``-backend=false``.

    Raises:
        TerraformError: it failed; the message carries Terraform's own and, for a missing provider,
            the ways out.
    """
    done = _run(folder, env, "init", "-no-color", *arguments)
    if done.returncode:
        is_missing = any(symptom in done.stderr for symptom in _PROVIDER_MISSING)
        advice = f" {_PROVIDER_ADVICE}" if is_missing else ""
        raise TerraformError(f"`terraform init` failed in {folder}.{advice}\n{done.stderr.strip()}")


def _run(folder: Path, env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(terraform_binary(env.get("PATH"))), f"-chdir={folder}", *arguments]
    return subprocess.run(command, env=dict(env), capture_output=True, text=True, check=False)


def _holds_provider(folder: Path) -> bool:
    """Return whether a mirror folder has the provider for this machine, unpacked or packed."""
    provider = folder / REGISTRY / PROVIDER
    unpacked = any(provider.glob(f"*/{target()}/terraform-provider-aws*"))
    return unpacked or any(provider.glob(f"terraform-provider-aws_*_{target()}.zip"))


def _user_decides(env: Mapping[str, str]) -> bool:
    """Return whether the user's own CLI configuration says where providers come from."""
    own = Path(env.get("TF_CLI_CONFIG_FILE") or Path.home() / ".terraformrc")
    return own.is_file() and "provider_installation" in own.read_text(encoding="utf-8")


def _write_configuration(mirror: Path, build: Path) -> Path:
    """Write the CLI configuration file that names ``mirror``, and return its path."""
    text = f"""\
# Written by scripts/lib/terraform_cli.py: the AWS provider comes from a folder of this machine.
provider_installation {{
  filesystem_mirror {{
    path    = "{mirror.as_posix()}"
    include = ["{REGISTRY}/{PROVIDER}"]
  }}
  direct {{
    exclude = ["{REGISTRY}/{PROVIDER}"]
  }}
}}
"""
    build.mkdir(parents=True, exist_ok=True)
    configuration = build / "cli.tfrc"
    if not configuration.is_file() or configuration.read_text(encoding="utf-8") != text:
        part = build / f"cli.tfrc.{os.getpid()}"
        part.write_text(text, encoding="utf-8")
        part.replace(configuration)  # whole at any moment: others may be reading it
    return configuration
