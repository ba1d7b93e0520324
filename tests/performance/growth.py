"""How our time and memory grow with the size of the image, and what a second processor brings."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from tests.performance import engines, measure
from tests.performance.measure import Answer
from tests.performance.photographs import Picture


@dataclass(frozen=True)
class Step:
    """One size of image.

    Attributes:
        megapixels: the size.
        cpu_ms_per_mp: processor milliseconds per megapixel, the median of the rounds.
        mp_per_core_second: megapixels a second and core.
        peak_rss_mb: peak memory of a new process that converts this image alone, in 10^6 bytes.
        wall_ratio_parallel: time on the clock with two threads over that with one.
        cpu_ratio_parallel: processor time with two threads over that with one.
    """

    megapixels: float
    cpu_ms_per_mp: float
    mp_per_core_second: float
    peak_rss_mb: float
    wall_ratio_parallel: float
    cpu_ratio_parallel: float


def measure_growth(
    pictures: list[Picture], rounds: int, scratch: Path, report: Callable[[str], None]
) -> list[Step]:
    """Convert pictures of growing size with our engine, with one thread and with two.

    Args:
        pictures: what is converted.
        rounds: how many count.
        scratch: a folder for the PNGs.
        report: called with what is being measured.
    """
    single, double = engines.growing()
    results = measure.in_turns([single, double], pictures, rounds, scratch, report)
    report("memory, by size")
    return [
        _step(
            picture,
            results[single.name][picture.path.name],
            results[double.name][picture.path.name],
            measure.peak_rss_mb(single, picture, scratch),
        )
        for picture in pictures
    ]


def _step(picture: Picture, single: list[Answer], double: list[Answer], peak: float) -> Step:
    per_megapixel = statistics.median(answer.cpu_ms for answer in single) / picture.megapixels
    pairs = list(zip(single, double, strict=True))
    wall = statistics.median(paired.wall_ms / lone.wall_ms for lone, paired in pairs)
    processor = statistics.median(paired.cpu_ms / lone.cpu_ms for lone, paired in pairs)
    return Step(
        megapixels=round(picture.megapixels, 1),
        cpu_ms_per_mp=round(per_megapixel, 2),
        mp_per_core_second=round(1000 / per_megapixel, 1),
        peak_rss_mb=round(peak, 1),
        wall_ratio_parallel=round(wall, 2),
        cpu_ratio_parallel=round(processor, 2),
    )


def table(steps: list[Step]) -> Table:
    """Return the steps as a table."""
    shown = Table(title="How time and memory grow", title_justify="left")
    headings = ("MP", "ms/MP", "MP/s a core", "peak MB", "two threads: clock", "processor")
    for heading in headings:
        shown.add_column(heading, justify="right")
    for step in steps:
        shown.add_row(
            f"{step.megapixels:.1f}",
            f"{step.cpu_ms_per_mp:.1f}",
            f"{step.mp_per_core_second:.0f}",
            f"{step.peak_rss_mb:.0f}",
            f"{step.wall_ratio_parallel:.2f}",
            f"{step.cpu_ratio_parallel:.2f}",
        )
    return shown
