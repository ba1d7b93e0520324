"""Runs the engines in turns, so that a slow moment of the machine meets all of them."""

import json
import os
import statistics
import subprocess
from collections.abc import Callable, Iterable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from scripts.lib.paths import REPOSITORY
from tests.performance.engines import Engine
from tests.performance.photographs import Picture


@dataclass(frozen=True)
class Answer:
    """What a worker reports about a conversion.

    Attributes:
        cpu_ms: processor milliseconds of it.
        peak_mb: the process's peak memory so far, in 10^6 bytes.
        wall_ms: milliseconds on the clock, from a worker in Python.
        png_bytes: size of the PNG.
    """

    cpu_ms: float
    peak_mb: float
    wall_ms: float = 0.0
    png_bytes: int = 0


# By engine and by the picture's file name: an answer for each round.
Results = dict[str, dict[str, list[Answer]]]


class Worker:
    """A running worker of an engine."""

    def __init__(self, engine: Engine) -> None:
        """Start it."""
        self.name = engine.name
        self._process = subprocess.Popen(
            engine.command,
            cwd=REPOSITORY,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End it."""
        _pipe(self._process.stdin).close()
        self._process.wait(timeout=60)

    def convert(self, jpeg: Path, png: Path) -> Answer:
        """Convert a file; return what it took."""
        png.unlink(missing_ok=True)  # to empty another engine's, or a larger one, takes time
        requests = _pipe(self._process.stdin)
        requests.write(f"{jpeg}\t{png}\n")
        requests.flush()
        answer = _pipe(self._process.stdout).readline()
        if not answer:
            raise RuntimeError(f"the engine {self.name} ended at {jpeg.name}")
        return Answer(**json.loads(answer), png_bytes=png.stat().st_size)


def in_turns(
    engines: list[Engine],
    pictures: list[Picture],
    rounds: int,
    scratch: Path,
    report: Callable[[str], None],
) -> Results:
    """Convert every picture with every engine, in rounds, after one that does not count.

    Args:
        engines: all that take part.
        pictures: what they convert.
        rounds: how many count.
        scratch: a folder for the PNGs.
        report: called with what is being measured.
    """
    results: Results = {
        engine.name: {picture.path.name: [] for picture in pictures} for engine in engines
    }
    with ExitStack() as stack:
        workers = [stack.enter_context(closing(Worker(engine))) for engine in engines]
        for number in range(rounds + 1):
            for picture in pictures:
                report(f"round {number} of {rounds}: {picture.path.name}")
                for worker in workers:
                    answer = worker.convert(picture.path, scratch / "converted.png")
                    if number:
                        results[worker.name][picture.path.name].append(answer)
    return results


def peak_rss_mb(engine: Engine, picture: Picture, scratch: Path) -> float:
    """Return the peak memory, in MB (10^6 bytes), of a new process that converts one picture."""
    with closing(Worker(engine)) as worker:
        return worker.convert(picture.path, scratch / "converted.png").peak_mb


def per_megapixel(answers: dict[str, list[Answer]], pictures: Iterable[Picture]) -> float:
    """Return the processor milliseconds per megapixel over all pictures, medians of the rounds."""
    medians = {
        picture: statistics.median(answer.cpu_ms for answer in answers[picture.path.name])
        for picture in pictures
    }
    return sum(medians.values()) / sum(picture.megapixels for picture in medians)


def size(answers: dict[str, list[Answer]], pictures: Iterable[Picture]) -> int:
    """Return the bytes of the PNGs of all pictures."""
    return sum(answers[picture.path.name][-1].png_bytes for picture in pictures)


def environment() -> dict[str, str]:
    """Return what workers run with."""
    # One thread each: what counts is the work, and Lambda sells the processor by the share. And an
    # allocator that keeps what is freed, for all: without it, the system clears the pages of each
    # image again, a third of the time that some peers take. These are the most that glibc takes.
    return {
        **os.environ,
        "PYTHONPATH": f"{REPOSITORY / 'lambda_src'}:{REPOSITORY}",
        "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
        "MALLOC_TRIM_THRESHOLD_": str(1024**3),
        "VIPS_CONCURRENCY": "1",
        "MAGICK_THREAD_LIMIT": "1",
    }


def _pipe(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise RuntimeError("the worker has no pipe")
    return stream
