"""Every interleaving of uploads with a backfill or a reprocess.

Their messages are late, come twice, and have neither order nor sequencers. A reprocess has other
settings than the uploads of the scenario, whose executions began before the settings changed.
"""

import json
from collections.abc import Iterator
from operator import attrgetter
from typing import Any, get_args

import pytest

from image_converter import destination, renditions, sources
from image_converter.compression import Compression
from image_converter.events import Record
from image_converter.sources import Source
from tests.durability.simulation import storage
from tests.durability.simulation.explore import SEED, KeepsPromise, explore
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.scenarios import BLUE, RED, TEXT, Scenario
from tests.durability.simulation.simulated import pipeline, written_twice
from tests.durability.simulation.storage import DESTINATION, SOURCE, Storage
from tests.durability.simulation.system import Plan, State, System, is_at_rest, violations

LIMIT = 3_000

PNG = {"name": "png", "format": "png"}
NEW_RENDITION = {
    "RENDITIONS": json.dumps([PNG, {"name": "small", "format": "jpeg", "max_width": 3}]),
    "MAX_IMAGE_PIXELS": "10000000",
}
NEW_COMPRESSION = {"PNG_COMPRESSION": "smallest"}
WITH_SMALL = renditions.settings_hash(renditions.parse(NEW_RENDITION["RENDITIONS"]))
BY_COMPRESSION = {
    compression: renditions.settings_hash(renditions.parse("", compression))
    for compression in get_args(Compression)
}

# Without sequencers, only S3's times show which of two uploads is newer.
SECONDS = Storage(seconds_pass=True)

LISTED = Plan("a.jpg", backfill="listed")
BY_VERSION = Plan("a.jpg", backfill="version")
REPROCESS = Plan("a.jpg", backfill="reprocess")
FIRST = Plan("a.jpg", RED)
SECOND = Plan("a.jpg", BLUE)
EXISTING = Plan("a.jpg", RED, unnoticed=True)

BACKFILLS = (
    Scenario("an upload that is listed as well", (FIRST, LISTED), SECONDS),
    Scenario("an image that was there before the pipeline", (EXISTING, LISTED), SECONDS),
    Scenario("two backfills of it", (EXISTING, LISTED, BY_VERSION), SECONDS),
    Scenario("a backfill, then an upload", (EXISTING, BY_VERSION, SECOND), SECONDS),
    Scenario("a backfill between two uploads", (FIRST, LISTED, SECOND), SECONDS),
    Scenario("a manifest between two uploads", (FIRST, BY_VERSION, SECOND), SECONDS),
    Scenario("a backfill after two uploads", (FIRST, SECOND, LISTED), SECONDS),
    Scenario("a listed image that is deleted", (FIRST, LISTED, Plan("a.jpg")), SECONDS),
    Scenario("a listed image that is reprocessed", (EXISTING, BY_VERSION, REPROCESS), SECONDS),
    Scenario("a listed text", (Plan("a.jpg", TEXT), LISTED), SECONDS),
    Scenario(
        "a backfill between two uploads, versioning suspended",
        (FIRST, LISTED, SECOND),
        SECONDS._replace(versioning="Suspended"),
    ),
    Scenario(
        "an upload that is listed as well, never versioned",
        (FIRST, LISTED),
        SECONDS._replace(versioning=""),
    ),
)

# After an upload that has been converted with the old settings.
REPROCESSES = (
    Scenario("a reprocess", (REPROCESS,), SECONDS),
    Scenario("a reprocess twice", (REPROCESS, REPROCESS), SECONDS),
    Scenario("a reprocess, then an upload", (REPROCESS, SECOND), SECONDS),
    Scenario("an upload, then a reprocess", (SECOND, REPROCESS), SECONDS),
    Scenario("a reprocess next to a backfill", (REPROCESS, SECOND, LISTED), SECONDS),
    Scenario(
        "a reprocess, then an upload, versioning suspended",
        (REPROCESS, SECOND),
        SECONDS._replace(versioning="Suspended"),
    ),
)


@pytest.fixture(scope="module")
def adding() -> Iterator[System]:
    """A pipeline whose reprocesses make a further rendition."""
    with pipeline(Handlers(settings_of_reprocesses=NEW_RENDITION)) as system:
        yield system


@pytest.fixture(scope="module")
def replacing() -> Iterator[System]:
    """A pipeline whose reprocesses make the PNG again."""
    with pipeline(Handlers(settings_of_reprocesses=NEW_COMPRESSION)) as system:
        yield system


def _start(system: System, scenario: Scenario, *, faults: int = 0) -> State:
    """Return the state after an upload that was converted, before what the scenario plans."""
    state = scenario.start(faults=0, deliveries=2)._replace(plans=(FIRST,))
    while not is_at_rest(steps := system.steps(state)):
        state = next(step for step in steps if step.needed).after()
    return state._replace(plans=scenario.plans, faults=faults)


def _broken(state: State) -> list[str]:
    # Nothing is made twice from the same version with the same settings.
    again = written_twice(state, lambda metadata: tuple(metadata.items()))
    return [*violations(state), *again, *_untrue_settings(state)]


def _untrue_settings(state: State) -> list[str]:
    """Return a sentence for each record whose renditions have other settings than it says."""
    sentences = []
    for name, item in state.storage.items:
        resized = storage.plain_item(item)["images"][1]["resized"]
        history = state.storage.history(DESTINATION, resized["key"])
        png = next(
            dict(version.metadata) for version in history if version.id == resized["versionId"]
        )
        settings = (
            WITH_SMALL if resized.get("renditions") else BY_COMPRESSION[png["png-compression"]]
        )
        if resized.get("settings", renditions.DEFAULT_SETTINGS) != settings:
            sentences.append(
                f"the record of '{name}' has other renditions than its settings ask for"
            )
    return sentences


def _is_up_to_date(state: State) -> list[str]:
    """Return what is wrong where a reprocess was the last that happened to the image."""
    [(name, item)] = state.storage.items
    record = storage.plain_item(item)
    settings = record["images"][1]["resized"].get("settings")
    return [] if settings == BY_COMPRESSION["smallest"] else [f"'{name}' is still outdated"]


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("faults", [0, 1])
@pytest.mark.parametrize("scenario", BACKFILLS, ids=attrgetter("name"))
def test_a_backfill_at_any_time(
    adding: System, scenario: Scenario, faults: int, keeps_promise: KeepsPromise
) -> None:
    start = scenario.start(faults=faults, deliveries=2)
    keeps_promise(f"{scenario.name}, {faults} faults", adding, start, LIMIT, _broken)


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("faults", [0, 1])
@pytest.mark.parametrize("scenario", REPROCESSES, ids=attrgetter("name"))
def test_a_reprocess_at_any_time(
    adding: System, scenario: Scenario, faults: int, keeps_promise: KeepsPromise
) -> None:
    start = _start(adding, scenario, faults=faults)
    keeps_promise(f"{scenario.name}, {faults} faults", adding, start, LIMIT, _broken)


@pytest.mark.timeout(14_400)
@pytest.mark.parametrize("scenario", REPROCESSES, ids=attrgetter("name"))
def test_a_reprocess_that_replaces_the_png(
    replacing: System, scenario: Scenario, keeps_promise: KeepsPromise
) -> None:
    start = _start(replacing, scenario)
    keeps_promise(f"{scenario.name}, replacing", replacing, start, LIMIT, _broken)


@pytest.mark.parametrize("scenario", REPROCESSES[:2], ids=attrgetter("name"))
def test_a_reprocess_brings_the_record_up_to_date(replacing: System, scenario: Scenario) -> None:
    start = _start(replacing, scenario)
    report = explore(replacing, start, judge=lambda state: _is_up_to_date(state) + _broken(state))
    assert report.complete, report.broken


def test_a_backfill_breaks_the_promise_without_the_names_of_uploads() -> None:
    with pipeline(Handlers({"start_execution": ("name",)})) as system:
        start = BACKFILLS[0].start(faults=0, deliveries=2)
        report = explore(system, start, LIMIT, SEED, judge=_broken)
    assert "several executions of a.jpg version" in report.broken[0]


# What must not be left out of the calls of a reprocess that meets a newer upload.
PARAMETERS = {
    "write renditions on a condition": {"put_object": ("IfMatch", "IfNoneMatch")},
    "write the record on a condition": {"put_item": ("ConditionExpression",)},
    "read the version of the copy that the record names": {"get_object": ("VersionId", "IfMatch")},
}


@pytest.mark.parametrize("without", PARAMETERS.values(), ids=PARAMETERS)
def test_a_reprocess_breaks_the_promise_without(without: dict[str, tuple[str, ...]]) -> None:
    assert _broken_by_a_reprocess(Handlers(without, settings_of_reprocesses=NEW_COMPRESSION))


_find_source, _already_written = sources._source, destination.already_written


def _of_the_copy_itself(record: Record, answer: Any) -> Source:
    """Return the copy as if it were the upload, with its own version and time."""
    return _find_source(record._replace(copy=None, bucket=SOURCE), answer)


def _whatever_its_settings(place: Any, slot: Any, source: Source, _: Any) -> Any:
    return _already_written(place, slot, source, {})


BROKEN_FUNCTIONS: dict[str, tuple[str, Any]] = {
    "the order in the destination bucket": ("destination._may_replace", lambda *_: True),
    "the version that the copy was made from": ("sources._source", _of_the_copy_itself),
    "a look at the settings": ("destination.already_written", _whatever_its_settings),
}


@pytest.mark.parametrize("broken", BROKEN_FUNCTIONS.values(), ids=BROKEN_FUNCTIONS)
def test_a_reprocess_breaks_the_promise_without_this(
    broken: tuple[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    function, substitute = broken
    monkeypatch.setattr(f"image_converter.{function}", substitute)
    assert _broken_by_a_reprocess(Handlers(settings_of_reprocesses=NEW_COMPRESSION))


def _broken_by_a_reprocess(handlers: Handlers) -> list[str]:
    """Return how the promise is broken by a reprocess, alone or when a newer upload meets it."""
    broken = []
    with pipeline(handlers) as system:
        for scenario in REPROCESSES[:3]:
            broken += explore(system, _start(system, scenario), judge=_broken).broken
    return broken
