"""Every file that `make docs` writes is as it would write it now."""

import os
import re
import subprocess
import sys

import pytest

from scripts.lib.paths import REPOSITORY

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


@pytest.mark.parametrize("module", _modules())
def test_what_is_written_is_current(module: str) -> None:
    """In a process of its own: for fidelity, pytest collects the tests once more."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--check"],
        cwd=REPOSITORY,
        env={"PYTHONPATH": "lambda_src:.", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
