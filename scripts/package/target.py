"""The machine that a package is built for: a Lambda runtime, or the host itself."""

import os
import platform
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from packaging.version import Version

from scripts.package import PackageError

DEFAULT_RUNTIME: Final = "python3.13"
DEFAULT_ARCHITECTURE: Final = "arm64"

# The newest glibc symbols that a runtime's operating system has: Amazon Linux 2 under python3.11,
# Amazon Linux 2023 under the later ones (Lambda's developer guide, "Lambda runtimes").
RUNTIMES: Final = {
    "python3.11": Version("2.26"),
    "python3.12": Version("2.34"),
    "python3.13": Version("2.34"),
}

# Lambda's word for a processor, and the one in wheel tags and ELF headers.
ARCHITECTURES: Final = {"arm64": "aarch64", "x86_64": "x86_64"}

_MANYLINUX_GLIBCS: Final = range(34, 16, -1)  # the newest first


@dataclass(frozen=True)
class Target:
    """A runtime on an architecture.

    Attributes:
        runtime: Lambda's name of it, such as python3.13.
        architecture: Lambda's name of it, arm64 or x86_64.
        host: whether the package is for this very machine rather than for AWS.
    """

    runtime: str
    architecture: str
    host: bool = False

    def __str__(self) -> str:
        """Name the target as in a sentence."""
        where = "this machine" if self.host else "AWS Lambda"
        return f"{self.runtime} on {self.architecture} ({where})"

    @property
    def machine(self) -> str:
        """The processor as wheel tags and ELF headers name it."""
        return ARCHITECTURES[self.architecture]

    def pip_options(self) -> list[str]:
        """Return the options with which pip chooses wheels for the target.

        For AWS every manylinux platform is let in, also those newer than the runtime's glibc: a tag
        speaks for a whole wheel, and what needs the newer glibc may be a part that is trimmed. What
        is left gets checked file by file (`trim.check`).
        """
        options = ["--only-binary=:all:"]
        if self.host:
            return options
        version = self.runtime.removeprefix("python")
        return [
            *options,
            *(f"--platform=manylinux_2_{glibc}_{self.machine}" for glibc in _MANYLINUX_GLIBCS),
            f"--platform=manylinux2014_{self.machine}",
            f"--python-version={version}",
            "--implementation=cp",
            f"--abi=cp{version.replace('.', '')}",
        ]


def deploy_target(runtime: str | None, architecture: str | None) -> Target:
    """Return the target on AWS, by the command line, else Terraform's variables, else the default.

    Parameters:
        runtime: such as python3.13, or nothing.
        architecture: arm64 or x86_64, or nothing.

    Raises:
        PackageError: a name that Lambda or this project does not know.
    """
    runtime = runtime or os.environ.get("TF_VAR_runtime") or DEFAULT_RUNTIME
    architecture = architecture or os.environ.get("TF_VAR_architecture") or DEFAULT_ARCHITECTURE
    _check("runtime", runtime, RUNTIMES)
    _check("architecture", architecture, ARCHITECTURES)
    return Target(runtime, architecture)


def host_target() -> Target:
    """Return the target for the interpreter and the machine that this runs on.

    Raises:
        PackageError: the interpreter or the processor has no counterpart on Lambda.
    """
    runtime = "python{}.{}".format(*sys.version_info)
    machine = platform.machine().lower()
    architecture = {"aarch64": "arm64", "amd64": "x86_64"}.get(machine, machine)
    _check("Python of this machine", runtime, RUNTIMES)
    _check("processor of this machine", architecture, ARCHITECTURES)
    return Target(runtime, architecture, host=True)


def _check(what: str, value: str, choices: Collection[str]) -> None:
    if value not in choices:
        raise PackageError(f"The {what} is {value!r}, but must be one of {', '.join(choices)}.")
