"""Wait for a condition: ask again until it holds or the time is up."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


def until(what: str, ask: Callable[[], T | None], seconds: float = 60) -> T:
    """Return the first answer that is true.

    Parameters:
        what: what is waited for, for the message if it never comes.
        ask: returns what is waited for, or None or False for "not yet".
        seconds: how long to wait at most.

    Raises:
        TimeoutError: it did not come.
    """
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"timed out after {seconds:g} seconds waiting for {what}")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return answer
