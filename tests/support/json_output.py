"""What commands print with --json, by the schema that they promise."""

import json
from pathlib import Path
from typing import Any

import jsonschema

from scripts.commands import cli

SCHEMAS = json.loads(Path(cli.__file__).with_name("schemas.json").read_text(encoding="utf-8"))


def validated(command: str, text: str) -> Any:
    """Return the output of a command, parsed and checked."""
    answer = json.loads(text)
    schema = {"$ref": f"#/$defs/{command}", "$defs": SCHEMAS["$defs"]}
    jsonschema.validate(answer, schema, jsonschema.Draft202012Validator)
    return answer
