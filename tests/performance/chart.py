"""Draws engines.svg and growth.svg; runs in the benchmark's own environment."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

_TICKS = (10, 20, 50, 100, 200, 500, 1000)  # ms per megapixel; the axis ends with them
_NEAR = 1.15, 0.1  # labels closer than this factor and this difference would cover each other


def main() -> None:
    """Read results.json (first argument), write the pictures into a folder (second)."""
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    mpl.rcParams["svg.hashsalt"] = "image-converter"
    folder = Path(sys.argv[2])
    _engines(results["engines"], folder / "engines.svg")
    _growth(results["growth"], folder / "growth.svg")


def _engines(engines: dict[str, dict[str, float]], path: Path) -> None:
    """Draw time against size, a dot for each engine."""
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    labelled: list[tuple[float, float]] = []
    for name, figures in engines.items():
        is_ours = name.startswith("image-converter")
        point = figures["cpu_ms_per_mp"], figures["size_ratio"]
        below = any(_are_near(point, neighbour) for neighbour in labelled)
        labelled.append(point)
        axes.scatter(*point, s=70, color="#1a7f37" if is_ours else "#57606a", zorder=3)
        axes.annotate(
            name,
            point,
            xytext=(6, -15 if below else 6),
            textcoords="offset points",
            weight="bold" if is_ours else None,
        )
    axes.set_xscale("log")
    axes.set_xlim(_TICKS[0], _TICKS[-1])
    axes.set_xticks(_TICKS, [str(tick) for tick in _TICKS])
    axes.set_xticks([], minor=True)
    axes.set_xlabel("processor milliseconds per megapixel (logarithmic; left is faster)")
    axes.set_ylabel("PNG's size, Pillow's default = 1 (lower is smaller)")
    axes.margins(y=0.12)
    axes.grid(visible=True, color="#d0d7de", linewidth=0.5)
    figure.savefig(path, metadata={"Date": None})


def _growth(steps: list[dict[str, float]], path: Path) -> None:
    """Draw processor time and peak memory over the size of the image."""
    figure, (times, peaks) = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
    sizes = [step["megapixels"] for step in steps]
    seconds = [step["cpu_ms_per_mp"] * step["megapixels"] / 1000 for step in steps]
    times.plot(sizes, seconds, "o-", color="#1a7f37")
    times.set_ylabel("processor seconds")
    peaks.plot(sizes, [step["peak_rss_mb"] for step in steps], "o-", color="#1a7f37")
    peaks.set_ylabel("peak memory, MB")
    for axes in (times, peaks):
        axes.set_xlabel("megapixels")
        axes.set_xlim(left=0)
        axes.set_ylim(bottom=0)
        axes.grid(visible=True, color="#d0d7de", linewidth=0.5)
    figure.savefig(path, metadata={"Date": None})


def _are_near(first: tuple[float, float], second: tuple[float, float]) -> bool:
    factor, difference = _NEAR
    return max(first[0], second[0]) < factor * min(first[0], second[0]) and (
        abs(first[1] - second[1]) < difference
    )


if __name__ == "__main__":
    main()
