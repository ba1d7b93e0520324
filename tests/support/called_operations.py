"""Which operations of AWS the functions call, read from their code."""

import ast
from pathlib import Path

from image_converter import clients
from tests.support.stubs import client_of

SOURCES = Path(clients.__file__).parent


def calls_in_the_source() -> set[str]:
    """Return the operations that the functions' code calls, read from the code itself."""
    operations: set[str] = set()
    for file in SOURCES.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        variables = {
            target.id: service
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and (service := _service(node.value))
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = node.func.value
            service = variables.get(owner.id) if isinstance(owner, ast.Name) else _service(owner)
            if service:
                operations.add(f"{service}.{_operation(service, node.func.attr)}")
    return operations


def _service(node: ast.expr) -> str | None:
    """Return the service of an expression `clients.<service>()`."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "clients"
    ):
        return node.func.attr.removesuffix("_copies")
    return None


def _operation(service: str, method: str) -> str:
    operation: str = client_of(service).meta.method_to_api_mapping[method]
    return operation
