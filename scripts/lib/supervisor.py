"""Run a command so that it, and everything it starts, ends with whoever started it.

A keeper process stands between the two. It holds one end of a pipe whose other end only the owner
has: when the owner ends, however it ends, the pipe closes and the keeper ends the command. When the
command ends first, however that happens, the keeper ends what the command has left behind.

The pipe works on every Unix and whatever kills the owner; Linux's PR_SET_PDEATHSIG fires already
when the thread ends that started the process.
"""

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import IO

from scripts.lib.paths import REPOSITORY

# Seconds that a command has to end before its process group is killed, unless `start` is given
# another number.
GRACE = 15


def start(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    stdout: int | IO[bytes],
    stderr: int | IO[bytes],
    detached: bool = False,
    grace: int | None = GRACE,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a command under a keeper; return the keeper's process, which exits as the command does.

    Parameters:
        command: the program and its arguments.
        env: the whole environment of the command.
        stdout, stderr: where its output goes, as subprocess takes them.
        detached: keep the command running after this process has ended.
        grace: seconds that the command has to end; None waits for as long as it takes.
        pass_fds: file descriptors that the keeper, but not the command, holds open.
    """
    options = ["--detached"] if detached else []
    if grace is not None:
        options.append(f"--grace={grace}")
    import_path = [str(REPOSITORY), env.get("PYTHONPATH")]
    return subprocess.Popen(
        [sys.executable, "-m", "scripts.lib.supervisor", *options, "--", *command],
        env={**env, "PYTHONPATH": os.pathsep.join(filter(None, import_path))},
        stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,  # ctrl-C at the terminal is for the owner, who then calls stop()
        pass_fds=pass_fds,
    )


def stop(keeper: subprocess.Popen[bytes]) -> None:
    """End the command of a keeper that :func:`start` returned, and wait until it is gone."""
    keeper.terminate()
    keeper.wait()
    if keeper.stdin:
        keeper.stdin.close()


class _Keeper:
    """Waits for the command, and ends its process group on a signal, or when the owner is gone.

    SIGQUIT kills the command without asking it to end.
    """

    def __init__(self, command: Sequence[str], grace: int | None) -> None:
        self._command = command
        self._grace = grace
        self._child: subprocess.Popen[bytes] | None = None
        self._asked = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        for number in (signal.SIGALRM, signal.SIGQUIT):
            signal.signal(number, lambda *_: self._kill_group())

    def run(self, *, watch_owner: bool) -> int:
        """Run the command and return its exit status, as a shell would give it."""
        self._child = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, start_new_session=True
        )
        if watch_owner:
            threading.Thread(target=_end_with_owner, daemon=True).start()
        status = self._child.wait()
        self._kill_group()
        return status if status >= 0 else 128 - status

    def _on_stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._child is None:
            sys.exit(1)
        if self._asked:
            return  # a second SIGINT has terraform leave its state unwritten
        self._asked = True
        # SIGINT: what terraform and the local AWS both take as "finish what must be finished".
        self._child.send_signal(signal.SIGINT)
        if self._grace is not None:
            signal.alarm(max(self._grace, 1))  # alarm(0) would never fire

    def _kill_group(self) -> None:
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)


def _end_with_owner() -> None:
    while os.read(0, 1024):
        pass  # nobody writes; the end of the file is the message
    os.kill(os.getpid(), signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line ``[--detached] [--grace SECONDS] -- COMMAND...``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detached", action="store_true", help="outlive the starting process")
    parser.add_argument("--grace", type=int, help="seconds that the command has to end")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(arguments)
    return _Keeper(options.command, options.grace).run(watch_owner=not options.detached)


if __name__ == "__main__":
    sys.exit(main())
