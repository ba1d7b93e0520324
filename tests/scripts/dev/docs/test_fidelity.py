"""docs/fidelity.md has a row for each module of tests."""

import re

import pytest

from scripts.lib.paths import REPOSITORY
from tests.scripts.dev.docs import fidelity
from tests.scripts.dev.docs.fidelity import Row


def test_a_new_module_of_tests_makes_it_stale() -> None:
    rows = {"tests/a/test_a.py": Row("What a does", {"code"})}
    more = {**rows, "tests/a/test_b.py": Row("What b does", {"moto"})}
    assert fidelity.page(rows) != fidelity.page(more)
    assert "| `a/test_b.py` | What b does |  |  | x |  |  |" in fidelity.page(more)


def test_a_module_that_does_not_say_what_its_tests_show_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a docstring"):
        fidelity._first_sentence("tests/a/test_a.py", None)


def test_what_runs_on_a_local_aws_is_listed_there() -> None:
    page = (REPOSITORY / "docs" / "fidelity.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    tests = REPOSITORY / "tests"
    needs_one = re.compile(r"pytest\.mark\.e2e\b|\w: LocalAws[,)]")
    modules = [
        str(file.relative_to(tests))
        for file in tests.rglob("test_*.py")
        if needs_one.search(file.read_text(encoding="utf-8"))
    ]
    assert len(modules) > 40
    assert not [module for module in modules if not rows[module].endswith("| x |")]


def test_every_module_of_tests_is_collected() -> None:
    """A folder that pytest passes over by its name would be tested by nobody."""
    page = (REPOSITORY / "docs" / "fidelity.md").read_text(encoding="utf-8")
    tests = REPOSITORY / "tests"
    modules = [file.relative_to(tests) for file in tests.rglob("test_*.py")]
    assert not [str(module) for module in modules if f"`{module}`" not in page]
