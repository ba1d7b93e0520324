"""A function refuses to work with another layer than the one that its code was built with."""

import importlib
import json
import sys
from types import ModuleType
from typing import Any

import pytest

from image_converter import built_with, clients, errors, layer, settings
from scripts.lib.paths import REPOSITORY
from tests.support.asl import rendering

CODE, NEWER = "1111111111111111", "2222222222222222"
HANDLERS = REPOSITORY / "lambda_src" / "image_converter" / "handlers"
FUNCTIONS = sorted(path.stem for path in HANDLERS.glob("[a-z]*.py"))
UPLOAD = "upload"


@pytest.fixture(autouse=True)
def _the_layer_is_newer_than_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built_with, "LAYER", CODE)
    _use_layer(monkeypatch, NEWER)


@pytest.fixture(autouse=True)
def _nothing_else_may_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a setting is read before the check, nor a service called."""
    for name in ("s3", "s3_copies", "dynamodb", "events", "stepfunctions"):
        monkeypatch.setattr(clients, name, lambda: pytest.fail("a service is called"))
    monkeypatch.setattr(settings, "load", lambda *_: pytest.fail("a setting is read"))


def _use_layer(monkeypatch: pytest.MonkeyPatch, stamp: str | None) -> None:
    """Put a layer with that stamp on Python's path, or one without a stamp."""
    module = ModuleType(layer.MODULE)
    if stamp:
        vars(module)["STAMP"] = stamp
    monkeypatch.setitem(sys.modules, layer.MODULE, module if stamp else None)


def _invoke(function: str) -> Any:
    module = importlib.import_module(f"image_converter.handlers.{function}")
    return module.handler({}, None)


@pytest.mark.parametrize("function", [name for name in FUNCTIONS if name != UPLOAD])
def test_every_function_refuses_before_it_does_anything(function: str) -> None:
    with pytest.raises(errors.LayerMismatch, match=f"{CODE}.*{NEWER}"):
        _invoke(function)


def test_an_upload_is_answered_with_503_and_when_to_try_again() -> None:
    answer = _invoke(UPLOAD)

    assert answer["statusCode"] == 503
    assert int(answer["headers"]["retry-after"]) > 0
    assert "again" in json.loads(answer["body"])["message"]


def test_a_layer_without_a_stamp_is_another_one(monkeypatch: pytest.MonkeyPatch) -> None:
    _use_layer(monkeypatch, None)

    with pytest.raises(errors.LayerMismatch):
        layer.check()


def test_the_layer_of_the_same_build_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    _use_layer(monkeypatch, CODE)

    layer.check()


def test_sources_that_were_not_built_need_no_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built_with, "LAYER", None)

    layer.check()


def test_the_state_machine_retries_it() -> None:
    assert errors.LayerMismatch.__name__ not in rendering.PERMANENT_ERRORS
