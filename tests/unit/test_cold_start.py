"""The start of each function, in processes of their own: it sets Python's garbage collector."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from scripts.lib.functions import FUNCTIONS

PROBE = """
import gc, importlib, json, sys
collections = []
gc.callbacks.append(lambda phase, about: collections.append(phase))
importlib.import_module(f"image_converter.handlers.{sys.argv[1]}")
during = collections.count("start")
enabled, kept = gc.isenabled(), gc.get_freeze_count()
class Cycle: pass
cycle = Cycle()
cycle.itself = cycle
del cycle
print(json.dumps({
    "collections": during, "enabled": enabled, "kept": kept, "found later": gc.collect() > 0,
}))
"""


def started(function: str, **environment: str) -> dict[str, Any]:
    """Return what the collector did while a process of its own imported a function."""
    outside = {name: value for name, value in os.environ.items() if name != "LAMBDA_TASK_ROOT"}
    ran = subprocess.run(
        [sys.executable, "-c", PROBE, function],
        env={
            **outside,
            "AWS_DEFAULT_REGION": "us-east-1",
            "PYTHONPATH": os.pathsep.join(sys.path),
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    report: dict[str, Any] = json.loads(ran.stdout)
    return report


@pytest.mark.parametrize("function", FUNCTIONS)
def test_on_lambda_the_collector_rests_while_a_function_starts_and_works_after(
    function: str,
) -> None:
    report = started(function, LAMBDA_TASK_ROOT="/var/task")
    assert report["enabled"]
    assert report["found later"]
    assert report["collections"] < 3  # a hundred, where it does not rest
    assert report["kept"] > 10_000


def test_elsewhere_the_collector_is_left_alone() -> None:
    report = started("get_file_type")
    assert report["enabled"]
    assert report["kept"] == 0
    assert report["collections"] > 10
