"""Write the READMEs of the Terraform configuration and its modules from what they say themselves.

The introduction is the comment at the head of main.tf; the tables come from the descriptions of
variables and outputs. A README is never edited by hand: `make docs` writes them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

from scripts.lib import generated
from scripts.lib.paths import TERRAFORM

_NOTE = "<!-- Written by `make docs`: change the descriptions, not this file. -->"


@dataclass(frozen=True)
class Input:
    """A variable of a module; type and default as HCL, default None where there is none."""

    name: str
    type: str
    default: str | None
    description: str


@dataclass(frozen=True)
class Output:
    """An output of a module."""

    name: str
    description: str


@dataclass(frozen=True)
class Module:
    """What a module says of itself."""

    name: str
    introduction: str
    resources: tuple[str, ...]
    modules: tuple[str, ...]
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]


def read_module(folder: Path) -> Module:
    """Read a module's folder.

    Raises:
        ValueError: main.tf has no comment at its head, or a variable or output no description.
    """
    blocks = [_parse(file) for file in sorted(folder.glob("*.tf"))]
    resources = {
        f"{kind}.{name}" for kind, named in _named(blocks, "resource") for name in _names(named)
    }
    sources = {str(call["source"]).strip('"') for _, call in _named(blocks, "module")}
    return Module(
        name=folder.name,
        introduction=_introduction(folder / "main.tf"),
        resources=tuple(sorted(resources)),
        modules=tuple(sorted(source.removeprefix("./") for source in sources)),
        inputs=tuple(
            Input(
                name,
                type=_hcl(block["type"]),
                default=_hcl(block["default"]) if "default" in block else None,
                description=_description(folder, name, block),
            )
            for name, block in _named(blocks, "variable")
        ),
        outputs=tuple(
            Output(name, _description(folder, name, block))
            for name, block in _named(blocks, "output")
        ),
    )


def render(module: Module) -> str:
    """Return the module's README."""
    needed = [_input_row(given) for given in module.inputs if given.default is None]
    optional = [_input_row(given) for given in module.inputs if given.default is not None]
    lines = [f"# {module.name}", "", _NOTE, "", module.introduction, ""]
    lines += [f"Makes {', '.join(f'`{resource}`' for resource in module.resources)}.", ""]
    if module.modules:
        lines += [f"Uses {', '.join(f'[{source}]({source})' for source in module.modules)}.", ""]
    lines += _table("Inputs", ["Name", "Type", "Default", "What it is"], needed + optional)
    lines += _table(
        "Outputs",
        ["Name", "What it is"],
        [[f"`{output.name}`", output.description] for output in module.outputs],
    )
    return "\n".join(lines).rstrip() + "\n"


def readmes(folder: Path = TERRAFORM) -> dict[Path, str]:
    """Return the text of each README.

    Parameters:
        folder: the configuration; its modules are in ``modules``.
    """
    mains = [folder / "main.tf", *sorted(folder.glob("modules/*/main.tf"))]
    return {main.with_name("README.md"): render(read_module(main.parent)) for main in mains}


def _parse(file: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = hcl2.loads(file.read_text(encoding="utf-8"))
    return parsed


def _named(files: Sequence[dict[str, Any]], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the blocks of a kind with their (first) label, in the order they are written in."""
    for blocks in files:
        for block in blocks.get(kind, []):
            for label, body in block.items():
                if not label.startswith("__"):
                    yield label.strip('"'), body


def _names(body: dict[str, Any]) -> list[str]:
    return [label.strip('"') for label in body if not label.startswith("__")]


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


def _input_row(given: Input) -> list[str]:
    default = "needed" if given.default is None else f"`{given.default}`"
    return [f"`{given.name}`", f"`{given.type}`", default, given.description]


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    ruled = [list(head), ["---"] * len(head), *rows]
    return [f"## {title}", "", *(_row(cells) for cells in ruled), ""]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.exit(generated.main(readmes, "docs"))
