"""The table of mutants fits the code: each text occurs once, and each test file exists."""

from pathlib import Path

import pytest

from scripts.lib.paths import REPOSITORY
from tests.durability.mutants import __main__ as mutants
from tests.durability.mutants.__main__ import Mutant

TABLE = list(mutants.read_table())


def test_there_are_enough() -> None:
    assert len(TABLE) >= 60
    assert len(set(TABLE)) == len(TABLE)


@pytest.mark.parametrize("mutant", TABLE, ids=str)
def test_every_mutant_can_be_made_and_tested(mutant: Mutant) -> None:
    assert mutant.apply(REPOSITORY) != (REPOSITORY / mutant.file).read_text(encoding="utf-8")
    assert mutant.selection(REPOSITORY)


@pytest.mark.parametrize("text", ["safe()", "check()\ncheck()\n"])
def test_a_line_that_is_not_there_once_is_reported(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(text)
    with pytest.raises(ValueError, match=r"is stale: [02] times in a.py"):
        Mutant("a.py", "test_a.py", "check()", "pass").apply(tmp_path)


@pytest.mark.parametrize("folders", [[], ["a", "b"]])
def test_a_test_file_that_is_not_there_once_is_reported(folders: list[str], tmp_path: Path) -> None:
    for folder in folders:
        (tmp_path / "tests" / folder).mkdir(parents=True)
        (tmp_path / "tests" / folder / "test_a.py").touch()
    with pytest.raises(ValueError, match=r"is stale: [02] test files are named test_a.py"):
        Mutant("a.py", "test_a.py -k a", "check()", "pass").selection(tmp_path)


def test_pytest_options_stay_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "tests" / "deep").mkdir(parents=True)
    (tmp_path / "tests" / "deep" / "test_a.py").touch()
    selected = Mutant("a.py", 'test_a.py -k "b or c"', "", "").selection(tmp_path)
    assert selected == ["tests/deep/test_a.py", "-k", "b or c"]
