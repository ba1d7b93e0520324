"""Runs an example of terraform/examples in an empty folder, as somebody who copied it would."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib import terraform_cli
from scripts.lib.paths import PACKAGE_LOCAL, REPOSITORY, TERRAFORM

EXAMPLES = TERRAFORM / "examples"


@dataclass(frozen=True)
class Example:
    """An example in a folder of its own.

    Attributes:
        name: its folder in terraform/examples.
        directory: an empty folder to work in.
        env: says which AWS to use, and has values for the example's variables.
    """

    name: str
    directory: Path
    env: Mapping[str, str]

    @staticmethod
    def copied(
        name: str, directory: Path, env: Mapping[str, str], **variables: object
    ) -> "Example":
        """Copy an example, with the module's source as an absolute path, and initialise it.

        Parameters:
            name: its folder in terraform/examples.
            directory: an empty folder to work in.
            env: says which AWS to use.
            variables: values for the example's variables.
        """
        for file in (EXAMPLES / name).glob("*.tf"):
            text = file.read_text(encoding="utf-8")
            text = text.replace('"../../modules/', f'"{REPOSITORY}//terraform/modules/')
            text = text.replace('"../.."', f'"{REPOSITORY}//terraform"')
            (directory / file.name).write_text(text, encoding="utf-8")
        shutil.copy(TERRAFORM / ".terraform.lock.hcl", directory)
        settings = {"package_dir": str(PACKAGE_LOCAL), **variables}
        values = json.dumps(settings)
        (directory / "terraform.tfvars.json").write_text(values, encoding="utf-8")
        example = Example(name, directory, terraform_cli.environment(env))
        terraform_cli.init(directory, example.env, "-lockfile=readonly")
        return example

    def apply(self) -> None:
        """Create everything."""
        self._run("apply", "-auto-approve")

    def destroy(self) -> None:
        """Remove everything, of which Terraform knows how it is: nothing else has changed it."""
        self._run("destroy", "-auto-approve", "-refresh=false")

    def plan(self) -> dict[str, Any]:
        """Return the plan, with everything that Terraform knows of it."""
        self._run("plan", "-out=plan.tfplan")
        plan: dict[str, Any] = json.loads(self._run("show", "-json", "plan.tfplan"))
        return plan

    def outputs(self) -> dict[str, Any]:
        """Return Terraform's outputs by name."""
        outputs = json.loads(self._run("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(terraform_cli.terraform_binary()), f"-chdir={self.directory}", *arguments],
            env=dict(self.env),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{self.name}: {done.stdout}{done.stderr}"
        return done.stdout
