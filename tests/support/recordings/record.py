"""Record the histories in `histories/aws`, by really running the state machine and its functions.

    RECORD=1 make test-fast PYTEST_ARGS=tests/scripts/lib/executions/test_recordings.py

The interpreter is moto's, whose events have AWS's shape; retries do not wait there. Those in
`histories/local` come from the local AWS (see `record_local`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from time import sleep
from typing import Any

from PIL import Image

from scripts.lib.functions import TASKS
from tests.support import images
from tests.support.asl import interpreter, rendering
from tests.support.asl.interpreter import Function
from tests.support.fake_cloud import Cloud

HISTORIES = Path(__file__).parent / "histories"


@dataclass(frozen=True)
class Scenario:
    """One execution to record.

    Attributes:
        key, body: the object that is uploaded.
        faults: by function, what its first calls do instead of their work.
        values: values of the definition that differ from the usual ones.
    """

    key: str
    body: bytes
    faults: dict[str, list[Exception | float]] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)


def jpeg(width: int = 640, height: int = 427) -> bytes:
    """Return a JPEG with soft shades."""
    shade = Image.radial_gradient("L").resize((width, height))
    image = Image.merge("RGB", (shade, shade.rotate(180), shade.point(lambda value: 255 - value)))
    return images.saved(image, "JPEG", quality=85)


def scenarios() -> dict[str, Scenario]:
    """Return what is recorded, by name."""
    photograph = jpeg()
    reset = ConnectionResetError("Connection was reset by peer")
    return {
        "succeeded": Scenario("holiday/beach.jpg", photograph),
        "retried": Scenario("holiday/dunes.jpg", photograph, {"resize_image": [reset]}),
        "damaged": Scenario("holiday/half.jpg", photograph[: len(photograph) // 2]),
        "not-a-jpeg": Scenario("notes.txt", b"no image at all\n"),
        "timed-out": Scenario(
            "holiday/slow.jpg",
            photograph,
            {"resize_image": [3.0, 3.0]},
            {"resize_image_timeout": 1, "retry_max_attempts": 1},
        ),
        "no-record": Scenario("holiday/dawn.jpg", photograph, {"write_to_dynamodb": [reset] * 3}),
    }


def run(cloud: Cloud, scenario: Scenario) -> dict[str, Any]:
    """Run one execution to its end and return its history with the definition that ran."""
    definition = rendering.rendered("image-converter", **scenario.values)
    functions = {
        rendering.function_arn(name): _faulty(name, scenario.faults.get(name, [])) for name in TASKS
    }
    record = cloud.upload(scenario.key, scenario.body)
    result = interpreter.run(definition, record, functions)
    return {
        "executionArn": "arn:aws:states:us-east-1:123456789012:execution:image-converter:"
        f"{Path(scenario.key).stem}-recorded",
        "definition": json.loads(definition),
        "events": result.events,
    }


def save(folder: str, name: str, recorded: dict[str, Any]) -> None:
    """Write one recording."""
    target = HISTORIES / folder / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(recorded, indent=1, default=lambda value: value.isoformat())
    # Stack traces name folders of the machine it ran on; on AWS it is this one.
    text = re.sub(r'/[^" ]*?/(?=image_converter/|tests/|botocore/|PIL/)', "/var/task/", text)
    target.write_text(f"{text}\n", encoding="utf-8")


def load(folder: str, name: str) -> dict[str, Any]:
    """Return one recording."""
    recorded: dict[str, Any] = json.loads((HISTORIES / folder / f"{name}.json").read_text("utf-8"))
    return recorded


def _faulty(name: str, faults: list[Exception | float]) -> Function:
    """Return the function with faults in its first calls: an exception, or seconds it is late."""
    left: Iterator[Exception | float] = iter(faults)
    handler: Function = import_module(f"image_converter.handlers.{name}").handler

    def function(event: Any, context: Any) -> Any:
        fault = next(left, None)
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            sleep(fault)  # a function that hangs is what is recorded
        return handler(event, context)

    return function
