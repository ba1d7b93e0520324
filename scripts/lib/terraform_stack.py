"""Apply this project's Terraform from scripts and tests, in a work folder of its own.

The configuration is used as it is, but copied: the state, the backend and the settings of whoever
works in ``terraform/`` stay untouched, and several stacks can be applied side by side.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from scripts.lib import supervisor, terraform_cli
from scripts.lib.paths import REPOSITORY
from scripts.lib.terraform_cli import TerraformError

# What belongs to whoever works in terraform/: state, settings, backend.
_NOT_COPIED = (
    ".terraform",
    "*.tfstate",
    "*.tfstate.*",
    "*.tfvars",
    "*.tfvars.json",
    "*.tfplan",
    "backend.tf",
    "override.tf",
    "*_override.tf",
    "tests",
)
_RESOURCE_MESSAGES = ("apply_start", "apply_complete", "apply_errored")
_FOREIGN_SETTINGS = ("TF_VAR_", "TF_CLI_ARGS", "TF_WORKSPACE", "TF_DATA_DIR", "TF_LOG")


@dataclass(frozen=True)
class Progress:
    """How far Terraform is.

    Attributes:
        done: resources that are finished.
        total: resources that will be changed; 0 until Terraform has planned.
        waiting_for: addresses of the resources that are being changed, the oldest first.
    """

    done: int = 0
    total: int = 0
    waiting_for: tuple[str, ...] = ()

    def after(self, message: Mapping[str, Any]) -> Self:
        """Return the progress after a message of Terraform's machine-readable output.

        Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
        """
        kind = message.get("type")
        if kind == "change_summary" and message["changes"]["operation"] == "plan":
            counts = message["changes"]
            return replace(self, total=counts["add"] + counts["change"] + counts["remove"])
        if kind not in _RESOURCE_MESSAGES or message["hook"]["action"] == "read":
            return self
        address = message["hook"]["resource"]["addr"]
        if kind == "apply_start":
            return replace(self, waiting_for=(*self.waiting_for, address))
        waiting_for = tuple(waiting for waiting in self.waiting_for if waiting != address)
        return replace(self, done=self.done + 1, waiting_for=waiting_for)


Report = Callable[[Progress], None]


def ignore_progress(_progress: Progress) -> None:
    """Report nothing."""


class Stack:
    """This project's Terraform in a work folder of its own."""

    def __init__(
        self,
        directory: Path,
        env: Mapping[str, str],
        *,
        package: Path,
        variables: Mapping[str, object] | None = None,
    ) -> None:
        """Prepare, without running anything.

        Parameters:
            directory: the work folder; whatever is in it from an earlier run is removed by
                :meth:`init`.
            env: the environment that says which AWS to use, and as whom.
            package: the folder with the zips and their manifest, as `make package` fills it.
            variables: values for Terraform's variables.
        """
        self.directory = directory
        self.log_file = directory / "terraform.log"  # all that Terraform has said, as JSON lines
        self._root = directory / "terraform"
        self._package = package
        self._deployed_package = directory.resolve() / "package"
        self._variables = dict(variables or {})
        self._base = {
            name: value for name, value in env.items() if not name.startswith(_FOREIGN_SETTINGS)
        }
        self._env: dict[str, str] = {}

    def init(self) -> None:
        """Copy the configuration and have Terraform fetch its provider.

        Raises:
            TerraformError: Terraform, its provider or the package is missing.
        """
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.use_package(self._package)
        ignore = shutil.ignore_patterns(*_NOT_COPIED)
        shutil.copytree(REPOSITORY / "terraform", self._root, ignore=ignore)
        self._env = terraform_cli.environment(self._base)
        terraform_cli.init(self._root, self._env, "-lockfile=readonly")

    def use_package(self, package: Path) -> None:
        """Deploy the zips of a folder from now on.

        They are copied, to the same place each time: a layer whose file has another path is another
        layer to Terraform, so a new build does not disturb a stack that is applied.

        Raises:
            TerraformError: nothing has been built there.
        """
        if not (package / "manifest.json").is_file():
            raise TerraformError(
                f"There is no package in {package}. Run `make package-local` for the local AWS, "
                "`make package` for AWS."
            )
        shutil.rmtree(self._deployed_package, ignore_errors=True)
        shutil.copytree(package, self._deployed_package)

    def use_variables(self, **variables: object) -> None:
        """Apply with these values for Terraform's variables from now on, and no others."""
        self._variables = variables

    def apply(self, report: Report = ignore_progress, *, refresh: bool = True) -> None:
        """Create or change everything.

        Parameters:
            report: called with each step.
            refresh: compare the state with AWS first.

        Raises:
            TerraformError: it failed; the message carries Terraform's own.
        """
        self._run(["apply", "-auto-approve", f"-refresh={str(refresh).lower()}"], report)

    def destroy(self, report: Report = ignore_progress, *, refresh: bool = True) -> None:
        """Remove everything; see :meth:`apply`."""
        self._run(["destroy", "-auto-approve", f"-refresh={str(refresh).lower()}"], report)

    def planned(self, *options: str) -> dict[str, Any]:
        """Return a plan with everything that Terraform knows of it, unchanged resources too.

        Source: https://developer.hashicorp.com/terraform/internals/json-format

        Parameters:
            options: more options of `terraform plan`, for example ``-refresh=false``.

        Raises:
            TerraformError: it failed; the message carries Terraform's own.
        """
        plan = self.directory.resolve() / "plan.tfplan"
        self._run(["plan", f"-out={plan}", *options])
        planned: dict[str, Any] = json.loads(self.output("show", "-json", str(plan)))
        return planned

    def outputs(self) -> dict[str, Any]:
        """Return Terraform's outputs by name."""
        outputs = json.loads(self.output("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def output(self, *arguments: str) -> str:
        """Return what a command of Terraform's prints; raise as `terraform_cli.output`."""
        return terraform_cli.output(self._root, self._env, *arguments)

    def _run(self, arguments: list[str], report: Report = ignore_progress) -> None:
        """Run Terraform, report its progress, and write what it says to the log."""
        settings = self.directory.resolve() / "settings.tfvars.json"
        values = self._variables | {"package_dir": str(self._deployed_package)}
        settings.write_text(json.dumps(values, indent=2), encoding="utf-8")
        terraform = terraform_cli.terraform_binary(self._env.get("PATH"))
        options = ["-json", "-input=false", f"-var-file={settings}"]
        keeper = supervisor.start(
            [str(terraform), f"-chdir={self._root}", *arguments, *options],
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        progress = Progress()
        errors: list[str] = []
        try:
            for message in self._messages(keeper):
                diagnostic = message.get("diagnostic", {})
                if diagnostic.get("severity") == "error":
                    errors.append(_sentence(diagnostic))
                before, progress = progress, progress.after(message)
                if progress != before:
                    report(progress)
            status = keeper.wait()
        finally:
            supervisor.stop(keeper)
        if status:
            said = "\n".join(errors) or f"exited with status {status}; see {self.log_file}"
            raise TerraformError(f"`terraform {arguments[0]}` failed: {said}")

    def _messages(self, keeper: subprocess.Popen[bytes]) -> Iterator[dict[str, Any]]:
        """Yield the messages that Terraform writes, and write all that it says to the log."""
        assert keeper.stdout is not None  # noqa: S101 - it was asked for above
        with self.log_file.open("ab") as log:
            for line in keeper.stdout:
                log.write(line)
                log.flush()
                try:
                    message = json.loads(line.decode("utf-8", errors="replace"))
                except ValueError:
                    continue  # a warning from before Terraform speaks JSON
                yield message


def _sentence(diagnostic: Mapping[str, Any]) -> str:
    parts = [diagnostic.get("address"), diagnostic["summary"], diagnostic.get("detail")]
    return ": ".join(part for part in parts if part)
