"""Benchmark the conversion against other engines: ``python -m tests.performance``."""

import argparse
import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.table import Table

from scripts.lib.paths import BUILD, REPOSITORY
from scripts.lib.terminal import Console
from tests.performance import engines as known
from tests.performance import growth, measure, photographs
from tests.performance.engines import Engine
from tests.performance.measure import Results
from tests.performance.photographs import Picture
from tests.support import machine

FOLDER = BUILD / "bench"
OURS = "image-converter"
YARDSTICK = "pillow"

# What is to be reached, as a ratio of processor time: (peer, at least so many times ours).
GOALS = (
    ("imagemagick", 25.0),
    ("pillow", 18.0),
    ("sharp", 3.3),
    ("sharp-fastest", 1.0),
    ("libvips-fastest", 1.0),
)
# By size in megapixels: how many times the time of decoding and encoding alone ours may be.
LIMIT, SIZE_GOALS = "simplejpeg+fpng", {"0.3": 2.2, "1": 1.6, "2": 1.6, "12": 1.6, "24": 1.6}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, write results.json and the chart."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count (default 3)")
    options = parser.parse_args(arguments)
    console = Console()
    console.width = max(console.width, 120)  # or a file would get tables of 80 columns
    FOLDER.mkdir(parents=True, exist_ok=True)
    with console.status("Installing the peers") as status:
        engines, missing = known.available(FOLDER / "sharp")
        pictures, origin = photographs.make(FOLDER / "images")
        results = measure.in_turns(engines, pictures, options.rounds, FOLDER, status.update)
        status.update("Measuring memory")
        largest = max(pictures, key=lambda picture: picture.megapixels)
        peaks = {engine.name: measure.peak_rss_mb(engine, largest, FOLDER) for engine in engines}
        status.update("Making images of up to 100 megapixels")
        patches = photographs.make_growing(FOLDER / "images")
        steps = growth.measure_growth(patches, options.rounds, FOLDER, status.update)
    photos = [picture for picture in pictures if picture.photograph]
    facts = {
        "machine": f"{platform.machine()}, {machine.processor()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in ("Pillow", "isal")},
        "photographs": origin,
        "rounds": options.rounds,
    }
    report = {
        "engines": summarise(engines, photos, results, peaks),
        "sizes": each_size(engines, pictures, results),
        "growth": [asdict(step) for step in steps],
        "facts": facts,
        "missing": missing,
    }
    (FOLDER / "results.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    _show(console, engines, report)
    console.print(growth.table(steps))
    _draw(console)
    return 0


def summarise(
    engines: list[Engine], photos: list[Picture], results: Results, peaks: dict[str, float]
) -> dict[str, dict[str, float]]:
    """Return the figures of each engine over the photographs."""
    reference = measure.size(results[YARDSTICK], photos)
    return {
        engine.name: {
            "cpu_ms_per_mp": round(measure.per_megapixel(results[engine.name], photos), 2),
            "size_ratio": round(measure.size(results[engine.name], photos) / reference, 3),
            "peak_rss_mb": round(peaks[engine.name], 1),
        }
        for engine in engines
    }


def each_size(
    engines: list[Engine], pictures: list[Picture], results: Results
) -> dict[str, dict[str, float]]:
    """Return the processor milliseconds per megapixel of each engine, by group of images."""
    groups: dict[str, list[Picture]] = {}
    for picture in pictures:
        groups.setdefault(picture.group, []).append(picture)
    return {
        group: {
            engine.name: round(measure.per_megapixel(results[engine.name], same), 2)
            for engine in engines
        }
        for group, same in groups.items()
    }


def _show(console: Console, engines: list[Engine], report: dict[str, Any]) -> None:
    _show_engines(console, engines, report["engines"])
    _show_times(console, engines, report["sizes"])
    _show_goals(console, report)
    for name, why in report["missing"].items():
        console.print(f"  Missing: {name}, {why}")
    facts = report["facts"]
    console.print(
        f"Photographs: {facts['photographs']}. {facts['machine']}, Python {facts['python']}."
    )


def _show_engines(
    console: Console, engines: list[Engine], figures: dict[str, dict[str, float]]
) -> None:
    own_cost = figures[OURS]["cpu_ms_per_mp"]
    table = Table(title="JPEG to PNG, full size, over the photographs", title_justify="left")
    for heading in ("engine", "ms/MP", "times ours", "size", "MB at 24 MP", "setting"):
        table.add_column(heading, justify="left" if heading in ("engine", "setting") else "right")
    for engine in sorted(engines, key=lambda candidate: figures[candidate.name]["cpu_ms_per_mp"]):
        row = figures[engine.name]
        table.add_row(
            engine.name,
            f"{row['cpu_ms_per_mp']:.1f}",
            f"{row['cpu_ms_per_mp'] / own_cost:.2f}",
            f"{row['size_ratio']:.3f}",
            f"{row['peak_rss_mb']:.0f}",
            engine.about,
        )
    console.print(table)


def _show_times(console: Console, engines: list[Engine], rows: dict[str, dict[str, float]]) -> None:
    table = Table(title="Processor ms per megapixel", title_justify="left")
    table.add_column("photographs of so many megapixels")
    for engine in engines:
        table.add_column(engine.name, justify="right")
    for name, figures in rows.items():
        table.add_row(name, *(f"{figures[engine.name]:.1f}" for engine in engines))
    console.print(table)


def _show_goals(console: Console, report: dict[str, Any]) -> None:
    for peer, least in GOALS:
        if peer in report["engines"]:
            times = (
                report["engines"][peer]["cpu_ms_per_mp"] / report["engines"][OURS]["cpu_ms_per_mp"]
            )
            mark = "✓" if times >= least else "✗"
            console.print(f"  {mark} {peer} takes {times:.2f} times as long (goal: {least:.1f})")
    for size, most in SIZE_GOALS.items():
        figures = report["sizes"][size]
        if LIMIT in figures:
            times = figures[OURS] / figures[LIMIT]
            console.print(
                f"  {'✓' if times <= most else '✗'} {times:.2f} times the time of {LIMIT} at {size}"
                f" megapixels (goal: at most {most:.1f})"
            )


def _draw(console: Console) -> None:
    python = REPOSITORY / ".venv" / "bench" / "bin" / "python"
    chart = Path(__file__).with_name("chart.py")
    subprocess.run([python, chart, FOLDER / "results.json", FOLDER], check=True)
    console.print("Written: results.json, engines.svg and growth.svg in build/bench")


if __name__ == "__main__":
    sys.exit(main())
