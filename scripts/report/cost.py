"""What one execution costs on AWS, line by line: by the prices and requests of `scripts.cost`."""

from scripts.cost import model, pipeline, prices
from scripts.cost.model import CONVERTING, Bill, Line, Requests
from scripts.lib import functions
from scripts.lib.executions.run import Invocation, Run

# Of a record that is not at hand: those that the functions write have less than 1 KB.
_RECORD_BYTES = 1000


def bill(run: Run) -> Bill:
    """Return the bill of an execution, of a STANDARD or an EXPRESS state machine."""
    calls = run.invocations
    seconds = sum(model.gb_seconds(call.memory_mb, call.billed_ms) for call in calls)
    writes = sum(_requests(call).writes for call in calls)
    reads = sum(_requests(call).reads for call in calls)
    # Each further rendition is looked for and written.
    further = len(run.execution.objects.get("PNG", {}).get("renditions", ()))
    saved = sum(1 for call in calls if call.function.endswith("write-to-dynamodb"))
    written = model.table_writes(model.item_bytes(run.record) if run.record else _RECORD_BYTES)
    workflow: dict[str, float] = {"State transitions": run.execution.transitions}
    if run.execution.is_express:
        workflow = pipeline.express(run.execution.seconds)
    quantities = {
        **workflow,
        "Function time": seconds,
        "Function calls": len(calls),
        "S3: copies and PNGs": writes + further,
        "S3: GET and HEAD requests": reads + further,
        "Table": saved * written,
    }
    return Bill(run.execution.name, model.lines(CONVERTING, quantities, run.architecture))


def amount(line: Line) -> str:
    """Return a line's quantity with its unit."""
    quantity = f"{line.quantity}" if isinstance(line.quantity, int) else f"{line.quantity:.3f}"
    return f"{quantity} {line.unit}".rstrip()


def about(run: Run) -> str:
    """Return where the figures of a bill come from."""
    said_by = {call.said_by for call in run.invocations}
    origin = "the function time is what Lambda reported"
    if "function" in said_by:
        origin = "the function time is what the functions measured, since Lambda logs no reports"
    if "history" in said_by:
        origin = "the function time is the history's own, rounded up to milliseconds"
    return (
        f"Prices of {prices.REGION} on {prices.AS_OF} without the free tier; {origin}. The "
        "trigger, its queue, logs and traces are not included: `image-converter cost --execution` "
        "calculates those as well."
    )


def _requests(call: Invocation) -> Requests:
    """Return how many requests a deployed function's call makes to S3."""
    for name, requests in model.S3_REQUESTS.items():
        if call.function.endswith(functions.on_aws(name)):
            return requests
    return Requests()
