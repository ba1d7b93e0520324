"""The stack runs Terraform on a copy, reports its progress, and says what is missing."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from scripts.lib import terraform_stack as module
from scripts.lib.terraform_cli import TerraformError
from scripts.lib.terraform_stack import Progress, Stack

ENV = {"PATH": "/nowhere"}

# Stands in for Terraform where what matters is what is around it: says a line of its machine-
# readable output for each line of the file next to it.
FAKE_TERRAFORM = """#!/bin/sh
case "$*" in *init*) exit 0;; esac
here=$(dirname "$0"); env > "$here/env"; echo "$@" > "$here/arguments"
cat "$here/says"; exit "$(cat "$here/status")"
"""

Initialised = Callable[..., Stack]


@pytest.fixture
def package(tmp_path: Path) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "manifest.json").write_text("{}")
    return folder


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


@pytest.fixture
def initialised(tmp_path: Path, package: Path) -> Initialised:
    """Make a stack, after init, whose `terraform` says these lines and ends with that status."""
    folder = tmp_path / "bin"
    folder.mkdir()

    def make(says: Sequence[str | dict[str, Any]] = (), status: int = 0, **options: Any) -> Stack:
        (folder / "terraform").write_text(FAKE_TERRAFORM)
        (folder / "terraform").chmod(0o755)
        lines = [line if isinstance(line, str) else json.dumps(line) for line in says]
        (folder / "says").write_text("".join(f"{line}\n" for line in lines))
        (folder / "status").write_text(str(status))
        env = {"PATH": f"{folder}:/usr/bin:/bin", **options.pop("env", {})}
        stack = Stack(tmp_path / "stack", env, package=package, **options)
        stack.init()
        return stack

    return make


def test_missing_package_is_named(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "stack", ENV, package=tmp_path)
    with pytest.raises(TerraformError, match=r"There is no package in .*make package-local"):
        stack.init()


def test_missing_terraform_is_named(tmp_path: Path, package: Path) -> None:
    stack = Stack(tmp_path / "stack", ENV, package=package)
    with pytest.raises(TerraformError, match="There is no `terraform` on the PATH"):
        stack.init()


def test_copy_leaves_out_what_is_somebodys_own(initialised: Initialised) -> None:
    stack = initialised()

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


def test_progress_is_reported(initialised: Initialised) -> None:
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
    reports: list[Progress] = []

    initialised(says).apply(reports.append)

    assert reports[0] == Progress(0, 2, ())
    assert reports[-3:] == [Progress(0, 2, ("a", "b")), Progress(1, 2, ("b",)), Progress(2, 2, ())]


def test_terraforms_own_sentence_is_passed_on(initialised: Initialised) -> None:
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
    stack = initialised(says, status=1)

    with pytest.raises(TerraformError) as failure:
        stack.apply()

    assert "Invalid value for variable: name is 'X'" in str(failure.value)
    assert "Never mind" not in str(failure.value)


def test_settings_of_a_shell_stay_out(initialised: Initialised, tmp_path: Path) -> None:
    env = {"TF_VAR_name": "mine", "TF_WORKSPACE": "mine"}
    stack = initialised(env=env, variables={"name": "other"})

    stack.apply()

    seen = (tmp_path / "bin" / "env").read_text()
    assert "TF_VAR_name" not in seen
    assert "TF_WORKSPACE" not in seen
    settings = json.loads((stack.directory / "settings.tfvars.json").read_text())
    assert settings["name"] == "other"


@pytest.mark.parametrize("change", [Stack.apply, Stack.destroy])
@pytest.mark.parametrize("refresh", [True, False])
def test_everything_is_looked_at_again_unless_nobody_changed_it(
    initialised: Initialised, tmp_path: Path, change: Callable[..., None], refresh: bool
) -> None:
    change(initialised(), refresh=refresh)

    arguments = (tmp_path / "bin" / "arguments").read_text()
    assert f"-refresh={str(refresh).lower()} " in arguments
