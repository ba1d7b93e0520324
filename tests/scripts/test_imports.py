"""Imports run one way: what is run uses lib/, lib/ uses lambda_src/, and nothing uses tests/."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from scripts.lib.paths import REPOSITORY

SCRIPTS = REPOSITORY / "scripts"
# dev/ is several tasks, each of them a folder.
_DEPTHS = {"dev": 2}


def _imported(file: Path) -> Iterator[str]:
    """Yield the modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _task(parts: tuple[str, ...]) -> str:
    """Return the task that a module below scripts/ belongs to."""
    return "/".join(parts[: _DEPTHS.get(parts[0], 1)])


def _imports() -> dict[str, set[str]]:
    """Return, for each task, everything that its modules import."""
    imports: dict[str, set[str]] = {}
    for file in SCRIPTS.glob("*/**/*.py"):
        if "stubs" not in file.parts:  # those are put into other packages
            task = _task(file.relative_to(SCRIPTS).parts)
            imports.setdefault(task, set()).update(_imported(file))
    return imports


def _uses() -> dict[str, set[str]]:
    """Return, for each task, the others that it uses."""
    return {
        task: {_task(tuple(name.split(".")[1:])) for name in names if name.startswith("scripts.")}
        - {task}
        for task, names in _imports().items()
    }


def test_every_module_is_in_the_folder_of_its_task() -> None:
    assert [file.name for file in SCRIPTS.glob("*.py")] == ["__init__.py"]


def test_nothing_imports_from_tests() -> None:
    for task, names in _imports().items():
        assert not [name for name in names if name.split(".")[0] == "tests"], task


def test_the_functions_import_nothing_from_scripts() -> None:
    for file in (REPOSITORY / "lambda_src").rglob("*.py"):
        assert not [name for name in _imported(file) if name.split(".")[0] == "scripts"], file


def test_lib_uses_no_task() -> None:
    assert _uses()["lib"] == set()


def test_no_two_tasks_need_each_other() -> None:
    """Raises CycleError, which names them, if they do."""
    assert list(TopologicalSorter(_uses()).static_order())


def test_nothing_that_is_used_on_a_stack_needs_what_developers_run() -> None:
    for task, used in _uses().items():
        if not task.startswith("dev/"):
            assert not [name for name in used if name.startswith("dev/")], task


def test_no_module_of_lib_is_run() -> None:
    """But one: `supervisor` starts itself around a command."""
    run = {
        file.stem
        for file in (SCRIPTS / "lib").rglob("*.py")
        if '__name__ == "__main__"' in file.read_text(encoding="utf-8")
    }
    assert run == {"supervisor"}


@pytest.mark.parametrize(
    "code", ["import tests.a", "from tests import a", "def f():\n import tests.a"]
)
def test_an_import_is_found_wherever_it_is(code: str, tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(code)
    assert list(_imported(file)) == ["tests.a"]
