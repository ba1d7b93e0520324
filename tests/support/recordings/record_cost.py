"""Record what an execution uses, on a local AWS, for `scripts/cost/recorded.json`.

python -m tests.support.recordings.record_cost

What counts is the processor time of the functions' processes, over many warm calls: how long a call
takes there depends on what else this machine does, and on how busy the local AWS is.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scripts.cost.observation import RECORDED, Observation, observe
from scripts.lib import deployed, functions
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, uploads
from scripts.lib.executions.run import StateTime, times_by_state
from scripts.lib.paths import BUILD
from scripts.lib.photographs import Scene, jpeg
from scripts.local_aws import LocalAws, terraform
from tests.support import machine

FOLDER: Final = BUILD / "cost"

# Two megapixels, as in the question that the cost model answers.
PHOTOGRAPH: Final = Scene("photograph.jpg", (1732, 1155), 17)
_IMAGES: Final = 20
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


def record(folder: Path = FOLDER) -> Observation:
    """Run the pipeline on a local AWS and return what a warm execution used.

    Args:
        folder: where the local AWS and Terraform work.

    Raises:
        LocalAwsError, TerraformError, TimeoutError, UserError: it could not be run.
    """
    photograph = jpeg(PHOTOGRAPH)
    with warm_stack(folder) as (aws, clients, stack):
        before = processor_ms(aws.endpoint)
        arns = [
            uploads.convert(clients, stack, f"{number}.jpg", photograph)
            for number in range(_IMAGES)
        ]
        after = processor_ms(aws.endpoint)
        seen = observe(clients, arns[-1], local=True)
        times = times_by_state(collect.runs(clients, arns))
    took = {name: (after[name] - before[name]) / _IMAGES for name in before}
    calls = (
        dataclasses.replace(call, billed_ms=round(took[_deployed(call.function)], 1))
        for call in seen.calls
    )
    return dataclasses.replace(
        seen,
        where=f"{seen.where} ({machine.processor()}, {os.cpu_count()} cores, shared)",
        whole_processor=True,
        calls=tuple(calls),
        executions=len(arns),
        times=tuple(map(_rounded, times)),
    )


@contextmanager
def warm_stack(folder: Path) -> Iterator[tuple[LocalAws, Clients, Deployment]]:
    """Run a stack on a local AWS, whose functions have converted an image.

    Args:
        folder: where the local AWS and Terraform work.
    """
    with LocalAws(folder / "local-aws") as aws:
        _, clients, deployment = terraform.apply(aws, folder / "stack", tracing=False)
        uploads.convert(clients, deployment, "first.jpg", jpeg(PHOTOGRAPH))
        yield aws, clients, deployment


def _rounded(time: StateTime) -> StateTime:
    return dataclasses.replace(time, ms=round(time.ms, 1))


def processor_ms(endpoint: str) -> dict[str, float]:
    """Return the processor time so far of each function's processes on a local AWS, by its name."""
    seconds: dict[str, float] = defaultdict(float)
    for process in Path("/proc").glob("[0-9]*"):
        try:
            pairs = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended, or is another user's
        environment = dict(pair.partition("=")[::2] for pair in pairs)
        name = environment.get("AWS_LAMBDA_FUNCTION_NAME")
        if name and environment.get("AWS_ENDPOINT_URL") == endpoint:
            ticks = sum(map(int, fields[11:13]))  # utime and stime, proc(5)
            seconds[name] += ticks * 1000 / _TICKS_PER_SECOND
    return seconds


def _deployed(function: str) -> str:
    return f"{deployed.DEFAULT_NAME}-{functions.on_aws(function)}"


def write(seen: Observation, file: Path) -> None:
    """Write an observation as JSON."""
    file.write_text(json.dumps(dataclasses.asdict(seen), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(record(), RECORDED)
