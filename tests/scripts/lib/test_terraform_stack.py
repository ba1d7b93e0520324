"""The stack runs Terraform on a copy, reports its progress, and says what is missing."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from scripts.lib import terraform_stack as module
from scripts.lib.terraform_cli import TerraformError
from scripts.lib.terraform_stack import Progress, Stack

ENV = {"PATH": "/nowhere"}

# Stands in for Terraform where what matters is what is around it: says a line of its machine-
# readable output for each line of the file that is beside it.
FAKE_TERRAFORM = """#!/bin/sh
case "$*" in *init*) exit 0;; esac
here=$(dirname "$0"); cat "$here/says"; exit "$(cat "$here/status")"
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    return folder


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with things in terraform/ that belong to whoever works there."""
    root = tmp_path / "repository"
    for name in (
        "terraform/main.tf",
        "terraform/.terraform.lock.hcl",
        "terraform/backend.tf",
        "terraform/terraform.tfstate",
        "terraform/terraform.tfstate.backup",
        "terraform/mine.auto.tfvars",
        "terraform/x_override.tf",
        "terraform/.terraform/plugin",
        "terraform/modules/bucket/main.tf",
        "terraform/asl/image_converter.asl.json",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    monkeypatch.setattr(module, "REPOSITORY", root)
    return root


def _fake_terraform(
    folder: Path, says: Sequence[str | dict[str, Any]], status: int
) -> dict[str, str]:
    """Return an environment in which `terraform` says these lines and ends with that status."""
    folder.mkdir()
    (folder / "terraform").write_text(FAKE_TERRAFORM)
    (folder / "terraform").chmod(0o755)
    (folder / "says").write_text(
        "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in says)
    )
    (folder / "status").write_text(str(status))
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_missing_package_is_named(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack", ENV, package=tmp_path)
    with pytest.raises(TerraformError, match=r"There is no package in .*make package-local"):
        stack.init()


@pytest.mark.usefixtures("repository")
def test_missing_terraform_is_named(tmp_path: Path, package: Path) -> None:
    stack = Stack(tmp_path / "stack", ENV, package=package)
    with pytest.raises(TerraformError, match="There is no `terraform` on the PATH"):
        stack.init()


@pytest.mark.usefixtures("repository")
def test_copy_leaves_out_what_is_somebodys_own(tmp_path: Path, package: Path) -> None:
    stack = Stack(tmp_path / "stack", _fake_terraform(tmp_path / "bin", [], 0), package=package)
    stack.init()

    copied = {
        path.relative_to(stack.directory).as_posix()
        for path in stack.directory.rglob("*")
        if path.is_file()
    }
    assert copied == {
        "terraform/asl/image_converter.asl.json",
        "package/manifest.json",
        "terraform/.terraform.lock.hcl",
        "terraform/main.tf",
        "terraform/modules/bucket/main.tf",
    }


@pytest.mark.usefixtures("repository")
def test_progress_is_reported(tmp_path: Path, package: Path) -> None:
    def hook(kind: str, address: str, action: str = "create") -> dict[str, Any]:
        return {"type": kind, "hook": {"action": action, "resource": {"addr": address}}}

    says = [
        {
            "type": "change_summary",
            "changes": {"add": 1, "change": 1, "remove": 0, "operation": "plan"},
        },
        hook("apply_start", "data.d", "read"),
        hook("apply_start", "a"),
        hook("apply_start", "b"),
        hook("apply_complete", "a"),
        hook("apply_complete", "b"),
    ]
    stack = Stack(tmp_path / "stack", _fake_terraform(tmp_path / "bin", says, 0), package=package)
    stack.init()
    reports: list[Progress] = []

    stack.apply(reports.append)

    assert reports[0] == Progress(0, 2, ())
    assert reports[-3:] == [Progress(0, 2, ("a", "b")), Progress(1, 2, ("b",)), Progress(2, 2, ())]


@pytest.mark.usefixtures("repository")
def test_terraforms_own_sentence_is_passed_on(tmp_path: Path, package: Path) -> None:
    says: list[str | dict[str, Any]] = [
        "Warning: said before Terraform speaks JSON",
        {
            "type": "diagnostic",
            "diagnostic": {
                "severity": "error",
                "summary": "Invalid value for variable",
                "detail": "name is 'X', but must be lower-case.",
                "address": "var.name",
            },
        },
        {"type": "diagnostic", "diagnostic": {"severity": "warning", "summary": "Never mind"}},
    ]
    stack = Stack(tmp_path / "stack", _fake_terraform(tmp_path / "bin", says, 1), package=package)
    stack.init()

    with pytest.raises(TerraformError) as failure:
        stack.apply()

    assert "Invalid value for variable: name is 'X'" in str(failure.value)
    assert "Never mind" not in str(failure.value)


@pytest.mark.usefixtures("repository")
def test_settings_of_a_shell_stay_out(tmp_path: Path, package: Path) -> None:
    bin_folder = tmp_path / "bin"
    env = _fake_terraform(bin_folder, [], 0) | {"TF_VAR_name": "mine", "TF_WORKSPACE": "mine"}
    (bin_folder / "terraform").write_text(f"#!/bin/sh\nenv > {bin_folder}/env\n")
    stack = Stack(tmp_path / "stack", env, package=package, variables={"name": "other"})
    stack.init()

    stack.apply()

    seen = (bin_folder / "env").read_text()
    assert "TF_VAR_name" not in seen
    assert "TF_WORKSPACE" not in seen
    settings = json.loads((stack.directory / "settings.tfvars.json").read_text())
    assert settings["name"] == "other"


@pytest.mark.usefixtures("repository")
@pytest.mark.parametrize("refresh", [True, False])
def test_everything_is_looked_at_again_unless_nobody_changed_it(
    tmp_path: Path, package: Path, refresh: bool
) -> None:
    bin_folder = tmp_path / "bin"
    stack = Stack(tmp_path / "stack", _fake_terraform(bin_folder, [], 0), package=package)
    (bin_folder / "terraform").write_text(f'#!/bin/sh\necho "$@" > {bin_folder}/arguments\n')
    stack.init()

    stack.apply(refresh=refresh)

    assert f"-refresh={str(refresh).lower()} " in (bin_folder / "arguments").read_text()
