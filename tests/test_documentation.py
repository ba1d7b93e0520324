"""The pages for people: their links, commands, settings and file names are real."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from image_converter import errors, keys
from image_converter.conversion import jpeg_parser, jpeg_scans
from image_converter.conversion.encoders import MAX_SIDES
from image_converter.conversion.limits import for_memory
from scripts.commands import cli
from scripts.lib.paths import REPOSITORY

PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")])
README_LINES = 150
ARCHITECTURE_LINES = 140

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
    variables = set(re.findall(r"\$\((?:(?:if|filter-out 0,)? ?\$\()?(\w+)\)", makefile))
    commands = re.findall(
        r"(?:^ {4}|`)make ([a-z0-9-]+)([^`#\n]*)", page.read_text("utf-8"), re.MULTILINE
    )

    for target, arguments in commands:
        assert target in targets, target
        assert set(re.findall(r"\b([A-Z_]{2,})=", arguments)) <= variables, arguments


@every_page
def test_commands_are_understood(page: Path) -> None:
    """Every `image-converter ...` on a page is a command, with options that it has."""
    text = page.read_text("utf-8")
    for words in re.findall(r"(?:^ {4}|`)image-converter ([a-z][^`#\n]*)", text, re.MULTILINE):
        name, *rest = words.split()
        _, command, _ = cli.cli.resolve_command(click.Context(cli.cli), [name])
        assert command is not None, words
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known, words


def test_the_readme_stays_short_and_shows_the_whole_picture() -> None:
    readme = (REPOSITORY / "README.md").read_text("utf-8")

    assert len(readme.splitlines()) <= README_LINES
    for page in PAGES:
        if page.parent.name == "docs":
            assert f"](docs/{page.name}" in readme, f"no link to {page.name}"


def _number(before: str) -> int:
    """Return the only number that follows a pattern in Terraform's settings."""
    folder = REPOSITORY / "terraform"
    names = ("variables.tf", "defaults.tf", "function_settings.tf", "modules/ingest/variables.tf")
    text = "\n".join((folder / name).read_text("utf-8") for name in names)
    [number] = re.findall(rf"{before}(\d+)", text, re.DOTALL)
    return int(number)


def _default(variable: str) -> int:
    return _number(rf'variable "{variable}" {{.*?default += ')


def test_the_readme_states_the_limits_as_they_are() -> None:
    image = for_memory(_number(r"\n +resize_image += { memory_mb = ") * 1024**2)
    form = _number(r"upload_form_defaults = {\s+max_bytes += ")
    scans, segments = jpeg_scans.MAX_SCANS, jpeg_parser._MAX_SEGMENTS
    batches, batch = _default("trigger_maximum_concurrency"), _default("batch_size")
    key = keys.MAX_KEY_BYTES
    expected = {
        "One image |": f"{image.max_bytes // 10**6} MB and {image.max_pixels // 10**6} megapixels",
        "One image through `POST /upload`": f"{_default('max_upload_bytes'):,} bytes",
        "One image through the form": f"{form:,} bytes ({form // 1024**2} MiB)",
        "Width and height": (
            f"{jpeg_parser._MAX_SIDE:,} pixels each, the decoder's limit;"
            f" of a WebP {MAX_SIDES['webp']:,}, of an AVIF {MAX_SIDES['avif']:,}"
        ),
        "A key": f"{key:,} bytes, also for the PNG's key (`KeyTooLong`); {key - len('.png'):,}",
        "JPEGs that are refused": f"more than {scans} scans or {segments:,} segments",
        "Notifications handled at the same time": f"{batches} batches of up to {batch};",
        "Restoring an image": f"| {_default('noncurrent_version_expiration_days')} days |",
    }

    table = (REPOSITORY / "README.md").read_text("utf-8").partition("## Limits")[2]
    for what, limit in expected.items():
        [row] = [line for line in table.splitlines() if line.startswith(f"| {what}")]
        assert limit in row


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
    names = {name for name, value in vars(errors).items() if isinstance(value, type)}

    permanent = {name for name in names if issubclass(getattr(errors, name), errors.PermanentError)}
    assert permanent > bases
    for name in permanent - bases:
        assert f"| `{name}` |" in page, name
