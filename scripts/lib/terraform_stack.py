"""Apply this project's Terraform from scripts and tests, in a work folder of its own.

The configuration is used as it is, but copied: the state, the backend and the settings of whoever
works in ``terraform/`` stay untouched, and several stacks can be applied side by side.
"""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


Report = Callable[[Progress], None]


def _silent(_progress: Progress) -> None:
    """Report nothing."""


@dataclass
class _Run:
    """What one run of Terraform has said so far, from its machine-readable output.

    Source: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
    """

    report: Report
    done: int = 0
    total: int = 0
    waiting_for: dict[str, None] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        """Take in one line of output."""
        try:
            message = json.loads(line)
        except ValueError:
            return  # a warning from before Terraform speaks JSON
        kind = message.get("type")
        if kind == "change_summary" and message["changes"]["operation"] == "plan":
            counts = message["changes"]
            self.total = counts["add"] + counts["change"] + counts["remove"]
        elif kind == "diagnostic" and message["diagnostic"]["severity"] == "error":
            self.errors.append(_sentence(message["diagnostic"]))
        elif kind in ("apply_start", "apply_complete", "apply_errored"):
            self._note(kind, message["hook"])
        else:
            return
        self.report(Progress(self.done, self.total, tuple(self.waiting_for)))

    def _note(self, kind: str, hook: Mapping[str, Any]) -> None:
        if hook["action"] == "read":
            return
        address = hook["resource"]["addr"]
        if kind == "apply_start":
            self.waiting_for[address] = None
        else:
            self.waiting_for.pop(address, None)
            self.done += 1


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
        self._package = package
        self._variables = dict(variables or {})
        self._base = {
            name: value for name, value in env.items() if not name.startswith(_FOREIGN_SETTINGS)
        }
        self._env: dict[str, str] = {}

    @property
    def log_file(self) -> Path:
        """Everything that Terraform has said, as JSON lines."""
        return self.directory / "terraform.log"

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

    def apply(self, report: Report = _silent, *, refresh: bool = True) -> None:
        """Create or change everything.

        Parameters:
            report: called with each step.
            refresh: look first what has become of everything since the last apply.

        Raises:
            TerraformError: it failed; the message carries Terraform's own.
        """
        self._run(["apply", "-auto-approve", f"-refresh={str(refresh).lower()}"], report)

    def destroy(self, report: Report = _silent) -> None:
        """Remove everything.

        Raises:
            TerraformError: it failed; the message carries Terraform's own.
        """
        self._run(["destroy", "-auto-approve"], report)

    def planned(self, *options: str) -> dict[str, Any]:
        """Return a plan with everything that Terraform knows of it, unchanged resources too.

        Source: https://developer.hashicorp.com/terraform/internals/json-format

        Parameters:
            options: more options of `terraform plan`, for example ``-refresh=false``.

        Raises:
            TerraformError: it failed; the message carries Terraform's own.
        """
        plan = self.directory.resolve() / "plan.tfplan"
        self._run(["plan", f"-out={plan}", *options], _silent)
        return self._json("show", "-json", str(plan))

    def outputs(self) -> dict[str, Any]:
        """Return Terraform's outputs by name."""
        return {name: output["value"] for name, output in self._json("output", "-json").items()}

    @property
    def _deployed_package(self) -> Path:
        return self.directory.resolve() / "package"

    @property
    def _root(self) -> Path:
        return self.directory / "terraform"

    def _command(self, arguments: Iterable[str]) -> list[str]:
        terraform = terraform_cli.terraform_binary(self._env.get("PATH"))
        return [str(terraform), f"-chdir={self._root}", *arguments]

    def _run(self, arguments: list[str], report: Report) -> None:
        """Run Terraform, and follow what it says."""
        settings = self.directory.resolve() / "settings.tfvars.json"
        values = self._variables | {"package_dir": str(self._deployed_package)}
        settings.write_text(json.dumps(values, indent=2), encoding="utf-8")
        run = _Run(report)
        keeper = supervisor.start(
            self._command([*arguments, "-json", "-input=false", f"-var-file={settings}"]),
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        try:
            for line in self._logged(keeper):
                run.read(line)
            status = keeper.wait()
        finally:
            supervisor.stop(keeper)
        if status:
            said = "\n".join(run.errors) or f"exited with status {status}; see {self.log_file}"
            raise TerraformError(f"`terraform {arguments[0]}` failed: {said}")

    def _logged(self, keeper: subprocess.Popen[bytes]) -> Iterator[str]:
        """Yield the lines that Terraform says, and write them to the log."""
        assert keeper.stdout is not None  # noqa: S101 - it was asked for above
        with self.log_file.open("ab") as log:
            for line in keeper.stdout:
                log.write(line)
                log.flush()
                yield line.decode("utf-8", errors="replace")

    def _json(self, *arguments: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._capture(*arguments))
        return answer

    def _capture(self, *arguments: str) -> str:
        command = self._command(arguments)
        done = subprocess.run(command, env=self._env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise TerraformError(f"`terraform {arguments[0]}` failed: {done.stderr.strip()}")
        return done.stdout


def _sentence(diagnostic: Mapping[str, Any]) -> str:
    parts = [diagnostic.get("address"), diagnostic["summary"], diagnostic.get("detail")]
    return ": ".join(part for part in parts if part)
