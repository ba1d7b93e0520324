"""Measure each hop from an upload to its PNG, on a local AWS: ``make bench-latency``.

Photographs of two megapixels are uploaded one by one, and then all at once. A hop takes as long as
this machine and the local AWS make it; what AWS's own services add is not in it. Processor time,
which is the functions' own, is counted for each image of the first series.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from rich.table import Table

from image_converter import keys
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect
from scripts.lib.executions.model import Execution
from scripts.lib.paths import BUILD, REPOSITORY
from scripts.lib.photographs import jpeg
from scripts.lib.terminal import Console
from tests.support.recordings.record_cost import PHOTOGRAPH, processor_ms, warm_stack

FOLDER: Final = BUILD / "bench" / "latency"
RESULTS: Final = BUILD / "bench" / "latency.json"

TOTAL: Final = "upload to PNG"
TRIGGER: Final = "upload to execution"

# By hop, the milliseconds of each image.
Hops = dict[str, list[float]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print a table and write latency.json."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.performance.latency", description=__doc__
    )
    parser.add_argument("--images", type=int, default=20, help="in each series (default 20)")
    count = parser.parse_args(arguments).images
    console = Console()
    with console.status("Running"), warm_stack(FOLDER) as (aws, clients, stack):
        before = processor_ms(aws.endpoint)
        series = {"one by one": _convert(clients, stack, "one", count, at_once=1)}
        after = processor_ms(aws.endpoint)
        series["at once"] = _convert(clients, stack, "all", count, at_once=count)
    processor = {
        name.removeprefix(f"{stack.name}-"): round((after[name] - before[name]) / count, 1)
        for name in sorted(after)
        if after[name] > before[name]
    }
    console.print(table(series, count))
    total = sum(processor.values())
    parts = ", ".join(f"{name} {ms:g}" for name, ms in processor.items())
    console.print(f"Processor time of the functions, for each image: {total:.1f} ms ({parts})")
    _write({"images": count, "processor_ms": processor, "series": series}, RESULTS)
    console.print(f"Written: {RESULTS.relative_to(REPOSITORY)}")
    return 0


def hops(uploaded: float, execution: Execution) -> dict[str, float]:
    """Return the milliseconds of the hops of an image that was converted, by their names.

    Args:
        uploaded: when its upload was answered, in seconds since 1970.
        execution: what its notification started.
    """
    exits = {visit.state: visit.exited for visit in execution.visits if visit.exited}
    return {
        TRIGGER: (execution.started.timestamp() - uploaded) * 1000,
        **{
            visit.state: (visit.exited - visit.entered).total_seconds() * 1000
            for visit in execution.visits
            if visit.exited
        },
        TOTAL: (exits["ResizeImage"].timestamp() - uploaded) * 1000,
    }


def percentile(values: Sequence[float], part: float) -> float:
    """Return the value that this part of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * part) - 1)]


def table(series: dict[str, Hops], count: int) -> Table:
    """Return both percentiles of every hop, for each series."""
    shown = Table(title=f"{count} photographs of 2 megapixels, in milliseconds")
    shown.add_column("hop")
    for name in series:
        shown.add_column(f"{name}, p50", justify="right")
        shown.add_column("p95", justify="right")
    for hop in next(iter(series.values())):
        cells = [
            f"{percentile(values[hop], part):.0f}"
            for values in series.values()
            for part in (0.5, 0.95)
        ]
        shown.add_row(hop, *cells)
    return shown


def _convert(clients: Clients, stack: Deployment, folder: str, count: int, at_once: int) -> Hops:
    photograph = jpeg(PHOTOGRAPH)
    source = collect.source(clients, stack)

    def convert(number: int) -> tuple[float, Execution]:
        key = f"{folder}/{number}.jpg"
        put = clients.s3.put_object(
            Bucket=stack.source_bucket, Key=key, Body=photograph, ContentType="image/jpeg"
        )
        uploaded = time.time()
        name = keys.execution_name(stack.source_bucket, key, put["VersionId"])
        return uploaded, wait.until(f"{name} to end", lambda: source.ended(name), 120)

    with ThreadPoolExecutor(at_once) as pool:
        images = [hops(*image) for image in pool.map(convert, range(count))]
    return {hop: [image[hop] for image in images] for hop in images[0]}


def _write(report: dict[str, object], file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
