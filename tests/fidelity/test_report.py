"""docs/fidelity.md says what the tests are."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import fidelity
from tests.docs.fidelity import Row

ROOT = Path(__file__).parents[2]


def test_the_page_is_as_the_tests_are() -> None:
    """In a process of its own: pytest collects the tests once more."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.docs.fidelity", "--check"],
        cwd=ROOT,
        env={"PYTHONPATH": "lambda_src:.", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_module_of_tests_makes_it_stale() -> None:
    rows = {"tests/a/test_a.py": Row("What a does", {"code"})}
    more = {**rows, "tests/a/test_b.py": Row("What b does", {"moto"})}
    assert fidelity.page(rows) != fidelity.page(more)
    assert "| `a/test_b.py` | What b does |  |  | x |  |  |" in fidelity.page(more)


@pytest.mark.parametrize("name", ["docs/fidelity.md", "docs/first-hour.md"])
def test_links_lead_somewhere(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (page.parent / link).exists(), link
