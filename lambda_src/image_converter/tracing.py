"""X-Ray, only where tracing is on: importing its SDK costs a cold start about 90 ms."""

import os


def enabled() -> bool:
    """Tell whether the function is deployed with tracing."""
    return os.environ.get("TRACING", "off") == "on"


def start() -> None:
    """Have every AWS call recorded as a subsegment; does nothing where tracing is off."""
    if enabled():
        from aws_xray_sdk.core import patch  # noqa: PLC0415 - see above, its cost

        patch(("botocore",))


def annotate(**annotations: str | float | bool) -> None:
    """Put values on the trace by which it can be found; does nothing where tracing is off."""
    if not enabled():
        return
    from aws_xray_sdk.core import xray_recorder  # noqa: PLC0415 - see above, its cost

    # Lambda owns the segment and it is read-only, so annotations go on a subsegment.
    with xray_recorder.in_subsegment("outcome") as subsegment:
        for name, value in annotations.items():
            if subsegment is not None:
                subsegment.put_annotation(name, value)
