"""The costs as a page in Markdown, which docs/costs.md is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from scripts.cost import integrations, prices
from scripts.cost.article import largest_megapixels
from scripts.cost.bill import MILLION, Line, total
from scripts.cost.comparison import STANDARD, Comparison
from scripts.cost.observation import LOCAL, Observation
from scripts.cost.pipeline import milliseconds
from scripts.cost.processor import COLD_MS, COLD_SHARE, DYNAMODB_MS, S3_MS, STATES_MS, gb_seconds
from scripts.cost.usage import S3_REQUESTS

_UPLOAD_MB: Final = 512
_DAY_SECONDS: Final = 24 * 3600
_DAYS_IN_A_MONTH: Final = 365 / 12
_DAYS_UNTIL_FORGOTTEN: Final = 14
_FORGOTTEN: Final = "https://docs.aws.amazon.com/lambda/latest/dg/snapstart-security.html"


def page(told: Comparison) -> str:
    """Return the page."""
    return "\n".join(
        (
            *_beginning(told),
            "",
            *_bills(told),
            "",
            "## What moves it",
            "",
            *_moves(told),
            "",
            "## One execution",
            "",
            *_execution(told),
            "",
            "## Where the time goes",
            "",
            *_times(told.seen),
            "",
            "## SnapStart",
            "",
            *_snap_start(),
            "",
            "## Without functions",
            "",
            *_direct(told.seen),
            "",
            "## Prices",
            "",
            *_prices(),
            "",
            "## What is assumed",
            "",
            *_assumptions(told),
            "",
        )
    )


def _beginning(told: Comparison) -> Iterable[str]:
    seen = told.seen
    yield "# What it costs"
    yield ""
    yield (
        f"AWS's charges for a million JPEGs of {seen.megapixels:.1f} megapixels, in "
        f"{prices.REGION}, at the prices of {prices.AS_OF}, without the free tier. `make cost` "
        "tells the same; "
        "`make cost EXECUTION=arn:aws:states:...` reckons from an execution of yours."
    )
    yield ""
    for bill in (told.standard, told.express):
        yield (
            f'* `workflow_type = "{bill.name}"`: **{_dollars(bill.total)}**, '
            f"{told.part(bill):.0%} of what the article's design costs "
            f"({_dollars(told.article.total)})."
        )
    for bill in (told.standard, told.express):
        line = bill.largest
        yield (
            f"* Most of {bill.name} is {_lower(line.what)}, {_dollars(line.dollars)}; to move it, "
            f"set {' or '.join(f'`{name}`' for name in line.setting.split(', '))}."
        )
    ours, theirs = total(told.standard.storage), total(told.article.storage)
    yield (
        f"* Keeping it all is apart from that: {_dollars(ours)} a month, against "
        f"{_dollars(theirs)}, for PNGs that are {seen.png_bytes / told.articles_png_bytes - 1:.0%} "
        "bigger, and deleted originals that can be brought back."
    )


def _bills(told: Comparison) -> Iterable[str]:
    names = [bill.name for bill in told.bills]
    yield from _head("dollars for a million images", *names, "what moves it")
    yield from _rows([bill.converting for bill in told.bills])
    yield _row("**Converting**", *(f"**{bill.total:.2f}**" for bill in told.bills), "")
    for title, groups in (
        ("And by `POST /upload`", [bill.upload for bill in told.bills]),
        ("And each month that all is kept", [bill.storage for bill in told.bills]),
    ):
        yield ""
        yield from _head(title, *names, "what moves it")
        yield from _rows(groups)
        yield _row("**Together**", *(f"**{total(lines):.2f}**" for lines in groups), "")


def _rows(groups: Sequence[tuple[Line, ...]]) -> Iterable[str]:
    found = [{line.what: line for line in lines} for lines in groups]
    every = [*found[1], *found[2], *found[0]]  # ours first, they have the more lines
    for what in dict.fromkeys(every):
        lines = [lines.get(what) for lines in found]
        settings = {line.setting for line in lines if line and line.setting}
        cells = (f"{line.dollars:.2f}" if line else "" for line in lines)
        yield _row(what, *cells, ", ".join(sorted(settings)))


def _moves(told: Comparison) -> Iterable[str]:
    yield from _head("setting", "dollars", "against the default")
    yield _row("(default)", f"{told.standard.total:.2f}", "")
    for label, dollars in told.changes:
        yield _row(f"`{label}`", f"{dollars:.2f}", f"{dollars - told.standard.total:+.2f}")


def _execution(told: Comparison) -> Iterable[str]:
    seen = told.seen
    yield (
        f"Of {seen.date}, on {seen.where}: {seen.transitions} state transitions, a JPEG of "
        f"{seen.jpeg_bytes:,} bytes, a PNG of {seen.png_bytes:,}, a record of "
        f"{seen.record_bytes:,}, {seen.history_bytes:,} bytes of events "
        f"({seen.history_bytes_bare:,} without the states' data)."
    )
    yield ""
    yield from _calls(seen)
    yield ""
    if seen.whole_processor:
        yield (
            "Processor time was measured. On Lambda a call takes that time divided by its share of "
            f"a processor, {S3_MS} ms for each request to S3 ({DYNAMODB_MS} for the table, "
            f"{STATES_MS} to start an execution), and {COLD_SHARE * COLD_MS:.0f} for cold starts."
        )
    elif seen.where.startswith(LOCAL):
        yield (
            "The milliseconds are those that the local AWS reports: how long the calls took on "
            "this machine, with all else that it did."
        )
    yield ""
    yield (
        "GB-s is memory / 1,024 times milliseconds / 1,000. Requests to S3 are those of the "
        "functions' code: "
        + ", ".join(_requests(name) for name in S3_REQUESTS)
        + ". A write to the table is charged by each KB that the record begins."
    )


def _calls(seen: Observation) -> Iterable[str]:
    measured = ["processor ms"] if seen.whole_processor else []
    yield from _head("function", "MB", *measured, "ms on Lambda", "GB-s", "bytes logged")
    seconds = 0.0
    for call in seen.calls:
        takes = milliseconds(call, seen, STANDARD)
        seconds += gb_seconds(call.memory_mb, takes)
        cells = [f"{call.billed_ms:.1f}"] if measured else []
        cells += [f"{takes:.1f}", f"{gb_seconds(call.memory_mb, takes):.4f}", f"{call.log_bytes}"]
        yield _row(call.function, f"{call.memory_mb}", *cells)
    logged = sum(call.log_bytes for call in seen.calls)
    yield _row("**together**", "", *(["" for _ in measured]), "", f"{seconds:.4f}", f"{logged}")


def _requests(function: str) -> str:
    writes, reads, free = S3_REQUESTS[function]
    kinds = ((reads, "GET or HEAD"), (writes, "COPY or PUT"), (free, "DELETE, free of charge"))
    return f"{function} " + " and ".join(f"{count} {kind}" for count, kind in kinds if count)


def _times(seen: Observation) -> Iterable[str]:
    of = f"Medians of {seen.executions} executions, one by one," if seen.executions > 1 else "Once,"
    yield (
        f"{of} of {seen.date}, on {seen.where}. ProcessFile lasts as long as the longer of its two "
        "branches; what a state takes beyond its function is the way there and back. `make report` "
        "tells the same of executions of yours."
    )
    yield ""
    yield from _head("state", "ms", "in its function")
    for time in seen.times:
        function = "" if time.function_ms is None else f"{time.function_ms:.0f}"
        yield _row(time.state, f"{time.ms:.0f}", function)


def _direct(seen: Observation) -> Iterable[str]:
    transition = prices.TRANSITION.dollars * MILLION
    yield (
        "Step Functions can call S3 and DynamoDB itself. That would save what a function costs; "
        f"each state that has to do what it does besides would add {_dollars(transition)}. So all "
        "of them stay."
    )
    yield ""
    yield from _head("function", "costs", "it also")
    for function, dollars in integrations.savings(seen, STANDARD):
        yield _row(function, f"{dollars:.2f}", integrations.REASONS[function])


def _snap_start() -> Iterable[str]:
    gigabytes = _UPLOAD_MB / 1024
    month = gigabytes * prices.SNAPSHOT_GB_SECOND.dollars * _DAY_SECONDS * _DAYS_IN_A_MONTH
    left = gigabytes * prices.SNAPSHOT_GB_SECOND.dollars * _DAY_SECONDS * _DAYS_UNTIL_FORGOTTEN
    restored = gigabytes * prices.SNAPSHOT_GB_RESTORED.dollars * 1000
    yield (
        f"`functions = {{ upload = {{ snap_start = true }} }}` costs ${month:.2f} a month for the "
        f"snapshot of {_UPLOAD_MB} MB, and ${restored:.2f} for a thousand starts from it. Each "
        "deployment publishes a version with a snapshot of its own, and Terraform deletes none of "
        f"the older ones. AWS deletes a snapshot that has not been called for "
        f"{_DAYS_UNTIL_FORGOTTEN} days (<{_FORGOTTEN}>): until then each deployment leaves "
        f"${left:.2f} behind. Who deploys daily deletes the older versions:"
    )
    yield ""
    yield "    NAME=image-converter-upload"
    yield (
        "    NOW=$(aws lambda get-alias --function-name $NAME --name snapshot "
        "--query FunctionVersion --output text)"
    )
    yield (
        "    aws lambda list-versions-by-function --function-name $NAME --output text "
        "--query \"Versions[?Version!='\\$LATEST' && Version!='$NOW'].[Version]\" |"
    )
    yield ("      xargs -r -n 1 aws lambda delete-function --function-name $NAME --qualifier")


def _prices() -> Iterable[str]:
    yield from _head("unit", "price", "page", "read in")
    for price in prices.ALL:
        yield _row(price.unit, price.listed, f"<{price.source}>", price.read_in)


def _assumptions(told: Comparison) -> Iterable[str]:
    yield "For both designs:"
    yield ""
    yield (
        f"* S3 answers within {S3_MS} ms, DynamoDB within {DYNAMODB_MS}, Step Functions within "
        f"{STATES_MS}. Functions wait for that, and pay."
    )
    yield "* A function has the share of a processor that its memory buys: a whole one at 1,769 MB."
    yield f"* {COLD_SHARE:.0%} of the calls start cold, and that takes {COLD_MS} ms."
    yield "* Nothing fails, and nothing is tried again."
    yield ""
    yield "For the article's design:"
    yield ""
    yield (
        "* Its seven functions have the 1,024 MB of the Serverless Framework, on x86_64, and "
        f"ImageMagick takes the {told.engine.ms_per_megapixel:.0f} ms per megapixel that "
        f"`make bench` measured. An image of more than {largest_megapixels(told.engine):.0f} "
        "megapixels passes the 3 seconds of its states: it is tried three times and not converted."
    )
    yield "* S3 calls its trigger without a queue; nothing is traced; executions are not logged."
    yield ""
    yield "For this pipeline:"
    yield ""
    yield (
        "* Each notification comes alone: in a flood ten share a call of the trigger and the "
        "requests to the queue."
    )
    yield "* arm64, which the package is built for, takes as long as the x86_64 that was measured."
    yield (
        "* Left out, for it does not grow with the images: a KMS key ($1 a month; bucket keys and "
        "data keys that are used again keep its requests out of the bill), alarms, and the queue's "
        "empty polls (about 25 cents a month)."
    )


def _head(*cells: str) -> Iterable[str]:
    """Yield the head of a table; what is no figure stands in the first column, or is named here."""
    words = {cells[0], "what moves it", "page", "read in", "price", "it also"}
    yield _row(*cells)
    yield _row(*("---" if cell in words else "---:" for cell in cells))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _dollars(amount: float) -> str:
    return f"${amount:.2f}"


def _lower(what: str) -> str:
    return what if what.startswith(("S3", "EXPRESS")) else what[0].lower() + what[1:]
