"""Disables the garbage collector during a cold start, and measures how long that takes.

Importing botocore makes tens of thousands of objects that stay for good, and the collector goes
through them again and again while they are made: a tenth of a cold start. Later, while an image is
handled, going through them once takes another 20 ms. The collector only looks for reference cycles;
all other memory is freed as usual.
"""

import gc
import os
import time

_began: float | None = None
_taken_ms: int | None = None


def on_lambda() -> bool:
    """Return whether this process is a Lambda function.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    return "LAMBDA_TASK_ROOT" in os.environ


def begin() -> None:
    """Pause the collector until `end`; called before a handler imports anything."""
    global _began  # noqa: PLW0603 - once in a process
    if on_lambda():
        _began = time.perf_counter()
        gc.disable()


def end() -> None:
    """Enable the collector again, but not for the objects made so far: they stay for good."""
    global _taken_ms  # noqa: PLW0603 - once in a process
    if on_lambda():
        gc.freeze()
        gc.enable()
        if _began is not None:
            _taken_ms = round((time.perf_counter() - _began) * 1000)


def taken_ms() -> int | None:
    """Return how long the start of the code took, on the first call; None on every further one."""
    global _taken_ms
    taken, _taken_ms = _taken_ms, None
    return taken
