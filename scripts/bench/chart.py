"""Draws time against size, a dot for each engine; runs in the benchmark's own environment."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt


def main() -> None:
    """Read results.json (first argument), write an SVG (second)."""
    results = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    mpl.rcParams["svg.hashsalt"] = "image-converter"
    figure, axes = plt.subplots(figsize=(8, 4.5), layout="constrained")
    for name, figures in results["engines"].items():
        ours = name.startswith("image-converter")
        x, y = figures["cpu_ms_per_mp"], figures["size_ratio"]
        axes.scatter(x, y, s=70, color="#1a7f37" if ours else "#57606a", zorder=3)
        axes.annotate(
            name, (x, y), xytext=(6, 6), textcoords="offset points", weight="bold" if ours else None
        )
    axes.set_xscale("log")
    axes.set_xlabel("processor milliseconds per megapixel (logarithmic; left is faster)")
    axes.set_ylabel("PNG's size, Pillow's default = 1 (lower is smaller)")
    axes.margins(x=0.15, y=0.12)
    axes.grid(visible=True, which="both", color="#d0d7de", linewidth=0.5)
    figure.savefig(sys.argv[2], metadata={"Date": None})


if __name__ == "__main__":
    main()
