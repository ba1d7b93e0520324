"""Files that are written from the code, the tests or Terraform, and kept in the repository."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from scripts.lib.paths import REPOSITORY


def stale(files: Mapping[Path, str]) -> list[Path]:
    """Return the files whose text is another than it should be, or that are missing."""
    return [
        file
        for file, text in files.items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]


def main(
    make: Callable[[], Mapping[Path, str]], target: str, arguments: Sequence[str] | None = None
) -> int:
    """Write the files that are stale, or with `--check` only name them; return the exit status.

    Parameters:
        make: returns the text of each file.
        target: the make target that writes them.
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail if a file is stale"
    )
    check = parser.parse_args(arguments).check
    files = make()
    found = stale(files)
    for file in found:
        name = file.relative_to(REPOSITORY)
        print(f"{name} is stale: run `make {target}`" if check else f"Wrote {name}")
        if not check:
            file.write_text(files[file], encoding="utf-8")
    return int(check and bool(found))
