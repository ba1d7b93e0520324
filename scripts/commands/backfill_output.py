"""What `backfill` and `reprocess` print: what a run would do, how far it is, and how it ended."""

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scripts.commands import options
from scripts.cost import backfill as cost
from scripts.cost import observation, prices
from scripts.cost.pipeline import EXPRESS, STANDARD
from scripts.lib import text
from scripts.lib.aws import Clients
from scripts.lib.backfill import runs
from scripts.lib.backfill.candidates import Count
from scripts.lib.backfill.pipeline import MAX_COUNTED
from scripts.lib.backfill.runs import Ending, Progress, Run
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival
from scripts.lib.executions.model import RUNNING, SUCCEEDED
from scripts.lib.terminal import Console
from scripts.lib.text import counted
from scripts.lib.user_errors import ExitStatus, UserError

_MAX_SHOWN = 20  # failures; --json has all
_BAR_WIDTH = 40
_PAUSES = (0.2, 5.0)  # seconds between two requests for the progress: the first and the longest


@dataclass(frozen=True)
class Estimate:
    """What a run would do, cost and take.

    Attributes:
        count: what it would find.
        dollars: AWS's charges.
        limit: what limits how many images a second are handled.
        per_second: how many these are.
    """

    count: Count
    workflow_type: str
    dollars: float
    limit: str
    per_second: float

    @property
    def seconds(self) -> float:
        """How long it would take."""
        return self.count.images / self.per_second


def preview(clients: Clients, stack: Deployment, count: Count, *, as_json: bool) -> int:
    """Print what a run would do, cost and take."""
    estimate = _estimate(clients, stack, count)
    if as_json:
        options.print_json(answer(stack, estimate=_estimate_json(estimate)))
        return ExitStatus.DONE
    size = "size unknown" if count.bytes is None else text.size(count.bytes)
    images = f"{counted(count.images, 'image')}, {size}, would be handled"
    console = options.console()
    console.print_line(images if count.images else "No image would be handled.", style="bold")
    for line in _details(stack, estimate):
        console.print_line(f"  {line}")
    return ExitStatus.DONE


def _estimate(clients: Clients, stack: Deployment, count: Count) -> Estimate:
    seen = observation.read(observation.RECORDED)
    settings = EXPRESS if stack.express else STANDARD
    account = clients.functions.get_account_settings()["AccountLimit"]
    functions = account["UnreservedConcurrentExecutions"]
    limits = cost.images_per_second(
        seen,
        settings,
        str(clients.functions.meta.region_name),
        triggers=arrival.batches_at_a_time(clients, stack) or functions,
        functions=functions,
        children=runs.max_concurrency(clients, stack),
    )
    limit, per_second = min(limits.items(), key=lambda item: item[1])
    dollars = cost.dollars(
        seen,
        settings,
        converted=count.images,
        checked=count.converted,
        dropped=count.dropped.total(),
    )
    return Estimate(count, settings.workflow_type, dollars, limit, per_second)


def _details(stack: Deployment, estimate: Estimate) -> Iterator[str]:
    """Yield what else there is to say of a run beforehand."""
    count = estimate.count
    if number := count.named_otherwise:
        fate = "kept" if stack.keeps_others else "deleted from the source bucket without a copy"
        are = "is not named like a JPEG" if number == 1 else "are not named like JPEGs"
        yield f"{number:,} of them {are}; what is not a JPEG is {fate}"
    if number := count.converted:
        more = counted(number, "more is", "more are")
        yield f"{more} converted already; {'that' if number == 1 else 'each'} costs a look"
    for reason, number in count.dropped.items():
        yield f"{counted(number, 'more is', 'more are')} not sent: {reason}"
    if estimate.dollars:
        yield (
            f"{text.money(estimate.dollars)} at the prices of `image-converter cost` "
            f"({estimate.workflow_type}, images of 2 megapixels, {prices.REGION})"
        )
    if count.images:
        yield (
            f"{text.duration(estimate.seconds)} on AWS: {estimate.per_second:,.0f} a second, "
            f"limited by {estimate.limit}"
        )


def started(clients: Clients, stack: Deployment, name: str, *, waits: bool, as_json: bool) -> int:
    """Report that a run was started, and follow it if it is to be waited for."""
    console = options.console(as_json=as_json)
    if waits:
        console.print_line(f"Started run {name}.")
        return follow(clients, stack, name, as_json=as_json)
    console.print_line(f"Started run {name}. `image-converter backfill --run {name}` follows it.")
    if as_json:
        options.print_json(answer(stack, name))
    return ExitStatus.DONE


def follow(clients: Clients, stack: Deployment, name: str, *, as_json: bool) -> int:
    """Show how far a run is until nothing of it is left to do, and report what failed."""
    console = options.console(as_json=as_json)
    run = Run(clients, stack, name)
    try:
        progress = _last_progress(clients, stack, run, console)
    except KeyboardInterrupt:
        console.print_line(
            f"The run goes on. `image-converter backfill --run {run.name}` follows it."
        )
        raise
    ending = run.ending(progress)
    if as_json:
        options.print_json(answer(stack, run.name, result=_ending_json(ending)))
    for line in _report(ending):
        console.print_line(line)
    _print_failures(console, ending)
    status = ExitStatus.DONE if ending.good else ExitStatus.IMAGES_FAILED
    if not progress.settled:
        waiting = counted(progress.waiting, "message waits", "messages wait")
        raise UserError(
            f"The stack is paused: about {waiting} in the queue.", status or ExitStatus.TIMED_OUT
        )
    return status


def _last_progress(clients: Clients, stack: Deployment, run: Run, console: Console) -> Progress:
    """Ask again and again until there is nothing left to wait for; return the last progress."""
    pause, longest = _PAUSES
    with _shown(console) as show:
        while True:
            show(progress := run.progress())
            has_sent_all = progress.status != RUNNING and not progress.running
            if progress.settled or (
                has_sent_all and progress.waiting and arrival.is_paused(clients, stack)
            ):
                return progress
            time.sleep(pause)
            pause = min(pause * 1.5, longest)


@contextmanager
def _shown(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Yield what shows the progress: as a bar on a terminal, elsewhere each change as a line."""
    if not console.is_terminal:
        last = ""

        def write(progress: Progress) -> None:
            nonlocal last
            if last != _figures(progress):
                last = _figures(progress)
                console.print_line(last)

        yield write
        return
    with Live(console=console, auto_refresh=False) as live:

        def show(progress: Progress) -> None:
            left = progress.seconds_left
            after = "" if left is None else f", {text.duration(left)} left"
            bar = ProgressBar(max(progress.listed, 1), progress.ended, width=_BAR_WIDTH)
            line = Table.grid(padding=(0, 2))
            line.add_row(bar, Text(f"{progress.rate:.1f} a second{after}"))
            live.update(Group(line, Text(_figures(progress))), refresh=True)

        yield show


def _figures(progress: Progress) -> str:
    figures = {
        "listed": progress.listed,
        "sent": progress.sent,
        "not sent": progress.not_sent or None,
        "waiting": progress.waiting,
        "running": progress.running,
        "done": progress.done,
        "failed": progress.failed,
    }
    return ", ".join(f"{number:,} {what}" for what, number in figures.items() if number is not None)


def _report(ending: Ending) -> Iterator[str]:
    """Yield how a run ended, a sentence each."""
    progress = ending.progress
    dropped = f", {ending.dropped:,} of them not to be converted (such as folders)"
    yield (
        f"{counted(progress.listed, 'object')}{dropped if ending.dropped else ''}, in "
        f"{text.duration(progress.seconds)}"
    )
    if ending.started:
        yield f"{_counted(ending.started, 'execution')} started since it began"
    elif ending.started == 0:
        nothing_to_do = ending.good and progress.settled and not ending.duplicates
        yield (
            "Nothing had to be done: no execution was started."
            if nothing_to_do
            else "No execution was started."
        )
    if ending.duplicates:
        yield (
            f"{_counted(ending.duplicates, 'object')} had an execution already and got no other; "
            "`image-converter redrive` retries what failed."
        )
    if progress.status not in (RUNNING, SUCCEEDED):
        why = f": {progress.error}" if progress.error else "."
        yield f"The run ended as {progress.status}{why}"
    if progress.not_sent:
        yield (
            f"{counted(progress.not_sent, 'object')} could not be sent; `image-converter redrive` "
            "tries again."
        )


def _counted(number: int, thing: str) -> str:
    return counted(number, thing) + (" or more" if number == MAX_COUNTED else "")


def _print_failures(console: Console, ending: Ending) -> None:
    failures = ending.failures
    if not failures:
        return
    reasons = Counter(failure.why.partition(":")[0] for failure in failures)
    summary = ", ".join(f"{number:,} {reason}" for reason, number in reasons.most_common())
    console.print_line(f"{counted(len(failures), 'image')} failed: {summary}", style="bold")
    for failure in failures[:_MAX_SHOWN]:
        console.print_line(f"  {failure.key}: {failure.why}")
    if len(failures) > _MAX_SHOWN:
        console.print_line(f"  and {len(failures) - _MAX_SHOWN:,} more; --json lists all")


def answer(
    stack: Deployment,
    run: str | None = None,
    *,
    estimate: dict[str, Any] | None = None,
    result: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the answer for scripts; a run that was just started has no result yet."""
    return {"stack": stack.name, "run": run, "estimate": estimate, "result": result}


def _estimate_json(estimate: Estimate) -> dict[str, Any]:
    count = estimate.count
    return {
        "images": count.images,
        "bytes": count.bytes,
        "namedOtherwise": count.named_otherwise,
        "converted": count.converted,
        "dropped": dict(count.dropped),
        "workflowType": estimate.workflow_type,
        "dollars": round(estimate.dollars, 2),
        "seconds": round(estimate.seconds, 1),
        "limit": estimate.limit,
    }


def _ending_json(ending: Ending) -> dict[str, Any]:
    progress = ending.progress
    return {
        "status": progress.status,
        "began": progress.began.isoformat(),
        "seconds": round(progress.seconds, 1),
        "objects": progress.listed,
        "dropped": ending.dropped,
        "waiting": progress.waiting,
        "executionsStarted": ending.started,
        "hadExecutions": ending.duplicates,
        "failures": [dataclasses.asdict(failure) for failure in ending.failures],
    }
