"""The command line itself: help, options, completion, exit statuses; and its installation."""

import ast
import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from scripts.commands import cli, options
from scripts.commands.options import Target
from scripts.lib.paths import REPOSITORY
from tests.conftest import use
from tests.support import json_output
from tests.support.emulator import Emulator

Capture = pytest.CaptureFixture[str]

NOWHERE = "http://127.0.0.1:9"
COMMANDS = sorted(cli._COMMANDS)
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A person who has set up nothing."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "TF_VAR_", "IMAGE_CONVERTER_")):
            monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _command(name: str) -> click.Command:
    _, command, _ = cli.cli.resolve_command(click.Context(cli.cli), [name])
    assert command is not None
    return command


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str, capsys: Capture) -> None:
    assert cli.run([name, "--help"]) == 0
    assert f"Usage: image-converter {name}" in capsys.readouterr().out
    assert _command(name).name == name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_their_help_says(name: str) -> None:
    assert str(_command(name).help).splitlines()[0] == cli._COMMANDS[name]


def test_what_scripts_read_is_described() -> None:
    """--json and its schema come together."""
    with_json = {
        name
        for name in COMMANDS
        if any("--json" in option.opts for option in _command(name).params)
    }
    parts = {"time", "text", "location", "dollars"}
    assert with_json == json_output.SCHEMAS["$defs"].keys() - parts


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["upload"],
        ["upload", "missing.jpg"],
        ["status"],
        ["backfill", "2019/", "--run", "20261127T160000Z-abcdef"],
        ["--nope"],
        ["local", "up", "--port", "0"],
    ],
)
@pytest.mark.usefixtures("empty_environment")
def test_a_wrong_command_line(arguments: list[str], capsys: Capture) -> None:
    assert cli.run(arguments) == 2
    assert "Usage: image-converter" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "No AWS region is chosen. Use --region"),
        (["--region", "eu-central-1"], "There are no AWS credentials."),
        (["--profile", "nobody"], "The config profile (nobody) could not be found"),
        (["--region", "eu-central-1", "--endpoint-url", NOWHERE], f"Nothing answers at {NOWHERE}"),
    ],
)
@pytest.mark.usefixtures("empty_environment")
def test_without_an_aws_the_advice_comes_at_once(
    arguments: list[str], words: str, capsys: Capture
) -> None:
    began = time.monotonic()
    assert cli.run(["redrive", *arguments]) == 3
    assert time.monotonic() - began < 2
    output = capsys.readouterr().err
    assert words in output
    assert "image-converter local up" in output or "list-profiles" in output


@pytest.mark.usefixtures("empty_environment")
def test_options_are_understood_on_both_sides_of_the_command() -> None:
    seen: list[Target] = []

    @click.command("seen")
    @options.of_a_stack
    def show(target: Target) -> None:
        seen.append(target)

    group = click.Group("group", params=list(cli.cli.params), commands=[show])
    done = CliRunner().invoke(
        group, ["--name", "one", "--region", "r-1", "seen", "--name", "two", "--profile", "mine"]
    )
    assert done.exit_code == 0, done.output
    assert seen == [Target("two", "r-1", "mine", None)]


@pytest.mark.e2e
def test_a_stack_that_is_not_there_is_named(little: Emulator, capsys: Capture) -> None:
    arguments = ["status", "a.jpg", "--endpoint-url", little.aws.endpoint, "--region", "us-east-1"]
    with pytest.MonkeyPatch.context() as patch:
        use(little.aws, patch)
        began = time.monotonic()
        assert cli.run([*arguments, "--name", "nobody"]) == 3
        assert time.monotonic() - began < 2
        assert "There is no stack named nobody in us-east-1" in capsys.readouterr().err

        little.function("other-resize-image", "def handler(event, context):\n    pass\n")
        for part in ("write-to-dynamodb", "delete-file", "trigger"):
            little.function(f"other-{part}", "def handler(event, context):\n    pass\n")
        assert cli.run([*arguments, "--name", "other"]) == 3
        assert "deployed by another version of image-converter" in capsys.readouterr().err


def test_a_named_profile_goes_before_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "left")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "left")

    assert Target().env["AWS_ACCESS_KEY_ID"] == "left"
    env = Target(profile="mine", endpoint_url=NOWHERE).env
    assert "left" not in env.values()
    assert (env["AWS_PROFILE"], env["AWS_ENDPOINT_URL"]) == ("mine", NOWHERE)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("image-converter st", {"status", "start"}),
        ("image-converter upload --p", {"--prefix", "--profile"}),
    ],
)
def test_completion(words: str, expected: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "scripts.commands.cli"],
        cwd=REPOSITORY,
        env=os.environ
        | {
            "_IMAGE_CONVERTER_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(words.split()) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == expected
    assert "pygraphviz" not in done.stderr, "a key press must not wait for it"


def test_costs_are_a_page_for_people_and_described_for_scripts(
    capsys: Capture, tmp_path: Path
) -> None:
    assert cli.run(["cost"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 40
    assert not [line for line in lines if "goal" in line or "article" in line]

    answer = json_output.answer(capsys, "cost", "--page", str(tmp_path / "costs.md"))
    assert answer["bills"]["STANDARD"]["total"] > answer["bills"]["EXPRESS"]["total"]
    assert "# What it costs" in (tmp_path / "costs.md").read_text(encoding="utf-8")


class TestInstallation:
    """What `pipx install .` needs to know; the installation itself takes a minute and an index."""

    def test_the_command_is_the_entry_point(self) -> None:
        module, _, function = PROJECT["project"]["scripts"]["image-converter"].partition(":")
        assert getattr(importlib.import_module(module), function) is cli.main

    def test_files_that_commands_read_are_included(self) -> None:
        included = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
        assert all(place == target for place, target in included.items())
        for place in included:
            assert (REPOSITORY / place).is_file()

    def test_what_is_imported_is_installed(self) -> None:
        """But by the local AWS, which needs a clone anyway."""
        needed = {
            re.split(r"[<>=~]", requirement)[0].lower()
            for requirement in PROJECT["project"]["dependencies"]
        }
        needed |= {"botocore", "markupsafe"}  # they come with boto3 and jinja2
        distributions = importlib.metadata.packages_distributions()
        for file, names in _used().items():
            for name in {module.split(".")[0] for module in names} & distributions.keys():
                assert distributions[name][0].lower() in needed, f"{file} imports {name}"

    def test_what_is_imported_is_in_the_wheel(self) -> None:
        left_out = {
            folder.replace("/", ".")
            for folder in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"]
        }
        for file, names in _used().items():
            for name in names:
                assert ".".join(name.split(".")[:2]) not in left_out, f"{file} imports {name}"


def _used() -> dict[Path, set[str]]:
    """Return the modules that each file imports at its top, of all files that a command loads."""
    imported: dict[Path, set[str]] = {}
    folders = [REPOSITORY / "scripts" / name for name in ("commands", "console")]
    ahead = [file for folder in folders for file in folder.rglob("*.py")]
    while ahead:
        file = ahead.pop()
        if file in imported or "local_aws" in file.parts:
            continue
        imported[file] = set(_imports_at_the_top(file))
        for name in imported[file]:
            root = REPOSITORY / ("lambda_src" if name.startswith("image_converter") else "")
            place = root / name.replace(".", "/")
            candidates = (place.with_suffix(".py"), place / "__init__.py")
            ahead += [path for path in candidates if path.is_file()]
    return imported


def _imports_at_the_top(file: Path) -> Iterator[str]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
