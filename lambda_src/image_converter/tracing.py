"""X-Ray, only where tracing is on: loading its SDK adds about a tenth to a cold start.

That is 20 ms of processor time where `python -c pass` takes 13; `make bench-imports` measures it.

AWS fixes only security faults in this SDK, and nothing after 25 February 2027; what is published
stays. OpenTelemetry is what it recommends instead, which takes a layer of its own:
https://docs.aws.amazon.com/xray/latest/devguide/xray-daemon-eos.html
"""

import os


def enabled() -> bool:
    """Return whether the function is deployed with tracing."""
    return os.environ.get("TRACING", "off") == "on"


def start() -> None:
    """Record every AWS call as a subsegment; does nothing if tracing is off."""
    if enabled():
        from aws_xray_sdk.core import patch  # noqa: PLC0415 - see above, its cost

        patch(("botocore",))


def header() -> dict[str, str]:
    """Return StartExecution's parameter that makes the execution a part of this trace.

    X-Ray charges by trace, and shows a trace as a whole. Lambda sets the variable for each
    invocation: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    current = os.environ.get("_X_AMZN_TRACE_ID", "") if enabled() else ""
    return {"traceHeader": current} if current else {}


def annotate(**annotations: str | float | bool) -> None:
    """Add values to the trace by which it can be found; does nothing if tracing is off."""
    if not enabled():
        return
    from aws_xray_sdk.core import xray_recorder  # noqa: PLC0415 - see above, its cost

    # Lambda owns the segment and it is read-only, so annotations go on a subsegment.
    with xray_recorder.in_subsegment("outcome") as subsegment:
        for name, value in annotations.items():
            if subsegment is not None:
                subsegment.put_annotation(name, value)
