"""Benchmark renditions against sharp, in turns: ``python -m tests.performance.renditions``."""

import argparse
import io
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from rich.table import Table

from image_converter import renditions
from image_converter.renditions import Rendition
from scripts.lib.paths import BUILD, REPOSITORY
from scripts.lib.terminal import Console
from tests.performance import engines, measure, photographs

FOLDER = BUILD / "bench"
_QUALITIES = range(30, 76)  # of sharp's AVIFs, tried for as many bytes as ours have


def _webp(width: int) -> dict[str, Any]:
    return {"name": f"webp-{width}", "format": "webp", "max_width": width}


def _jpeg(width: int) -> dict[str, Any]:
    return {"name": f"jpeg-{width}", "format": "jpeg", "max_width": width}


_PNG = {"name": "png", "format": "png"}


@dataclass
class Job:
    """Renditions of one photograph, and the share of sharp's time that they may take.

    Attributes:
        own_ms, sharp_ms: processor milliseconds, a figure for each round.
        quality: sharp's, if it differs from our own.
    """

    name: str
    goal: float
    entries: list[dict[str, Any]]
    own_ms: list[float] = field(default_factory=list)
    sharp_ms: list[float] = field(default_factory=list)
    quality: int | None = None

    @property
    def wanted(self) -> tuple[Rendition, ...]:
        """The renditions."""
        return renditions.parse(json.dumps(self.entries))


def _jobs() -> list[Job]:
    avif = {"name": "avif", "format": "avif", "max_width": 1280}
    return [
        Job("PNG + WebP 1280 + WebP 320", 0.45, [_PNG, _webp(1280), _webp(320)]),
        Job("WebP 1280 + WebP 320", 1.0, [_webp(1280), _webp(320)]),
        Job("JPEG 1280 + JPEG 320", 1.0, [_jpeg(1280), _jpeg(320)]),
        Job("AVIF 1280 at equal bytes", 0.9, [avif]),
    ]


class Engine:
    """A running worker, ours or sharp's: both have one protocol."""

    def __init__(self, name: str, *command: str) -> None:
        """Start it."""
        self.name = name
        self._process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            env=measure.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, jpeg: Path, job: Job, quality: int | None = None) -> tuple[float, list[bytes]]:
        """Return processor milliseconds, with those of child processes, and the files."""
        outputs = [
            {
                "file": str(FOLDER / f"{self.name}-{rendition.name}"),
                "format": rendition.format,
                "options": {"quality": quality or rendition.quality} if rendition.quality else {},
                "width": rendition.max_width or 0,
            }
            for rendition in job.wanted
        ]
        assert self._process.stdin and self._process.stdout  # noqa: PT018 - both are pipes
        self._process.stdin.write(f"{json.dumps({'jpeg': str(jpeg), 'outputs': outputs})}\n")
        self._process.stdin.flush()
        milliseconds = float(self._process.stdout.readline())
        return milliseconds, [Path(str(output["file"])).read_bytes() for output in outputs]

    def close(self) -> None:
        """End it."""
        with suppress(OSError):
            self._process.communicate(timeout=60)


def _psnr(encoded: bytes, full: Image.Image) -> float:
    """Return how near a rendition is to a full decode and Lanczos."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    exact = full.resize(image.size, Image.Resampling.LANCZOS)
    difference = np.asarray(image, dtype=float) - np.asarray(exact, dtype=float)
    return float(10 * np.log10(255**2 / np.mean(difference**2)))


def _match_bytes(own: Engine, sharp: Engine, jpeg: Path, job: Job) -> None:
    """Choose sharp's quality for as many bytes as ours; bytes grow with it."""
    (own_file,) = own.run(jpeg, job)[1]
    low, high = _QUALITIES[0], _QUALITIES[-1]
    while low < high:
        job.quality = (low + high) // 2
        (sharp_file,) = sharp.run(jpeg, job, job.quality)[1]
        low, high = (
            (job.quality + 1, high) if len(sharp_file) < len(own_file) else (low, job.quality)
        )
    job.quality = low


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.performance.renditions")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count (default 5)")
    options = parser.parse_args(arguments)
    console = Console()
    problem = engines.install_sharp(FOLDER / "sharp")
    if problem:
        console.print(f"There is no sharp to compare with: {problem}", markup=False)
        return 1
    pictures, _ = photographs.make(FOLDER / "images")
    jpeg = next(picture.path for picture in pictures if picture.path.name == "photo-12.jpg")
    full = Image.open(jpeg).convert("RGB")
    table = Table(title="Renditions of a 12 MP photograph", title_justify="left")
    for heading in ("job", "ours, ms", "sharp, ms", "share", "goal", "", "ours", "sharp"):
        table.add_column(heading)
    own = Engine("own", sys.executable, "-m", "tests.performance.renditions_worker")
    script = Path(__file__).with_name("sharp_renditions.js")
    sharp = Engine("sharp", "node", str(script), str(FOLDER / "sharp"))
    for job in _jobs():
        if job.entries[0]["format"] == "avif":
            _match_bytes(own, sharp, jpeg, job)
        own.run(jpeg, job)
        sharp.run(jpeg, job, job.quality)
        all_files: list[list[bytes]] = []
        for _ in range(options.rounds):
            own_ms, own_files = own.run(jpeg, job)
            sharp_ms, sharp_files = sharp.run(jpeg, job, job.quality)
            job.own_ms.append(own_ms)
            job.sharp_ms.append(sharp_ms)
            all_files = [own_files, sharp_files]
        share = statistics.median(job.own_ms) / statistics.median(job.sharp_ms)
        table.add_row(
            job.name,
            f"{statistics.median(job.own_ms):.0f}",
            f"{statistics.median(job.sharp_ms):.0f}",
            f"{share:.2f}",
            f"{job.goal:.2f}",
            "✓" if share <= job.goal else "✗",
            *(_described(job, files, full) for files in all_files),
        )
    own.close()
    sharp.close()
    console.width = max(console.width, 120)
    console.print(table)
    return 0


def _described(job: Job, files: list[bytes], full: Image.Image) -> str:
    return ", ".join(
        f"{len(content) / 1000:.0f} KB"
        + ("" if rendition.format == "png" else f" {_psnr(content, full):.1f} dB")
        for rendition, content in zip(job.wanted, files, strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
