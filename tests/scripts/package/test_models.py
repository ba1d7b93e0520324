"""The layer's botocore has every operation that the functions call, and no documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader

from scripts.package import PackageError, models
from tests.support.called_operations import calls_in_the_source


def model(service: str) -> dict[str, Any]:
    model: dict[str, Any] = Loader().load_service_model(service, "service-2")
    return model


def names(value: Any) -> set[str]:
    """Return every name of a key anywhere in JSON."""
    if isinstance(value, dict):
        return {*value, *(name for inner in value.values() for name in names(inner))}
    if isinstance(value, list):
        return {name for inner in value for name in names(inner)}
    return set()


def test_the_operations_of_the_layer_are_those_that_the_functions_call() -> None:
    listed = {
        f"{service}.{name}" for service, operations in models.CALLED.items() for name in operations
    }

    assert listed == calls_in_the_source()


def test_a_reduced_model_refers_to_nothing_that_it_lacks() -> None:
    reduced = models.reduce_model(model("s3"), frozenset({"PutObject"}))

    assert set(reduced["operations"]) == {"PutObject"}
    assert set(models.referred(reduced)) == set(reduced["shapes"])
    assert len(reduced["shapes"]) < len(model("s3")["shapes"]) / 4


def test_what_is_written_for_readers_goes_and_a_member_of_that_name_stays() -> None:
    member = {"members": {"documentation": {"shape": "S", "documentation": "<p>A text"}}}

    assert models.without_documentation([member, {"documentationUrl": "https://x"}]) == [
        {"members": {"documentation": {"shape": "S"}}},
        {},
    ]


def test_the_clients_parameters_keep_what_botocore_reads_of_them() -> None:
    parameters = {"clientContextParams": {"Accelerate": {"documentation": "a text"}}}

    assert models.without_documentation(parameters) == parameters


def test_an_operation_that_botocore_lacks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "CALLED", {"kms": frozenset({"Untold"})})
    service = tmp_path / "kms" / "2014-11-01"
    service.mkdir(parents=True)
    for kind in ("service-2", "endpoint-rule-set-1"):
        (service / f"{kind}.json").write_text(json.dumps(Loader().load_service_model("kms", kind)))

    with pytest.raises(PackageError, match=r"does not know 'Untold' of kms.*make requirements"):
        models.reduce_data(tmp_path)
