"""The configuration as a whole: formatted, valid, tested, and described."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.dev.docs import module_readmes
from scripts.lib import generated
from scripts.lib.paths import REPOSITORY, TERRAFORM
from tests.terraform.conftest import Terraform

pytestmark = pytest.mark.terraform

MODULES = sorted(main.parent for main in TERRAFORM.glob("modules/*/main.tf"))


def test_is_formatted(terraform: Terraform) -> None:
    done = terraform(REPOSITORY / "terraform", "fmt", "-check", "-diff", "-recursive")
    assert done.returncode == 0, f"run `make format`:\n{done.stdout}"


def test_is_valid(terraform: Terraform, configuration: Path) -> None:
    done = terraform(configuration, "validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Warning" not in done.stdout, done.stdout


def test_every_module_asks_for_the_same_versions() -> None:
    wanted = (REPOSITORY / "terraform" / "versions.tf").read_text()
    for module in MODULES:
        assert (module / "versions.tf").read_text() == wanted, module.name


def test_passes_its_own_tests(terraform: Terraform, configuration: Path) -> None:
    done = terraform(configuration, "test", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed" in done.stdout


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
