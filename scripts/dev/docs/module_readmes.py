"""Write the README of the Terraform configuration and of each of its modules.

The introduction is the comment at the head of main.tf, the tables come from the descriptions of
variables and outputs. A README is never edited by hand: `make docs` writes them.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import hcl2
from hcl2.utils import SerializationOptions

from scripts.lib import generated
from scripts.lib.paths import TERRAFORM

# Blocks without entries of the parser's own.
_OPTIONS = SerializationOptions(with_comments=False, explicit_blocks=False)


def readmes(folder: Path = TERRAFORM) -> dict[Path, str]:
    """Return the text of each README.

    Parameters:
        folder: the configuration; its modules are in ``modules``.

    Raises:
        ValueError: a main.tf has no comment at its head, or a variable or output no description.
    """
    template = generated.template(
        Path(__file__).with_name("module_readme.md.j2"),
        cell=lambda text: text.replace("|", "\\|"),
    )
    mains = [folder / "main.tf", *sorted(folder.glob("modules/*/main.tf"))]
    return {main.with_name("README.md"): template.render(_read_module(main)) for main in mains}


def _read_module(main: Path) -> dict[str, Any]:
    """Return what a module's folder says about it, as the template shows it."""
    folder = main.parent
    files = [
        hcl2.loads(file.read_text(encoding="utf-8"), serialization_options=_OPTIONS)
        for file in sorted(folder.glob("*.tf"))
    ]
    resources = {
        f"{kind}.{label}".replace('"', "")
        for kind, resource in _blocks(files, "resource")
        for label in resource
    }
    sources = {str(call["source"]).strip('"') for _, call in _blocks(files, "module")}
    variables = [
        {
            "name": name,
            "type": _hcl(block["type"]),
            "default": _hcl(block["default"]) if "default" in block else None,
            "description": _description(folder, name, block),
        }
        for name, block in _blocks(files, "variable")
    ]
    return {
        "name": folder.name,
        "introduction": _introduction(main),
        "resources": sorted(resources),
        "modules": sorted(source.removeprefix("./") for source in sources),
        "inputs": sorted(variables, key=lambda variable: variable["default"] is not None),
        "outputs": [
            {"name": name, "description": _description(folder, name, block)}
            for name, block in _blocks(files, "output")
        ],
    }


def _blocks(files: Sequence[dict[str, Any]], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the blocks of a kind with their (first) label, in the order they are written in."""
    for file in files:
        for block in file.get(kind, []):
            for label, body in block.items():
                yield label.strip('"'), body


def _introduction(main: Path) -> str:
    """Return the comment at the head of main.tf as a paragraph."""
    text = main.read_text(encoding="utf-8")
    comment = re.match(r"(?:#.*\n)+", text)
    if comment is None:
        raise ValueError(f"{main} must begin with a comment that describes the module")
    return " ".join(line.lstrip("# ") for line in comment.group().splitlines())


def _description(folder: Path, name: str, block: dict[str, Any]) -> str:
    if not block.get("description"):
        raise ValueError(f"{name} in {folder} has no description")
    text = str(block["description"]).strip('"')
    return text.replace('\\"', '"')


def _hcl(value: Any) -> str:
    """Return a value of the parser's as it is written in HCL, on one line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, list):
        return "[" + ", ".join(_hcl(item) for item in value) + "]"
    if isinstance(value, dict):
        items = ", ".join(f"{key} = {_hcl(item)}" for key, item in value.items())
        return f"{{ {items} }}" if items else "{}"
    text = str(value)
    return text[2:-1] if text.startswith("${") and text.endswith("}") else text


if __name__ == "__main__":
    sys.exit(generated.main(readmes()))
