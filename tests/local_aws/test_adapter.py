"""What touches ministack's private names says so when one of them is not what it was."""

import ast
import inspect

import pytest
from ministack.services import stepfunctions

from scripts.local_aws import ministack_adapter as adapter


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "MINISTACK_VERSION", "0.0.1")
    with pytest.raises(ImportError, match=r"written against 0\.0\.1.*make setup"):
        adapter._check_names()


@pytest.mark.parametrize(
    ("name", "parameters", "sentence"),
    [
        ("_is_no_more", None, "has no _is_no_more any more"),
        ("_start_execution", "data more", r"takes \(data\) now, not \(data more\)"),
    ],
)
def test_changed_name_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, parameters: str | None, sentence: str
) -> None:
    monkeypatch.setattr(adapter, "PRIVATE_NAMES", {stepfunctions: {name: parameters}})
    with pytest.raises(ImportError, match=sentence):
        adapter._check_names()


def test_every_private_name_in_use_is_checked() -> None:
    listed = {name for names in adapter.PRIVATE_NAMES.values() for name in names}
    modules = {module.__name__.rsplit(".", 1)[-1] for module in adapter.PRIVATE_NAMES}
    used = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(adapter)))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
    }
    assert used <= listed
    by_name = {f"_execute_{kind}" for kind in ("choice", "map", "parallel", "pass", "task", "wait")}
    by_name |= {
        f"_{operation}"
        for operation in (
            "describe_execution",
            "describe_state_machine_for_execution",
            "get_execution_history",
        )
    }
    assert listed - by_name == used  # nothing is listed that nobody uses
