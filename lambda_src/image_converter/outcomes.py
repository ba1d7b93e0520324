"""What became of an image in a function: one log line for each failure, annotations on the trace.

Success needs no line here: each function logs its own, with what it did.
"""

import functools
from collections.abc import Callable
from typing import TypeVar

from image_converter import events, keys, log, tracing
from image_converter.errors import InvalidRecord, PermanentError
from image_converter.events import Event

T = TypeVar("T")

SUCCEEDED = "succeeded"


def log_outcome(handler: Callable[[Event, object], T]) -> Callable[[Event, object], T]:
    """Decorate a function that the state machine calls: its outcome is logged and annotated.

    The line names key and error, so that one query over the log groups shows what happened to an
    image. A permanent error is logged as a warning, one that a retry may fix as an error. The
    exception is raised again.
    """

    @functools.wraps(handler)
    def reporting(event: Event, context: object) -> T:
        log.begin()
        try:
            answer = handler(event, context)
        except Exception as failure:
            name = type(failure).__name__
            write = log.warning if isinstance(failure, PermanentError) else log.error
            write("failed", key=_key(event), error=name, cause=str(failure))
            _annotate(event, name)
            raise
        _annotate(event, SUCCEEDED)
        return answer

    return reporting


def _annotate(event: Event, outcome: str) -> None:
    """Mark the trace with bucket, key (as a hash: keys are long and people's own) and outcome."""
    if not tracing.enabled():
        return
    try:
        record = events.parse_record(event)
    except InvalidRecord:
        tracing.annotate(outcome=outcome)
        return
    tracing.annotate(bucket=record.bucket, key_hash=keys.fingerprint(record.key), outcome=outcome)


def _key(event: Event) -> str | None:
    try:
        return events.parse_record(event).key
    except InvalidRecord:
        return None
