"""Functions that do what an execution's input says: the same code on Lambda and in a test.

    {"run": {"directory": "...", "script": {"copy_file": ["ValueError", "ok"]}}}

makes the copy fail once. Each attempt leaves a file in the directory, so that a test can count
them, whatever process they ran in.
"""

import itertools
import os
import time
from pathlib import Path
from typing import Any

_MOST_SECONDS = 2

ANSWERS: dict[str, Any] = {
    "get_file_type": "jpg",
    "copy_file": {"region": "us-east-1", "bucket": "destination", "key": "1.jpg"},
    "resize_image": {"region": "us-east-1", "bucket": "destination", "key": "1.png"},
    "write_to_dynamodb": {"status": "Item saved successfully"},
    "delete_file": {"status": "Deleted from source bucket"},
}


def handler(event: dict[str, Any], _context: object) -> Any:
    """Answer as the Lambda function whose name ends in the name of one of the pipeline's."""
    own = os.environ["AWS_LAMBDA_FUNCTION_NAME"].replace("-", "_")
    return answer(next(name for name in ANSWERS if own.endswith(name)), event)


def answer(function: str, event: dict[str, Any]) -> Any:
    """Do what the script says for this attempt, the last entry again and again.

    An entry is `ok`, `sleep:SECONDS`, `after:FUNCTION` (once that one has been called) or the name
    of an error; `answer:NAME` is a file type.
    """
    run = event.get("state", event).get("run", {})
    steps = run.get("script", {}).get(function, ["ok"])
    attempt = _note(Path(run["directory"]), function) if run else 0
    for step in steps[min(attempt, len(steps) - 1)].split("+"):
        kind, _, value = step.partition(":")
        if kind == "sleep":
            time.sleep(float(value))
        elif kind == "after":
            _wait_for(Path(run["directory"]) / f"{value}.0")
        elif kind == "answer":
            return None if value == "null" else value
        elif kind != "ok":
            raise type(kind, (Exception,), {})(f"attempt {attempt + 1} of {function}")
    return ANSWERS[function]


def _wait_for(file: Path) -> None:
    deadline = time.monotonic() + _MOST_SECONDS
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.01)


def _note(directory: Path, function: str) -> int:
    """Leave a file for this attempt and return how many there were before."""
    for number in itertools.count():
        try:
            (directory / f"{function}.{number}").touch(exist_ok=False)
        except FileExistsError:
            continue
        return number
    raise AssertionError("unreachable: count() does not end")
