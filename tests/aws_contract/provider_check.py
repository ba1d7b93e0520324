"""Check the Terraform configuration against the schema of a provider that is not installed.

`terraform validate` does it for the installed provider (5.100.0); :mod:`provider_schema` has the
schema of a current 6.x. What is checked: types, attributes and blocks exist and may be set,
required ones are set, no block occurs too often, and what expressions read exists.

    python -m tests.aws_contract.provider_check
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

from scripts.lib.paths import TERRAFORM
from tests.aws_contract.provider_schema import SCHEMA, Node

# What Terraform itself takes in every resource.
_META = frozenset(
    {"count", "for_each", "provider", "depends_on", "lifecycle", "connection", "provisioner"}
)

# Deprecated by 6.x, or before: the schema at hand does not say so.
# https://registry.terraform.io/providers/hashicorp/aws/latest/docs/guides/version-6-upgrade
DEPRECATED = {
    "data.aws_region": {"name": "id, which 5.x has too"},
    "aws_s3_bucket": {
        "acl": "aws_s3_bucket_acl",
        "acceleration_status": "aws_s3_bucket_accelerate_configuration",
        "cors_rule": "aws_s3_bucket_cors_configuration",
        "grant": "aws_s3_bucket_acl",
        "lifecycle_rule": "aws_s3_bucket_lifecycle_configuration",
        "logging": "aws_s3_bucket_logging",
        "policy": "aws_s3_bucket_policy",
        "region": "nothing: in 6.x it is where the resource is managed",
        "replication_configuration": "aws_s3_bucket_replication_configuration",
        "request_payer": "aws_s3_bucket_request_payment_configuration",
        "server_side_encryption_configuration": "the resource of that name",
        "versioning": "aws_s3_bucket_versioning",
        "website": "aws_s3_bucket_website_configuration",
    },
    "aws_iam_role": {
        "inline_policy": "aws_iam_role_policy",
        "managed_policy_arns": "aws_iam_role_policy_attachment",
    },
    "aws_s3_bucket_lifecycle_configuration": {"id": "bucket"},
    "aws_kms_alias": {"target_key_arn": "the key's own arn"},
}

# A reference to an attribute: data.aws_x.name.attribute, aws_x.name["key"].attribute
_READ = re.compile(r"\b(data\.)?(aws_\w+)\.(\w+)(?:\[[^\]]*\])?\.(\w+)")

Block = Mapping[str, Any]


def problems(terraform: Path = TERRAFORM, schema: Path = SCHEMA) -> list[str]:
    """Return what the provider would refuse or warn of, a sentence each.

    Parameters:
        terraform: the folder with the configuration.
        schema: the file that :mod:`tests.aws_contract.provider_schema` writes.
    """
    types = json.loads(schema.read_text(encoding="utf-8"))["types"]
    sentences: list[str] = []
    for file in sorted(terraform.rglob("*.tf")):
        text = file.read_text(encoding="utf-8")
        where = str(file.relative_to(terraform))
        for kind, name, block in _declared(_parsed(text)):
            sentences += (f"{where}: {sentence}" for sentence in _of_type(kind, name, block, types))
        sentences += (f"{where}: {sentence}" for sentence in _reads(text, types))
    return sentences


@cache
def _parsed(text: str) -> Mapping[str, Any]:
    """Parse a file, once: in the copies that tests make, all files but one are the same."""
    parsed: Mapping[str, Any] = hcl2.loads(text)
    return parsed


def _declared(parsed: Mapping[str, Any]) -> Iterator[tuple[str, str, Block]]:
    """Yield type, name and body of each resource and data source of AWS's."""
    for keyword, prefix in (("resource", ""), ("data", "data.")):
        for declared in parsed.get(keyword, []):
            for kind, blocks_by_name in declared.items():
                for name, body in blocks_by_name.items():
                    if _bare(kind).startswith("aws_"):
                        yield prefix + _bare(kind), _bare(name), body


def _of_type(kind: str, name: str, block: Block, types: Mapping[str, Node]) -> Iterator[str]:
    address = f"{kind}.{name}"
    if kind not in types:
        yield f"{address}: there is no {kind}, or its schema was not extracted (make provider-6)"
        return
    yield from _of_block(address, block, types[kind], _META)
    for attribute in DEPRECATED.get(kind, {}).keys() & block.keys():
        yield f"{address}: {attribute} is deprecated, use {DEPRECATED[kind][attribute]}"


def _of_block(
    address: str, block: Block, node: Node, meta: frozenset[str] = frozenset()
) -> Iterator[str]:
    members = dict(_members(block))
    for name, values in members.items():
        if name in meta:
            continue
        if name in node["blocks"]:
            yield from _of_nested(f"{address}.{name}", values, node["blocks"][name])
        elif name in node["attributes"]:
            yield from _of_attribute(f"{address}.{name}", values, node["attributes"][name])
        else:
            yield f"{address}: there is no {name}"
    needed = {
        name for name, (_, availability) in node["attributes"].items() if availability == "required"
    }
    needed |= {name for name, inner in node["blocks"].items() if inner["needed"]}
    for name in sorted(needed - members.keys()):
        yield f"{address}: {name} is required"


def _members(block: Block) -> Iterator[tuple[str, list[Any]]]:
    """Yield what a block contains: attributes, blocks, and what `dynamic` makes."""
    for name, value in block.items():
        if name.startswith("__"):
            continue
        if name == "dynamic":
            for dynamic in value:
                for label, body in dynamic.items():
                    yield _bare(label), body["content"]
        else:
            yield name, value if _is_blocks(value) else [value]


def _of_nested(address: str, blocks: list[Any], node: Node) -> Iterator[str]:
    if not _is_blocks(blocks):
        yield f"{address} is a block, not an attribute"
        return
    if node["most"] is not None and len(blocks) > node["most"]:
        yield f"{address} stands {len(blocks)} times, but may {node['most']}"
    for block in blocks:
        yield from _of_block(address, block, node)


def _of_attribute(address: str, values: list[Any], attribute: list[str]) -> Iterator[str]:
    kind, availability = attribute
    if availability == "computed":
        yield f"{address} is computed and cannot be set"
    if _is_blocks(values):
        yield f"{address} is an attribute, not a block"
        return
    literal_kind = _literal(values[0])
    if (
        literal_kind
        and kind in ("string", "number", "boolean")
        and literal_kind not in (kind, "expression")
    ):
        yield f"{address} is a {literal_kind}, but must be a {kind}"


def _literal(value: Any) -> str | None:
    """Return the type of a literal, `expression` for what only Terraform knows."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "expression" if value.startswith("${") else "string"
    return "collection"


def _reads(text: str, types: Mapping[str, Node]) -> Iterator[str]:
    for data, kind, name, attribute in _READ.findall(_without_comments(text)):
        full = f"data.{kind}" if data else kind
        node = types.get(full, {"attributes": {}, "blocks": {}})
        if attribute not in node["attributes"] and attribute not in node["blocks"]:
            yield f"{full}.{name} has no {attribute}"
        if attribute in DEPRECATED.get(full, {}):
            yield f"{full}.{name}.{attribute} is deprecated, use {DEPRECATED[full][attribute]}"


def _without_comments(text: str) -> str:
    return re.sub(r"(?m)(^|\s)(#|//)\s.*$", "", text)


def _is_blocks(value: Any) -> bool:
    return isinstance(value, list) and any(
        isinstance(item, dict) and "__is_block__" in item for item in value
    )


def _bare(label: str) -> str:
    return label.strip('"')


def main() -> int:
    """Print the problems; the exit status is 1 if there is one."""
    sentences = problems()
    version = json.loads(SCHEMA.read_text(encoding="utf-8"))["provider"]
    for problem in sentences:
        print(problem)
    print(f"{len(sentences)} problems with provider {version}.")
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main())
