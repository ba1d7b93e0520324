"""The configuration as a whole: formatted, valid, tested, and described."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from scripts.dev.docs import module_readmes
from scripts.lib import generated
from scripts.lib.paths import REPOSITORY, TERRAFORM
from tests.terraform.conftest import Terraform

pytestmark = pytest.mark.terraform

MODULES = sorted(main.parent for main in TERRAFORM.glob("modules/*/main.tf"))
OWN_TESTS = sorted(file.name for file in TERRAFORM.glob("tests/*.tftest.hcl"))


def test_is_formatted(terraform: Terraform) -> None:
    done = terraform(REPOSITORY / "terraform", "fmt", "-check", "-diff", "-recursive")
    assert done.returncode == 0, f"run `make format`:\n{done.stdout}"


def test_is_valid(terraform_with_provider: Terraform, configuration: Path) -> None:
    done = terraform_with_provider(configuration, "validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout, done.stdout


def test_every_module_asks_for_the_same_versions() -> None:
    wanted = (REPOSITORY / "terraform" / "versions.tf").read_text()
    for module in MODULES:
        assert (module / "versions.tf").read_text() == wanted, module.name


@pytest.fixture(scope="module")
def messages(
    terraform_with_provider: Terraform, configuration: Path, request: pytest.FixtureRequest
) -> list[dict[str, Any]]:
    """What `terraform test` says of all files at once; starting it takes longer than most."""
    selected = [
        item.callspec.params["file"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and item.originalname == "test_passes_its_own_tests"
    ]
    done = terraform_with_provider(
        configuration, "test", "-json", *(f"-filter=tests/{f}" for f in selected)
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("file", OWN_TESTS)
def test_passes_its_own_tests(file: str, messages: list[dict[str, Any]]) -> None:
    own = [message for message in messages if message.get("@testfile") == f"tests/{file}"]
    reported = [message["test_file"] for message in own if message["type"] == "test_file"]
    ends = [report["status"] for report in reported if report["progress"] == "complete"]
    assert ends == ["pass"], "\n".join(message["@message"] for message in own or messages)


def test_the_destroy_guard_is_destroyed_first() -> None:
    """Before everything that it depends on, and that is all there is to lose."""
    text = "".join(file.read_text(encoding="utf-8") for file in TERRAFORM.glob("*.tf"))
    made = {f"module.{name}" for name in re.findall(r'(?m)^module "(\w+)"', text)}
    made |= {".".join(names) for names in re.findall(r'(?m)^resource "(\w+)" "(\w+)"', text)}
    guard = (TERRAFORM / "destroy_guard.tf").read_text(encoding="utf-8")
    depends_on = guard.partition("depends_on = [")[2].partition("]")[0]
    outlived = {name.strip() for name in depends_on.split(",") if name.strip()}
    assert made - outlived == {"aws_lambda_invocation.destroy_guard", "terraform_data.package"}


def test_the_example_of_a_backend_is_valid(
    terraform: Terraform, configuration: Path, tmp_path: Path
) -> None:
    shutil.copy(configuration / "backend.tf.example", tmp_path / "backend.tf")
    done = terraform(tmp_path, "validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_changed_description_makes_its_readme_stale(tmp_path: Path) -> None:
    copy = shutil.copytree(TERRAFORM, tmp_path / "terraform")
    table = copy / "modules" / "table"
    variables = table / "variables.tf"
    variables.write_text(variables.read_text().replace("Name of the table", "The table's name"))

    readmes = module_readmes.readmes(copy)
    assert generated.stale(readmes) == [table / "README.md"]
    assert "The table's name" in readmes[table / "README.md"]


def test_an_output_without_a_description_is_refused(tmp_path: Path) -> None:
    copy = shutil.copytree(TERRAFORM, tmp_path / "terraform")
    (copy / "modules" / "table" / "more.tf").write_text('output "id" {\n  value = 1\n}\n')
    with pytest.raises(ValueError, match=r"id in .*table has no description"):
        module_readmes.readmes(copy)
