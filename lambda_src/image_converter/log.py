"""Structured log lines: a JSON object per outcome, for CloudWatch Logs Insights.

On Lambda, each line says how many milliseconds the invocation has taken so far, and the first line
of an environment how many it took to start the code. So Lambda's own lines, which say both, can be
turned off.
"""

import json
import math
import os
import sys
import time

from image_converter import cold_start

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}

_began: float | None = None


def begin() -> None:
    """Note that an invocation begins; called first by every handler of an image."""
    global _began  # noqa: PLW0603 - an environment handles one invocation at a time
    _began = time.perf_counter() if cold_start.on_lambda() else None


def info(message: str, **fields: object) -> None:
    """Write a line about something that went as it should."""
    _write("INFO", message, fields)


def warning(message: str, **fields: object) -> None:
    """Write a line about something that a person may want to look at."""
    _write("WARNING", message, fields)


def error(message: str, **fields: object) -> None:
    """Write a line about something that failed."""
    _write("ERROR", message, fields)


def _write(level: str, message: str, fields: dict[str, object]) -> None:
    # Not by `logging`: Lambda's root handler would put its own text format around the JSON.
    if _LEVELS[level] >= _LEVELS.get(os.environ.get("LOG_LEVEL", "INFO"), 20):
        written = {"level": level, "message": message, **fields, **_times()}
        line = json.dumps(written, default=str, separators=(",", ":"))
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def _times() -> dict[str, int]:
    if _began is None:
        return {}
    taken = {"ms": math.ceil((time.perf_counter() - _began) * 1000)}
    started = cold_start.taken_ms()
    return taken if started is None else {**taken, "coldStartMs": started}
