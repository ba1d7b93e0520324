"""Kill parts of a local AWS: functions' processes now and then, or all of it."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scripts.lib import wait


@contextmanager
def functions(
    keeper: int, seed: int, spared: str = "", seconds: tuple[float, float] = (0.3, 1.5)
) -> Iterator[list[int]]:
    """Kill one of the functions' processes now and then; yield the list of those killed.

    Parameters:
        keeper: the process that keeps the local AWS.
        seed: decides when, and which.
        spared: a function that is left alone.
        seconds: the shortest and the longest time between two kills.
    """
    over = threading.Event()
    killed: list[int] = []
    chance = random.Random(seed)  # noqa: S311 - no secret

    def kill_now_and_then() -> None:
        while not over.wait(chance.uniform(*seconds)):
            if running := _workers(keeper, spared):
                victim = chance.choice(running)
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                    killed.append(victim)

    thread = threading.Thread(target=kill_now_and_then)
    thread.start()
    try:
        yield killed
    finally:
        over.set()
        thread.join()


def emulator(keeper: int) -> None:
    """Kill the emulator itself, which has no time to write anything down; wait until it is gone.

    Its keeper then ends the functions' processes, and itself.
    """
    victims = [pid for pid, (parent, _) in _processes().items() if parent == keeper]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    wait.until("the emulator to be gone", lambda: not _processes().keys() & set(victims))


def _workers(keeper: int, spared: str) -> list[int]:
    """Return the processes below a keeper in which functions run, one of them left out."""
    processes = _processes()
    working = [
        pid
        for pid, (_, command) in processes.items()
        if b"awslambdaric" in command and not (spared and f".{spared}.".encode() in command)
    ]
    return [pid for pid in working if keeper in _ancestors(pid, processes)]


def _ancestors(pid: int, processes: dict[int, tuple[int, bytes]]) -> Iterator[int]:
    while pid in processes:
        pid = processes[pid][0]
        yield pid


def _processes() -> dict[int, tuple[int, bytes]]:
    """Return the parent and the command line of each process, by its id."""
    processes = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):  # it has ended meanwhile
            stat = (entry / "stat").read_text()
            parent = int(stat.rpartition(")")[2].split()[1])
            processes[int(entry.name)] = (parent, (entry / "cmdline").read_bytes())
    return processes
