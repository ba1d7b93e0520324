"""A test's file name says what it tests, and tests that share something run in one worker."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.lib.paths import REPOSITORY
from tests.support import parallel

TESTS = REPOSITORY / "tests"
FOLDERS = {
    "unit",
    "scripts",
    "aws_contract",
    "durability",
    "performance",
    "security",
    "terraform",
    "e2e",
}


def _folders(root: Path) -> set[Path]:
    return {
        folder.relative_to(root)
        for folder in root.rglob("*")
        if folder.is_dir() and any(folder.rglob("*.py")) and folder.name != "__pycache__"
    }


def test_there_are_nine_folders() -> None:
    assert {str(folder) for folder in _folders(TESTS) if len(folder.parts) == 1} == {
        *FOLDERS,
        "support",
    }


def test_unit_tests_are_named_after_the_module_that_they_test() -> None:
    product = REPOSITORY / "lambda_src" / "image_converter"
    for file in (TESTS / "unit").rglob("test_*.py"):
        module = file.relative_to(TESTS / "unit").with_name(file.name.removeprefix("test_"))
        assert (product / module).is_file(), file


def test_folders_of_the_scripts_tests_are_folders_of_scripts() -> None:
    assert _folders(TESTS / "scripts") <= _folders(REPOSITORY / "scripts")


def test_helpers_hold_no_tests() -> None:
    assert list((TESTS / "support").rglob("test_*.py")) == []


@pytest.mark.parametrize(
    ("fixtures", "expected"),
    [
        ((), "tests/unit/test_keys.py"),
        (("cloud", "tmp_path"), "tests/unit/test_keys.py"),
        (("deployment", "local_aws"), "deployment"),
        (("local_aws",), "local AWS"),
        (("emulator", "deployment"), "deployment"),
        (("stacks", "cloud"), "stacks"),
        (("host_package",), "packages"),
        (("lambda_package",), "packages"),
    ],
)
def test_tests_that_share_what_is_expensive_are_in_one_group(
    fixtures: tuple[str, ...], expected: str
) -> None:
    assert parallel.group("tests/unit/test_keys.py", fixtures) == expected


def test_what_changes_a_deployment_comes_late_and_what_ends_it_last() -> None:
    def item(fixture: str, *markers: str) -> Any:
        return SimpleNamespace(
            path=TESTS / "test_it.py",
            fixturenames=[fixture],
            get_closest_marker=lambda name: name if name in markers else None,
        )

    ends = item("deployment", "ends_deployment")
    changes = item("deployment", "changes_deployment")
    other, first = item("stacks"), item("deployment")
    items = [other, ends, changes, first]
    parallel.arrange(items, TESTS, name_groups=False)
    assert items == [first, changes, ends, other]


_TESTS_OF_A_GROUP = """
import os, pathlib, pytest

@pytest.fixture(scope="session")
def deployment():
    pass

@pytest.mark.parametrize("number", range(4))
def test_it(deployment, number):
    with open("workers", "a") as workers:
        workers.write(os.environ["PYTEST_XDIST_WORKER"] + "\\n")
"""


def test_one_worker_runs_all_files_of_a_group(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(
        "from tests.conftest import pytest_collection_modifyitems"
    )
    for name in ("test_a.py", "test_b.py", "test_c.py"):
        (tmp_path / name).write_text(_TESTS_OF_A_GROUP)
    options = "-q -n 2 --dist loadgroup --no-loadscope-reorder --rootdir . -p no:cacheprovider"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")
    }
    subprocess.run(
        [sys.executable, "-m", "pytest", *options.split()],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        stdout=subprocess.DEVNULL,
    )

    workers = (tmp_path / "workers").read_text().split()

    assert len(workers) == 12
    assert len(set(workers)) == 1
