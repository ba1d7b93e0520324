"""The schema of a newer AWS provider than the installed one, as far as this project uses it.

    python -m tests.aws_contract.provider_schema [--check]

It writes tests/aws_contract/vendor/provider_6.json; with --check it fails if that file is stale.

Terraform itself prints a provider's schema, but only of an installed one. PyPI has
cdktn-provider-aws, bindings that are generated from the schema: for each resource a TypeScript
module, whose source maps, in the package's jsii archive, carry the TypeScript. There, comments say
what is computed, optional or required, and a table says which member is a block and of which type.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from scripts.lib import generated
from scripts.lib.paths import BUILD, REPOSITORY, TERRAFORM

SCHEMA = REPOSITORY / "tests" / "aws_contract" / "vendor" / "provider_6.json"
WHEELS = BUILD / "wheels"

PACKAGE = "cdktn-provider-aws"
VERSION = "25.8.1"

_USED = re.compile(r'^(resource|data) "(aws_\w+)"', re.MULTILINE)
_SOURCE_MAP = re.compile(rb"sourceMappingURL=data:application/json;base64,([A-Za-z0-9+/=]+)")
_MADE_FROM = re.compile(r"registry\.terraform\.io/providers/hashicorp/aws/([\d.]+)/")
_CLASS = re.compile(r"^export class (\w+) extends cdktn\.(\w+)", re.MULTILINE)
_MEMBER = re.compile(
    r"^  // (\w+) - computed: (\w+), optional: (\w+), required: (\w+)", re.MULTILINE
)
_TYPED = re.compile(
    r"^ {4,6}(\w+): \{\n\s+value: [^\n]+,\n\s+isBlock: (true|false),\n\s+type: \"(\w+)\","
    r"\n\s+storageClassType: \"(\w+)\"",
    re.MULTILINE,
)
_SINGLE = "OutputReference"

# An attribute is [type, "computed" | "optional" | "optional, computed" | "required"].
Node = dict[str, Any]


class SchemaError(Exception):
    """The package is not as this module expects it; the message says what differs."""


def used(terraform: Path = TERRAFORM) -> set[str]:
    """Return the types that the configuration uses, data sources as `data.aws_...`."""
    files = terraform.rglob("*.tf")
    used = (match for file in files for match in _USED.findall(file.read_text(encoding="utf-8")))
    return {f"data.{name}" if kind == "data" else name for kind, name in used}


def extract(wheel: Path, names: Collection[str]) -> dict[str, Any]:
    """Return the schema of some resources and data sources.

    Parameters:
        wheel: the package's file.
        names: as :func:`used` returns them.

    Raises:
        SchemaError: one of them is not in the package.
    """
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        [inner] = [name for name in archive.namelist() if name.endswith(".jsii.tgz")]
        sources = dict(_sources(Path(archive.extract(inner, folder)), names))
    missing = sorted(set(names) - sources.keys())
    if missing:
        raise SchemaError(f"{wheel.name} has no {', '.join(missing)}")
    versions = {version for text in sources.values() for version in _MADE_FROM.findall(text)}
    if len(versions) != 1:
        raise SchemaError(f"{wheel.name} is made from {len(versions)} versions of the provider")
    return {
        "source": f"PyPI {PACKAGE} {VERSION}, source maps in its jsii archive",
        "provider": versions.pop(),
        "types": {name: _tree(sources[name]) for name in sorted(sources)},
    }


def _sources(archive: Path, names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield the TypeScript of each type that the package has."""
    wanted = {f"package/lib/{_folder(name)}/index.js": name for name in names}
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            content = members.extractfile(member) if member.name in wanted else None
            if content is None:
                continue
            source_map = _SOURCE_MAP.search(content.read())
            if source_map is None:
                raise SchemaError(f"{member.name} has no source map")
            [text] = json.loads(base64.b64decode(source_map[1]))["sourcesContent"]
            yield wanted[member.name], text


def _folder(name: str) -> str:
    return name.replace("data.aws_", "data-aws-").removeprefix("aws_").replace("_", "-")


def _tree(source: str) -> Node:
    """Return the schema that a TypeScript module was generated from."""
    starts = list(_CLASS.finditer(source))
    ends = [*(start.start() for start in starts[1:]), len(source)]
    bodies = {s[1]: source[s.start() : end] for s, end in zip(starts, ends, strict=True)}
    [top] = [s[1] for s in starts if s[2] in ("TerraformResource", "TerraformDataSource")]
    return _node(top, bodies, source)


def _node(name: str, bodies: dict[str, str], source: str) -> Node:
    own = name if name in bodies else f"{name}{_SINGLE}"
    body = bodies.get(own)
    if body is None:
        raise SchemaError(f"there is no class {own}")
    members = {m[0]: _availability(*m[1:]) for m in _MEMBER.findall(body)}
    table = body if own == name else _function(f"{name[0].lower()}{name[1:]}ToHclTerraform", source)
    typed = {match[0]: match[1:] for match in _TYPED.findall(table)}
    node: Node = {"attributes": {}, "blocks": {}}
    for member, available in sorted(members.items()):
        is_block, nesting, kind = typed.get(member, ("false", "simple", "any"))
        if is_block == "false":
            node["attributes"][member] = [kind, available]
            continue
        inner = re.sub(r"(List|Set|Map)$", "", kind)
        inner = inner if f"{inner}{_SINGLE}" in bodies else kind
        single = f"{inner}List" not in bodies
        node["blocks"][member] = {
            "nesting": nesting,
            "most": 1 if single else None,
            "needed": available == "required",
            **_node(inner, bodies, source),
        }
    return node


def _function(name: str, source: str) -> str:
    start = source.find(f"export function {name}(")
    if start < 0:
        raise SchemaError(f"there is no function {name}")
    return source[start : source.index("\n}\n", start)]


def _availability(computed: str, optional: str, required: str) -> str:
    if required == "true":
        return "required"
    words = [
        name for name, flag in (("optional", optional), ("computed", computed)) if flag == "true"
    ]
    return ", ".join(words)


def download() -> Path:
    """Return the package's wheel, from build/wheels or PyPI (70 MB)."""
    wheels = list(WHEELS.glob(f"{PACKAGE.replace('-', '_')}-{VERSION}-*.whl"))
    if not wheels:
        WHEELS.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", str(WHEELS), f"{PACKAGE}=={VERSION}"], check=True)
        wheels = list(WHEELS.glob(f"{PACKAGE.replace('-', '_')}-{VERSION}-*.whl"))
    return wheels[0]


def schema() -> dict[Path, str]:
    """Return the text of the schema's file."""
    return {SCHEMA: json.dumps(extract(download(), used()), indent=1) + "\n"}


if __name__ == "__main__":
    sys.exit(generated.main(schema()))
