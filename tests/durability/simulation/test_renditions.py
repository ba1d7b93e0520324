"""Every interleaving of a stack with two renditions, whose settings change between attempts."""

import json
from collections.abc import Iterator
from operator import attrgetter

import pytest

from image_converter import renditions
from tests.durability.simulation.explore import SEED, KeepsPromise, explore
from tests.durability.simulation.machine import Machine, definition
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.scenarios import RED, TWO_UPLOADS, Scenario
from tests.durability.simulation.system import Plan, State, System

LIMIT = 6_000

WIDTH, WIDTH_OF_RETRIES = 3, 5
ONE_UPLOAD = Scenario("one upload", (Plan("a.jpg", RED),))


class _System(System):
    """A pipeline whose one fault meets ResizeImage, so that settings change in its midst."""

    def _faults(self, state: State, function: str) -> tuple[str, ...]:
        return super()._faults(state, function) if function == "resize_image" else ()


def _settings(width: int) -> dict[str, str]:
    png, small = {"name": "png", "format": "png"}, {"name": "small", "format": "jpeg"}
    wanted = [png, {**small, "max_width": width}]
    return {"RENDITIONS": json.dumps(wanted), "MAX_IMAGE_PIXELS": "10000000"}


@pytest.fixture
def changing() -> Iterator[Handlers]:
    """Handlers that find other settings at every attempt after the first."""
    handlers = Handlers(settings=_settings(WIDTH), settings_of_retries=_settings(WIDTH_OF_RETRIES))
    with handlers.installed():
        yield handlers


def _stale(handlers: Handlers) -> list[str]:
    """Return each rendition that an attempt has reported and that is not of its own settings."""
    reported = [
        (rendition["width"], node.is_retry)
        for node in handlers.nodes
        if node.function == "resize_image" and node.result
        for rendition in json.loads(node.result)["renditions"]
    ]
    assert {repeated for _, repeated in reported} == {False, True}
    return [
        f"{width} pixels wide, {'again' if repeated else 'at first'}"
        for width, repeated in reported
        if width != (WIDTH_OF_RETRIES if repeated else WIDTH)
    ]


@pytest.mark.parametrize("scenario", [ONE_UPLOAD, TWO_UPLOADS], ids=attrgetter("name"))
def test_two_renditions_whose_settings_change(
    changing: Handlers, scenario: Scenario, keeps_promise: KeepsPromise
) -> None:
    system = _System(changing, Machine(changing, definition()))
    start = scenario.start(faults=1, deliveries=1)
    keeps_promise(f"{scenario.name}, two renditions", system, start, LIMIT)
    assert not _stale(changing)


def test_an_old_rendition_would_be_reported_without_the_hash_of_its_settings(
    changing: Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    same = property(lambda _: {"rendition-settings": "same"})
    monkeypatch.setattr(renditions.Rendition, "settings_metadata", same)
    system = _System(changing, Machine(changing, definition()))
    explore(system, ONE_UPLOAD.start(faults=1, deliveries=1), LIMIT, SEED)
    assert _stale(changing)
