"""What touches ministack's private names says so when one of them is not what it was."""

import ast
from pathlib import Path

import pytest

from scripts.local_aws import patches


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "MINISTACK_VERSION", "0.0.1")
    with pytest.raises(ImportError, match=r"written against 0\.0\.1.*make setup"):
        patches._check_names()


STEPFUNCTIONS = "ministack.services.stepfunctions"


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
    monkeypatch.setattr(patches, "PRIVATE_NAMES", {STEPFUNCTIONS: {name: parameters}})
    with pytest.raises(ImportError, match=sentence):
        patches._check_names()


def test_every_private_name_in_use_is_checked() -> None:
    listed = {name for names in patches.PRIVATE_NAMES.values() for name in names}
    modules = {module.rsplit(".", 1)[-1] for module in patches.PRIVATE_NAMES}
    used = {
        node.attr
        for source in Path(str(patches.__file__)).parent.glob("*.py")
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
        and source.stem != "__init__"  # where these are the patches themselves
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
