"""Make again what is outdated: after other renditions, another quality, another converter."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from typing import Any

import click

from image_converter import keys, reprocessing
from scripts.commands import options
from scripts.commands.backfill import done, preview, started
from scripts.commands.options import Target
from scripts.lib import backfill, deployed, storage
from scripts.lib.aws import Clients
from scripts.lib.backfill import Count
from scripts.lib.deployed import Deployment


@click.command("reprocess")
@click.argument("prefix", default="")
@click.option("--dry-run", is_flag=True, help="Only report what would be done.")
@click.option("--wait", "waits", is_flag=True, help="Wait until all images have been handled.")
@options.as_json
@options.of_a_stack
@options.pass_target
def command(target: Target, prefix: str, *, dry_run: bool, waits: bool, as_json: bool) -> int:
    """Make outdated renditions of images whose keys begin with PREFIX again, by default of all.

    A rendition is outdated if it was made with other settings than the stack has now. The table
    says which are, and where the originals are in the destination bucket. What is up to date is not
    written again, and the source bucket is not touched. With --wait, the exit status is 4 if an
    image failed, and otherwise 5 if the stack is paused.
    """
    clients, stack = target.find()
    console = options.console(as_json=as_json)
    if not dry_run:
        backfill.check(clients, stack)
    outdated, settings = Count(), deployed.resize_settings(clients, stack)
    with tempfile.TemporaryFile() as lines:
        for line, size in _outdated(clients, stack, prefix, deployed.settings_hash(settings)):
            lines.write(json.dumps(line).encode() + b"\n")
            outdated.images += 1
            outdated.bytes = (outdated.bytes or 0) + size
        if dry_run:
            return preview(clients, stack, outdated, console, as_json=as_json)
        if not outdated.images:
            console.print("Nothing is outdated.")
            return done(stack, None, as_json=as_json)
        lines.seek(0)
        name = backfill.new_name()
        key = f"{settings.destination_prefix}{keys.MANIFESTS}{name}.jsonl"
        clients.s3.upload_fileobj(lines, stack.destination_bucket, key)
    manifest = {"bucket": stack.destination_bucket, "key": key, "format": "JSONL"}
    backfill.start(clients, stack, {"manifest": manifest}, name)
    return started(clients, stack, name, console, waits=waits, as_json=as_json)


def _outdated(
    clients: Clients, stack: Deployment, prefix: str, wanted: str
) -> Iterator[tuple[Any, int]]:
    """Yield a manifest's line for each image that is outdated, and the original's size."""
    for record in storage.scanned(clients, stack.table_name, prefix):
        if reprocessing.is_outdated(record, wanted):
            size = reprocessing.original(record).get("size", 0)
            yield reprocessing.manifest_line(record, wanted), size
