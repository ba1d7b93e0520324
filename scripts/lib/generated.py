"""Files that are written from the code, the tests or Terraform, and kept in the repository."""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from scripts.lib.paths import REPOSITORY


def template(file: Path, **filters: Callable[[Any], Any]) -> Template:
    """Return a template of a Markdown page.

    Parameters:
        file: the template.
        filters: what it may apply to its values, by name.
    """
    environment = Environment(
        loader=FileSystemLoader(file.parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - it is Markdown
    )
    environment.filters |= filters
    return environment.get_template(file.name)


def stale(files: Mapping[Path, str]) -> list[Path]:
    """Return the files that are missing, or whose text is not what it should be."""
    return [
        file
        for file, text in files.items()
        if not file.is_file() or file.read_text(encoding="utf-8") != text
    ]


def main(files: Mapping[Path, str]) -> int:
    """Write the files that are stale, or with `--check` only name them; return the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true", help="write nothing; fail if one is stale")
    check = parser.parse_args().check
    stale_files = stale(files)
    for file in stale_files:
        print(f"{file.relative_to(REPOSITORY)} is {'stale' if check else 'written'}")
        if not check:
            file.write_text(files[file], encoding="utf-8")
    return int(check and bool(stale_files))
