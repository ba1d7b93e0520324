"""What commands print with --json, by the schema that they promise."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from scripts.commands import cli

SCHEMAS = json.loads(Path(cli.__file__).with_name("schemas.json").read_text(encoding="utf-8"))


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, expected: int = 0) -> Any:
    """Run a command with --json, which is to exit with that status; return its output."""
    assert cli.run([*arguments, "--json"]) == expected, capsys.readouterr()
    return validated(arguments[0], capsys.readouterr().out)


def validated(command: str, text: str) -> Any:
    """Return the output of a command, parsed and checked."""
    parsed = json.loads(text)
    schema = {"$ref": f"#/$defs/{command}", "$defs": SCHEMAS["$defs"]}
    jsonschema.validate(parsed, schema, jsonschema.Draft202012Validator)
    return parsed
