"""Every file that `make docs` writes is as it would write it now."""

import os
import re
import subprocess
import sys

import pytest

from scripts.lib import generated
from scripts.lib.paths import REPOSITORY
from tests.scripts.dev.docs import fidelity

_MODULE = re.compile(r"python -m ([a-z_.]+)")


def _modules() -> list[str]:
    """Return what `make docs` runs."""
    recipe = subprocess.run(
        ["make", "--no-print-directory", "-n", "docs"],
        cwd=REPOSITORY,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    return [
        name for name in _MODULE.findall(recipe.stdout) if name.startswith(("scripts", "tests"))
    ]


def test_make_docs_writes_all_of_them() -> None:
    assert [name.rpartition(".")[2] for name in _modules()] == [
        "module_readmes",
        "costs",
        "bad_images",
        "fidelity",
    ]


def _are_all_collected(session: pytest.Session) -> bool:
    """Return whether no test was left out: `-k` and `-m` do, and paths on the command line."""
    if session.config.option.keyword or session.config.option.markexpr:
        return False
    files = set((REPOSITORY / "tests").rglob("test_*.py"))
    return files <= {item.path for item in session.items}


@pytest.mark.parametrize("module", _modules())
def test_what_is_written_is_current(module: str, request: pytest.FixtureRequest) -> None:
    """In a process of its own; but where all tests are collected, not once more for fidelity."""
    if module == fidelity.__name__ and _are_all_collected(request.session):
        page = fidelity.page(fidelity.rows(request.session.items))
        assert generated.stale({fidelity.REPORT: page}) == []
        return
    done = subprocess.run(
        [sys.executable, "-m", module, "--check"],
        cwd=REPOSITORY,
        env={"PYTHONPATH": "lambda_src:.", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
