"""Retry what failed, and what no execution has handled."""

import dataclasses
from collections import Counter
from collections.abc import Iterator

import click

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib.executions.redrive import Redrive, Result
from scripts.lib.terminal import Console
from scripts.lib.user_errors import ExitStatus


@click.command("redrive")
@options.dry_run
@click.option(
    "--all", "everything", is_flag=True, help="Include permanent failures and stopped executions."
)
@options.as_json
@options.of_a_stack
def command(target: Target, *, dry_run: bool, everything: bool, as_json: bool) -> int:
    """Retry what failed, and what no execution has handled.

    Executions and backfills that failed are retried, and dead letters. Failures that cannot
    succeed, such as a damaged image, are only listed. What has been handled since, and what was
    replaced by a newer upload, is not mentioned. Repeat it as often as you like: nothing is stored
    twice.
    """
    clients, stack = target.find()
    console = options.console(as_json=as_json)
    with options.progress(console) as progress:
        redrive = Redrive(clients, stack, dry_run=dry_run, everything=everything, progress=progress)
        results = list(_shown(redrive.parts(), console))
    for note in redrive.notes:
        console.print_line(note)
    counts = Counter(result.did for result in results)
    if as_json:
        rows = [dataclasses.asdict(result) for result in results]
        options.print_json(
            {"stack": stack.name, "dryRun": dry_run, "results": rows, "counts": dict(counts)}
        )
    summary = ", ".join(f"{count} {did}" for did, count in sorted(counts.items()))
    console.print_line(f"{summary or 'nothing to retry'}{' (dry run)' if dry_run else ''}")
    return ExitStatus.IMAGES_FAILED if counts["failed"] else ExitStatus.DONE


def _shown(parts: dict[str, Iterator[Result]], console: Console) -> Iterator[Result]:
    """Print each result as it arrives, and yield it."""
    for title, results in parts.items():
        for number, result in enumerate(results):
            if number == 0:
                console.print_line(title, style="bold")
            console.print_line(f"  {result.subject}: {result.did} - {result.why}")
            yield result
