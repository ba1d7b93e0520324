"""checkov finds nothing, in what is written and in what it becomes; what is skipped says why."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.paths import REPOSITORY
from tests.support.scan import Scan, scan, scan_each

TERRAFORM = REPOSITORY / "terraform"

# A skip as checkov reads it, with whatever follows it.
_SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip=(?P<checks>[\w,]+)(?::(?P<reason>.*))?")
_SHORTEST_REASON = 20
_OWN = (".tf", ".hcl", ".tftpl", ".yml", ".yaml", ".py", ".toml", "Makefile", ".cfg")


def unexplained(text: str) -> list[str]:
    """Return the skips in a text that do not say why."""
    return [
        skip["checks"]
        for skip in _SKIP.finditer(text)
        if len((skip["reason"] or "").strip()) < _SHORTEST_REASON
    ]


def _check(scanned: Scan, at_least: int) -> None:
    assert scanned.failed == []
    assert scanned.unreadable == []
    assert scanned.passed >= at_least, "checkov looked at less than there is"
    for check, reason in scanned.skipped.items():
        assert len(reason) >= _SHORTEST_REASON, check
        assert reason != "No comment provided", check


# Examples whose plans are scanned, by tests/e2e/test_examples.py, with all that the module makes.
_SCANNED_AS_PLANS = ("complete", "two-regions")


# A line, what stands there instead, and the check that has to notice it.
_WEAKNESSES = {
    "a weaker setting": (
        "enable_key_rotation     = true",
        "enable_key_rotation = false",
        "CKV_AWS_7",
    ),
    "a skip taken away": ("# checkov:skip=CKV_AWS_116", "#", "CKV_AWS_116"),
}


def _copy_configuration(folder: Path) -> None:
    """Copy the configuration, its examples that are scanned as plans, too, away from the module.

    Of these, only what is written in them is scanned then.
    """
    ignore = shutil.ignore_patterns(".terraform", "*.tfstate*")
    copy = shutil.copytree(TERRAFORM, folder / "terraform", ignore=ignore)
    alone = folder / "examples"  # from where no path leads to the module
    alone.mkdir()
    for name in _SCANNED_AS_PLANS:
        (copy / "examples" / name).rename(alone / name)


def _copy_weakened(line: str, instead: str, folder: Path) -> None:
    """Copy the module that has a line, with something else in its place."""
    [file] = [file for file in TERRAFORM.rglob("*.tf") if line in file.read_text(encoding="utf-8")]
    copy = shutil.copytree(file.parent, folder) / file.name
    copy.write_text(copy.read_text(encoding="utf-8").replace(line, instead), encoding="utf-8")


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scan]:
    """What checkov finds in the configuration, in each weakened module, and in the workflow."""
    folder = tmp_path_factory.mktemp("scanned")
    _copy_configuration(folder / "configuration")
    for name, (line, instead, _) in _WEAKNESSES.items():
        _copy_weakened(line, instead, folder / name)
    shutil.copytree(REPOSITORY / ".github", folder / ".github")  # where checkov knows workflows
    return scan_each(["terraform", "github_actions"], folder)


@pytest.mark.terraform
def test_configuration(scans: dict[str, Scan]) -> None:
    _check(scans["configuration"], at_least=130)  # 118 without the two examples


@pytest.mark.terraform
def test_workflow(scans: dict[str, Scan]) -> None:
    _check(scans[".github"], at_least=10)


@pytest.mark.terraform
@pytest.mark.parametrize("weakness", _WEAKNESSES)
def test_a_weakness_is_found(weakness: str, scans: dict[str, Scan]) -> None:
    _, _, check = _WEAKNESSES[weakness]
    assert check in {name.split()[0] for name in scans[weakness].failed}


@pytest.mark.e2e
@pytest.mark.terraform
def test_plan(plan: dict[str, Any], tmp_path: Path) -> None:
    written = tmp_path / "plan.json"
    written.write_text(json.dumps(plan), encoding="utf-8")
    # The folder is where checkov finds the skips: a plan carries no comments.
    scanned = scan("terraform_plan", "-f", written, "--repo-root-for-plan-enrichment", TERRAFORM)
    _check(scanned, at_least=200)


def test_every_skip_says_why() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    files = [REPOSITORY / name for name in listed if name.endswith(_OWN)]
    silent = {
        str(file.relative_to(REPOSITORY)): unexplained_skips
        for file in files
        if file.exists()
        and file != Path(__file__)
        and (unexplained_skips := unexplained(file.read_text(encoding="utf-8")))
    }
    assert silent == {}


@pytest.mark.parametrize(
    "comment",
    ["# checkov:skip=CKV_AWS_116", "# checkov:skip=CKV_AWS_116:", "# checkov:skip=CKV_AWS_116:ok"],
)
def test_a_skip_without_a_reason_is_seen(comment: str) -> None:
    assert unexplained(comment) == ["CKV_AWS_116"]
    assert unexplained("# checkov:skip=CKV_AWS_1:Because it is so and so") == []


def test_nothing_is_skipped_by_configuration() -> None:
    """Skips are next to what they are about, not in a file or on a command line."""
    assert not [*REPOSITORY.glob(".checkov.y*ml"), *TERRAFORM.glob("**/.checkov.y*ml")]
    for file in (REPOSITORY / "Makefile", *(REPOSITORY / ".github").rglob("*.yml")):
        text = file.read_text(encoding="utf-8")
        assert "--skip-check" not in text
        assert "--soft-fail" not in text
