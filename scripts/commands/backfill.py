"""Send images that are already in the source bucket through the pipeline, however many."""

from typing import Any

import click

from scripts.commands import backfill_output, options
from scripts.commands.options import Target
from scripts.lib.backfill import candidates, manifests, runs


@click.command("backfill")
@click.argument("prefix", default="")
@click.option("--manifest", metavar="S3-URI", help="A list of objects: .csv, .jsonl, inventory.")
@options.dry_run
@options.waits
@click.option("--run", "run_name", metavar="NAME", help="Follow a run that was started before.")
@options.as_json
@options.of_a_stack
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
    """Convert images that are already in the source bucket.

    They are those whose keys begin with PREFIX, by default all; they may be older than the stack,
    or have failed long ago. Repeat it as often as you like, also during uploads: what has been
    converted is not converted again. With --wait or --run, the exit status is 4 if an image failed,
    and otherwise 5 if the stack is paused.
    """
    if sum(map(bool, (run_name, manifest, prefix))) > 1:
        raise click.UsageError("Use one of PREFIX, --manifest and --run.")
    clients, stack = target.find()
    if run_name:
        return backfill_output.follow(clients, stack, run_name, as_json=as_json)
    execution_input: dict[str, Any] = {"bucket": stack.source_bucket, "prefix": prefix}
    if manifest:
        execution_input = {"manifest": manifests.parse_uri(manifest)}
    if dry_run:
        items = candidates.objects(clients, execution_input)
        count = candidates.count(clients, stack, items)
        return backfill_output.preview(clients, stack, count, as_json=as_json)
    runs.check(clients, stack)
    name = runs.new_name()
    runs.start(clients, stack, execution_input, name)
    return backfill_output.started(clients, stack, name, waits=waits, as_json=as_json)
