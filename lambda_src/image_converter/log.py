"""Structured log lines: a JSON object per outcome, for CloudWatch Logs Insights."""

import json
import os
import sys

_LEVELS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40}


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
    # Not logging: Lambda's root handler would put its own text format around the JSON.
    if _LEVELS[level] >= _LEVELS.get(os.environ.get("LOG_LEVEL", "INFO"), 20):
        line = json.dumps({"level": level, "message": message, **fields}, default=str)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
