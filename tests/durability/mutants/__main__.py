"""Breaks one safety line at a time and runs the tests that should notice: `mutants.txt`.

A mutant that no test notices survives: a test is missing. The real tree is never changed.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.lib.paths import REPOSITORY

TABLE = Path(__file__).with_name("mutants.txt")

_PASSED, _FAILED = 0, 1  # of pytest's exit codes; the others say that the tests did not run
_SECONDS_PER_TEST = 300  # a mutant may never end
_SHOWN_COLUMNS = 60


class Mutant(NamedTuple):
    """A safety line, broken.

    Attributes:
        file: the file, from the root of the repository.
        tests: the test files' names, and options of pytest.
        old: what the file has exactly once.
        new: what takes its place.
    """

    file: str
    tests: str
    old: str
    new: str

    def __str__(self) -> str:
        line = next(old for old in self.old.splitlines() if old not in self.new.splitlines())
        return f"{self.file}: {line.strip()[:_SHOWN_COLUMNS]}"

    def apply(self, root: Path) -> str:
        """Return the file's text with the mutation.

        Raises:
            ValueError: the file does not have the old text exactly once.
        """
        text = (root / self.file).read_text(encoding="utf-8")
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"{TABLE.name} is stale: {count} times in {self.file}:\n{self.old}")
        return text.replace(self.old, self.new)

    def selection(self, root: Path) -> list[str]:
        """Return pytest's arguments.

        Raises:
            ValueError: there is not exactly one test file of a name.
        """
        return [
            str(_test_file(root, word)) if word.endswith(".py") else word
            for word in shlex.split(self.tests)
        ]


def read_table() -> Iterator[Mutant]:
    """Yield the mutants, in the table's order."""
    file, tests = "", ""
    old: list[str] = []
    new: list[str] = []
    for line in [*TABLE.read_text(encoding="utf-8").splitlines(), "#|"]:
        kind, text = line[:1], line[2:]
        if new and kind != "+":
            yield Mutant(file, tests, "\n".join(old), "\n".join(new))
            old, new = [], []
        if kind == "#":
            file, tests = (part.strip() for part in line[1:].split("|"))
        elif file and kind in ("-", "+"):
            (old if kind == "-" else new).append(text)


def _test_file(root: Path, name: str) -> Path:
    files = list((root / "tests").rglob(name))
    if len(files) != 1:
        raise ValueError(f"{TABLE.name} is stale: {len(files)} test files are named {name}")
    return files[0].relative_to(root)


def _copy_tree(root: Path) -> None:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if os.path.lexists(REPOSITORY / name):  # one that was deleted is still listed
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, root / name, follow_symlinks=False)  # terraform/asl


def _run_tests(root: Path, selection: Sequence[str]) -> int:
    options = ["-x", "-q", "-p", "no:cacheprovider", "-o", f"timeout={_SECONDS_PER_TEST}"]
    # Bytecode is matched by time and size, and so may be that of the mutant before.
    environment = {**os.environ, "PYTHONPATH": "lambda_src:.", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *options, *selection]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, check=False)
    if done.returncode not in (_PASSED, _FAILED):
        sys.exit(f"{shlex.join(command)} did not run:\n{done.stdout.decode()}")
    return done.returncode


def main() -> int:
    """Run the mutants; exit 1 if one survives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="only files whose path has this part")
    only = parser.parse_args().only
    begun, counts, sound = time.monotonic(), Counter[str](), set()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _copy_tree(root)
        for mutant in (mutant for mutant in read_table() if only in mutant.file):
            start, target, selection = time.monotonic(), root / mutant.file, mutant.selection(root)
            if mutant.tests not in sound and _run_tests(root, selection) != _PASSED:
                sys.exit(f"{mutant.tests} fails without a mutant.")
            sound.add(mutant.tests)
            original, broken = target.read_text(encoding="utf-8"), mutant.apply(root)
            target.write_text(broken, encoding="utf-8")
            verdict = "caught" if _run_tests(root, selection) == _FAILED else "SURVIVED"
            target.write_text(original, encoding="utf-8")
            counts[verdict] += 1
            print(f"{verdict:8} {time.monotonic() - start:5.0f} s  {mutant}", flush=True)
    seconds = time.monotonic() - begun
    print(f"{counts['caught']} caught, {counts['SURVIVED']} survived, {seconds:.0f} s")
    return 1 if counts["SURVIVED"] or not counts["caught"] else 0


if __name__ == "__main__":
    sys.exit(main())
