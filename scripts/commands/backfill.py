"""Send images that are already in the source bucket through the pipeline, however many."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click
from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scripts.commands import options
from scripts.commands.options import Target
from scripts.cost import backfill as cost
from scripts.cost import observation, prices
from scripts.cost.pipeline import EXPRESS, STANDARD
from scripts.lib import backfill, manifests, text
from scripts.lib.aws import Clients
from scripts.lib.backfill import Count, Ending, Failure, Progress, Run
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival
from scripts.lib.executions.model import RUNNING, SUCCEEDED
from scripts.lib.terminal import Console, visible
from scripts.lib.text import counted
from scripts.lib.user_errors import ExitStatus, UserError

_SHOWN = 20  # failures; --json has all
_BAR_WIDTH = 40
_PAUSES = (0.2, 5.0)  # seconds between looks: the first and the longest


@dataclass(frozen=True)
class Estimate:
    """What a run would do, cost and take.

    Attributes:
        count: what it would find.
        dollars: AWS's charges.
        per_second: how many images a second, by what limits them; the lowest counts.
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


@click.command("backfill")
@click.argument("prefix", default="")
@click.option("--manifest", metavar="S3-URI", help="A list of objects: .csv, .jsonl, inventory.")
@click.option("--dry-run", is_flag=True, help="Only report what would be done.")
@click.option("--wait", "waits", is_flag=True, help="Wait until all images have been handled.")
@click.option("--run", "run_name", metavar="NAME", help="Follow a run that was started before.")
@options.as_json
@options.of_a_stack
@options.pass_target
def command(
    target: Target,
    prefix: str,
    manifest: str | None,
    run_name: str | None,
    *,
    dry_run: bool,
    waits: bool,
    as_json: bool,
) -> int:
    """Convert the images in the source bucket whose keys begin with PREFIX, by default all.

    They may be older than the stack, or have failed long ago. Repeat it as often as you like, also
    during uploads: what has been converted is not converted again. With --wait or --run, the exit
    status is 4 if an image failed, and otherwise 5 if the stack is paused.
    """
    if sum(map(bool, (run_name, manifest, prefix))) > 1:
        raise click.UsageError("Use one of PREFIX, --manifest and --run.")
    clients, stack = target.find()
    console = options.console(as_json=as_json)
    if run_name:
        return follow(clients, stack, run_name, console, as_json=as_json)
    given: dict[str, Any] = {"bucket": stack.source_bucket, "prefix": prefix}
    if manifest:
        given = {"manifest": manifests.named(manifest)}
    if dry_run:
        found = backfill.count(clients, stack, backfill.objects(clients, given))
        return preview(clients, stack, found, console, as_json=as_json)
    backfill.check(clients, stack)
    name = backfill.new_name()
    backfill.start(clients, stack, given, name)
    return started(clients, stack, name, console, waits=waits, as_json=as_json)


def estimate(clients: Clients, stack: Deployment, found: Count) -> Estimate:
    """Return what a run would do, cost and take."""
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
        children=backfill.children_at_a_time(clients, stack),
    )
    limit = min(limits, key=lambda one: limits[one])
    dollars = cost.dollars(
        seen,
        settings,
        converted=found.images,
        checked=found.converted,
        dropped=found.dropped.total(),
    )
    return Estimate(found, settings.workflow_type, dollars, limit, limits[limit])


def preview(
    clients: Clients, stack: Deployment, found: Count, console: Console, *, as_json: bool
) -> int:
    """Print what a run would do, cost and take."""
    estimated = estimate(clients, stack, found)
    if as_json:
        options.print_json(_json(stack, None, found=estimated))
        return ExitStatus.DONE
    if found.images:
        size = "size unknown" if found.bytes is None else text.size(found.bytes)
        console.print(f"{counted(found.images, 'image')}, {size}, would be handled", style="bold")
    else:
        console.print("No image would be handled.", style="bold")
    for line in _details(stack, estimated):
        console.print(f"  {line}", soft_wrap=True)
    return ExitStatus.DONE


def _details(stack: Deployment, estimated: Estimate) -> Iterator[str]:
    """Yield what else there is to say of a run beforehand."""
    found = estimated.count
    if number := found.named_otherwise:
        fate = "kept" if stack.keeps_others else "deleted from the source bucket without a copy"
        are = "is not named like a JPEG" if number == 1 else "are not named like JPEGs"
        yield f"{number:,} of them {are}; what is not a JPEG is {fate}"
    if number := found.converted:
        more = counted(number, "more is", "more are")
        yield f"{more} converted already; {'that' if number == 1 else 'each'} costs a look"
    for why, number in found.dropped.items():
        yield f"{counted(number, 'more is', 'more are')} not sent: {why}"
    if estimated.dollars:
        yield (
            f"{text.money(estimated.dollars)} at the prices of `image-converter cost` "
            f"({estimated.workflow_type}, images of 2 megapixels, {prices.REGION})"
        )
    if found.images:
        yield (
            f"{text.duration(estimated.seconds)} on AWS: {estimated.per_second:,.0f} a second, "
            f"limited by {estimated.limit}"
        )


def started(
    clients: Clients, stack: Deployment, name: str, console: Console, *, waits: bool, as_json: bool
) -> int:
    """Report that a run was started, and follow it if it is to be waited for."""
    if waits:
        console.print(f"Started run {name}.")
        return follow(clients, stack, name, console, as_json=as_json)
    console.print(
        f"Started run {name}. `image-converter backfill --run {name}` follows it.", soft_wrap=True
    )
    return done(stack, name, as_json=as_json)


def done(stack: Deployment, name: str | None, *, as_json: bool) -> int:
    """Print the answer for scripts where there are no figures yet, or nothing was started."""
    if as_json:
        options.print_json(_json(stack, name))
    return ExitStatus.DONE


def follow(
    clients: Clients, stack: Deployment, name: str, console: Console, *, as_json: bool
) -> int:
    """Show how far a run is until nothing of it is left to do, and report what failed."""
    run = Run(clients, stack, name)
    try:
        progress = _last_look(clients, stack, run, console)
    except KeyboardInterrupt:
        console.print(f"The run goes on. `image-converter backfill --run {run.name}` follows it.")
        raise
    ending = run.ending(progress)
    if as_json:
        options.print_json(_json(stack, run.name, ending=ending))
    _report(console, ending)
    if not progress.settled:
        waiting = counted(progress.waiting, "message waits", "messages wait")
        raise UserError(
            f"The stack is paused: about {waiting} in the queue.",
            ExitStatus.TIMED_OUT if ending.good else ExitStatus.IMAGES_FAILED,
        )
    return ExitStatus.DONE if ending.good else ExitStatus.IMAGES_FAILED


def _last_look(clients: Clients, stack: Deployment, run: Run, console: Console) -> Progress:
    """Look again and again until there is nothing left to wait for; return the last look."""
    pause, longest = _PAUSES
    with _shown(console) as show:
        while True:
            show(progress := run.look())
            if progress.settled or _waits_in_vain(clients, stack, progress):
                return progress
            time.sleep(pause)
            pause = min(pause * 1.5, longest)


def _waits_in_vain(clients: Clients, stack: Deployment, progress: Progress) -> bool:
    return (
        progress.status != RUNNING
        and not progress.running
        and progress.waiting > 0
        and arrival.is_paused(clients, stack)
    )


@contextmanager
def _shown(console: Console) -> Iterator[Callable[[Progress], None]]:
    """Yield a function to call with each look: a bar on a terminal, else a line for each change."""
    if not console.is_terminal:
        lines: list[str] = []

        def write(progress: Progress) -> None:
            line = _figures(progress)
            if line not in lines[-1:]:
                lines[:] = [line]
                console.print(line, soft_wrap=True)

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
    known = {
        "listed": progress.listed,
        "sent": progress.sent,
        "not sent": progress.not_sent or None,
        "waiting": progress.waiting,
        "running": progress.running,
        "done": progress.done,
        "failed": progress.failed,
    }
    return ", ".join(f"{number:,} {what}" for what, number in known.items() if number is not None)


def _report(console: Console, ending: Ending) -> None:
    """Print how a run ended."""
    progress = ending.progress
    seconds = (progress.at - progress.began).total_seconds()
    dropped = f", {ending.dropped:,} of them not to be converted (such as folders)"
    console.print(
        f"{counted(progress.listed, 'object')}{dropped if ending.dropped else ''}, in "
        f"{text.duration(seconds)}",
        soft_wrap=True,
    )
    if ending.started == 0:
        nothing_to_do = ending.good and progress.settled and not ending.refused
        console.print(
            "Nothing had to be done: no execution was started."
            if nothing_to_do
            else "No execution was started."
        )
    elif ending.started is not None:
        more = " or more" if ending.started == backfill.MOST else ""
        console.print(f"{counted(ending.started, 'execution')}{more} started since it began")
    if ending.refused:
        more = " or more" if ending.refused == backfill.MOST else ""
        console.print(
            f"{counted(ending.refused, 'object')}{more} had an execution already and got no other; "
            "`image-converter redrive` retries what failed.",
            soft_wrap=True,
        )
    if progress.status not in (RUNNING, SUCCEEDED):
        why = f": {visible(progress.error)}" if progress.error else "."
        console.print(f"The run ended as {progress.status}{why}", markup=False, soft_wrap=True)
    if progress.not_sent:
        console.print(
            f"{counted(progress.not_sent, 'object')} could not be sent; `image-converter redrive` "
            "tries again.",
            soft_wrap=True,
        )
    if ending.failures:
        _report_failures(console, ending.failures)


def _report_failures(console: Console, failures: Sequence[Failure]) -> None:
    reasons = Counter(one.why.partition(":")[0] for one in failures)
    summary = ", ".join(f"{number:,} {why}" for why, number in reasons.most_common())
    console.print(
        f"{counted(len(failures), 'image')} failed: {visible(summary)}", style="bold", markup=False
    )
    for one in failures[:_SHOWN]:
        console.print(f"  {visible(f'{one.key}: {one.why}')}", markup=False, soft_wrap=True)
    if len(failures) > _SHOWN:
        console.print(f"  and {len(failures) - _SHOWN:,} more; --json lists all")


def _json(
    stack: Deployment,
    name: str | None,
    *,
    found: Estimate | None = None,
    ending: Ending | None = None,
) -> dict[str, Any]:
    return {
        "stack": stack.name,
        "run": name,
        "estimate": _estimate_json(found) if found else None,
        "result": _ending_json(ending) if ending else None,
    }


def _estimate_json(estimated: Estimate) -> dict[str, Any]:
    found = estimated.count
    return {
        "images": found.images,
        "bytes": found.bytes,
        "namedOtherwise": found.named_otherwise,
        "converted": found.converted,
        "dropped": dict(found.dropped),
        "workflowType": estimated.workflow_type,
        "dollars": round(estimated.dollars, 2),
        "seconds": round(estimated.seconds, 1),
        "limit": estimated.limit,
    }


def _ending_json(ending: Ending) -> dict[str, Any]:
    progress = ending.progress
    return {
        "status": progress.status,
        "began": progress.began.isoformat(),
        "seconds": round((progress.at - progress.began).total_seconds(), 1),
        "objects": progress.listed,
        "dropped": ending.dropped,
        "waiting": progress.waiting,
        "executionsStarted": ending.started,
        "hadExecutions": ending.refused,
        "failures": [dataclasses.asdict(one) for one in ending.failures],
    }
