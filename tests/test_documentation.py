"""The pages for people: their links, commands, settings and file names are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from image_converter import errors
from scripts.lib.paths import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
README_LINES = 150
ARCHITECTURE_LINES = 120
# The redrive reads these from the environment that make exports, not from the recipe.
READ_BY_SCRIPTS = {"ALL", "DRY_RUN"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?://)([^)]+)\)", page.read_text("utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@every_page
def test_make_commands_are_targets_with_their_variables(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
    variables = set(re.findall(r"\$\((?:if \$\()?(\w+)\)", makefile)) | READ_BY_SCRIPTS
    commands = re.findall(
        r"(?:^ {4}|`)make ([a-z0-9-]+)([^`#\n]*)", page.read_text("utf-8"), re.MULTILINE
    )

    for target, arguments in commands:
        assert target in targets, target
        assert set(re.findall(r"\b([A-Z_]{2,})=", arguments)) <= variables, arguments


def test_the_readme_stays_short_and_shows_the_whole_picture() -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")

    assert len(readme.splitlines()) <= README_LINES
    for page in PAGES:
        if page.parent.name == "docs":
            assert f"](docs/{page.name}" in readme, f"no link to {page.name}"


def test_the_architecture_names_files_that_exist() -> None:
    text = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
    files = set(re.findall(r"`([a-z0-9_/]+\.(?:py|tf|asl\.json))`", text))
    folders = [
        REPOSITORY,
        REPOSITORY / "lambda_src" / "image_converter",
        REPOSITORY / "lambda_src" / "image_converter" / "handlers",
        REPOSITORY / "terraform",
    ]

    assert len(text.splitlines()) <= ARCHITECTURE_LINES
    assert files
    for name in files:
        assert any((folder / name).is_file() for folder in folders), name


def test_every_permanent_error_is_explained() -> None:
    page = (REPOSITORY / "docs" / "when-something-fails.md").read_text("utf-8")
    bases = {"PermanentError", "ConversionError"}
    names = {name for name, found in vars(errors).items() if isinstance(found, type)}

    permanent = {name for name in names if issubclass(getattr(errors, name), errors.PermanentError)}
    assert permanent > bases
    for name in permanent - bases:
        assert f"| `{name}` |" in page, name
