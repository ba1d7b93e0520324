"""What Terraform would do to a stack, and what it has made."""

from collections.abc import Iterator, Mapping
from typing import Any

from scripts.lib.terraform_stack import Stack


def plan(stack: Stack) -> list[str]:
    """Return what an apply would do, for example ``update aws_s3_bucket.source``, sorted."""
    return changes(stack.planned())


def changes(plan: Mapping[str, Any]) -> list[str]:
    """Return what an apply of a plan would do, for example ``update aws_s3_bucket.source``."""
    return sorted(_changes(plan))


def _changes(plan: Mapping[str, Any]) -> Iterator[str]:
    for change in plan.get("resource_changes", []):
        action = "/".join(change["change"]["actions"])
        if action not in ("no-op", "read"):
            yield f"{action} {change['address']}"
    for name, output in plan.get("output_changes", {}).items():
        action = "/".join(output["actions"])
        if action != "no-op":
            yield f"{action} output.{name}"


def managed(module: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the resources of a module of a plan or state and of its children, no data sources."""
    for resource in module.get("resources", []):
        if resource["mode"] == "managed":
            yield resource
    for child in module.get("child_modules", []):
        yield from managed(child)


def resources(stack: Stack) -> list[str]:
    """Return the addresses of everything in a stack's state, data sources left out."""
    listed = stack.output("state", "list").splitlines()
    return [address for address in listed if ".data." not in f".{address}"]
