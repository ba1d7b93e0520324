"""Terraform plans nothing twice, redeploys what changed and nothing else, and leaves nothing."""

import base64
import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.functions import FUNCTIONS
from scripts.lib.inventory import inventory
from scripts.lib.terraform_cli import TerraformError
from scripts.lib.terraform_stack import Stack
from tests.conftest import PACKAGE, Deployment
from tests.support.terraform_changes import changes, resources

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]


def _package_with_another_handler(folder: Path) -> Path:
    """Copy the package and add a line to one handler, as a build after an edit would."""
    shutil.copytree(PACKAGE, folder)
    changed = "image_converter/handlers/get_file_type.py"
    functions = folder / "functions.zip"
    with zipfile.ZipFile(PACKAGE / "functions.zip") as old, zipfile.ZipFile(functions, "w") as new:
        for item in old.infolist():
            more = b"\n# another line\n" if item.filename == changed else b""
            new.writestr(item, old.read(item) + more)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(functions.read_bytes())
    manifest["artifacts"]["functions"] |= {
        "sha256": digest.hexdigest(),
        "sha256_base64": base64.b64encode(digest.digest()).decode(),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def test_second_plan_is_empty(plan: dict[str, Any]) -> None:
    assert changes(plan) == []


def test_changed_handler_redeploys_functions_and_nothing_else(
    deployment: Deployment, tmp_path: Path
) -> None:
    deployment.stack.use_package(_package_with_another_handler(tmp_path / "package"))
    try:
        planned = changes(deployment.stack.planned("-refresh=false"))
    finally:
        deployment.stack.use_package(PACKAGE)

    assert planned == [
        "update module.destroy_guard.aws_lambda_function.this",
        *(
            f'update module.function["{name}"].aws_lambda_function.this'
            for name in sorted(FUNCTIONS)
        ),
    ]


WRONG = {
    "name": ("Image_Converter", "name is 'Image_Converter', but must consist of lower-case"),
    "runtime": ("python3.14", "make package RUNTIME=python3.14"),
    "workflow_type": ("FAST", "must be STANDARD or EXPRESS"),
}


@pytest.fixture(scope="module")
def refusal(terraform_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the plan of a stack says to all wrong values at once."""
    values = {variable: value for variable, (value, _) in WRONG.items()}
    folder = tmp_path_factory.mktemp("refused")
    stack = Stack(folder, terraform_env, package=PACKAGE, variables=values)
    stack.init()
    with pytest.raises(TerraformError) as failure:
        stack.planned()
    return " ".join(str(failure.value).split())


@pytest.mark.parametrize("variable", WRONG)
def test_wrong_value_fails_in_the_plan_with_a_sentence(variable: str, refusal: str) -> None:
    _, sentence = WRONG[variable]
    assert sentence in refusal


@pytest.mark.ends_deployment
def test_destroy_leaves_nothing(deployment: Deployment) -> None:
    deployment.stack.destroy()

    assert resources(deployment.stack) == []
    assert inventory(deployment.clients) - deployment.before == set()
