"""See the package."""

import argparse
import json
import queue
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from rich.progress import Progress

from scripts.lib.terminal import Console, visible
from tests.durability.fuzz import worker

FOLDER = Path("build/fuzz")
SECONDS = 60
_SHOWN = 20


class _Worker:
    """A worker process, and its answers as they come."""

    def __init__(self, seed: int, first: int, last: int) -> None:
        worker = "tests.durability.fuzz.worker"
        command = [sys.executable, "-m", worker, str(seed), str(first), str(last)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.answers: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put(None)

    def next(self) -> tuple[int, str] | None:
        """Return a file's number and outcome; None when there are no more, for whatever reason.

        Raises:
            queue.Empty: it takes too long.
        """
        line = self.answers.get(timeout=SECONDS)
        return None if line is None else (*json.loads(line),)


def _outcomes(seed: int, count: int, progress: Progress) -> list[str]:
    """Have all files judged. A worker that dies or hangs found a failure; another goes on."""
    task = progress.add_task("files", total=count)
    outcomes: list[str] = []
    while len(outcomes) < count:
        running = _Worker(seed, len(outcomes), count)
        reason = "WRONG: the process died"
        try:
            while answer := running.next():
                outcomes.append(answer[1])
                progress.update(task, completed=len(outcomes))
        except queue.Empty:
            reason = f"WRONG: no answer in {SECONDS} s"
            running.process.kill()
        status = running.process.wait()
        if len(outcomes) < count:
            outcomes.append(f"{reason} (status {status})")
    return outcomes


def main() -> int:
    """Fuzz, report, keep what failed; the exit status says whether anything did."""
    parser = argparse.ArgumentParser(prog="python -m tests.durability.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="how many files (%(default)s)")
    parser.add_argument(
        "--seed", type=int, default=time.time_ns() % 10**6, help="drawn if not given"
    )
    options = parser.parse_args()
    console = Console()
    console.print(f"{options.count:,} files, seed {options.seed}")
    with Progress(console=console) as progress:
        outcomes = _outcomes(options.seed, options.count, progress)
    for outcome, number in Counter(outcomes).most_common():
        console.print(f"{number:8,}  {visible(outcome)}", markup=False, highlight=False)
    failed = [index for index, outcome in enumerate(outcomes) if outcome.startswith("WRONG")]
    corpus = worker.files() if failed else []
    FOLDER.mkdir(parents=True, exist_ok=True)
    for index in failed[:_SHOWN]:
        path = FOLDER / f"{options.seed}-{index}.jpg"
        path.write_bytes(worker.mutated(corpus, options.seed, index))
        console.print(f"{path}: {visible(outcomes[index])}", markup=False, highlight=False)
    console.print(f"{options.count - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
