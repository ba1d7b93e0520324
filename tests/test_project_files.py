"""The pins and the Makefile, which every other task stands on."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from scripts.lib.paths import REPOSITORY

PINS = sorted((REPOSITORY / "requirements").glob("*.txt"))
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((REPOSITORY / "requirements" / name).read_text()))


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.name)
def test_requirements_are_pinned_by_hash_and_name_no_index(path: Path) -> None:
    text = path.read_text()
    blocks = re.split(r"\n(?=\S)", text.strip())

    assert text == "".join(line for line in text.splitlines(keepends=True) if "://" not in line)
    for block in blocks:
        assert PIN.match(block), block
        assert "--hash=sha256:" in block, block


def test_every_environment_is_installed_by_hash() -> None:
    """The one of uv, too, which writes all the pins."""
    makefile = (REPOSITORY / "Makefile").read_text()
    installs = re.findall(r"^\t.*\bpip\b.*\binstall\b.*$", makefile, re.MULTILINE)
    environments = set(re.findall(r"\.venv/(\w+)", makefile))
    listed = re.search(r"for name in (.+); do", makefile)

    assert len(installs) == 3  # uv's, and the others by uv or by pip
    assert all("--require-hashes" in line for line in installs), installs
    assert {path.stem for path in PINS} >= environments >= {"uv"}
    assert listed is not None
    assert set(listed[1].split()) == {path.stem for path in PINS}


def test_tests_use_the_versions_that_the_layer_carries() -> None:
    layer, dev = pins("layer.txt"), pins("dev.txt")

    assert layer
    assert {name: dev[name] for name in layer} == layer


def test_scripts_and_functions_use_the_botocore_of_the_local_aws() -> None:
    assert pins("dev.txt")["botocore"] == pins("runtime.txt")["botocore"]
    assert pins("dev.txt")["boto3"] == pins("runtime.txt")["boto3"]


def test_make_alone_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    listing = subprocess.run(
        ["make", "--no-print-directory"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout

    targets = re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE)
    assert "test" in targets
    for target in targets:
        assert re.search(rf"^  {target} +\S", listing, re.MULTILINE), target


def test_settings_of_another_account_do_not_reach_tests() -> None:
    recipe = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "local-down"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "AWS_PROFILE": "work", "TF_VAR_name": "mine"},
    ).stdout

    assert "-u AWS_PROFILE" in recipe
    assert "-u TF_VAR_name" in recipe
