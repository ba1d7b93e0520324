"""Make again what is outdated: after other renditions, another quality, another converter."""

import json
import tempfile
from collections.abc import Iterator
from typing import Any

import click

from image_converter import keys, locations, reprocessing
from scripts.commands import backfill_output, options
from scripts.commands.options import Target
from scripts.lib import deployed, storage
from scripts.lib.aws import Clients
from scripts.lib.backfill import runs
from scripts.lib.backfill.candidates import Count
from scripts.lib.deployed import Deployment
from scripts.lib.user_errors import ExitStatus


@click.command("reprocess")
@click.argument("prefix", default="")
@options.dry_run
@options.waits
@options.as_json
@options.of_a_stack
def command(target: Target, prefix: str, *, dry_run: bool, waits: bool, as_json: bool) -> int:
    """Make outdated renditions again.

    They are those of images whose keys begin with PREFIX, by default of all. A rendition is
    outdated if it was made with other settings than the stack has now. The table says which are,
    and where the originals are in the destination bucket. What is up to date is not written again,
    and the source bucket is not touched. With --wait, the exit status is 4 if an image failed, and
    otherwise 5 if the stack is paused.
    """
    clients, stack = target.find()
    if not dry_run:
        runs.check(clients, stack)
    settings, images, total = deployed.resize_settings(clients, stack), 0, 0
    with tempfile.TemporaryFile() as manifest:
        for line, size in _outdated(clients, stack, prefix, deployed.settings_hash(settings)):
            manifest.write(json.dumps(line).encode() + b"\n")
            images += 1
            total += size
        if dry_run:
            return backfill_output.preview(clients, stack, Count(images, total), as_json=as_json)
        if not images:
            options.console(as_json=as_json).print_line("Nothing is outdated.")
            if as_json:
                options.print_json(backfill_output.answer(stack))
            return ExitStatus.DONE
        manifest.seek(0)
        name = runs.new_name()
        key = f"{settings.destination_prefix}{keys.MANIFESTS}{name}.jsonl"
        clients.s3.upload_fileobj(manifest, stack.destination_bucket, key)
    place = {"bucket": stack.destination_bucket, "key": key, "format": "JSONL"}
    runs.start(clients, stack, {"manifest": place}, name)
    return backfill_output.started(clients, stack, name, waits=waits, as_json=as_json)


def _outdated(
    clients: Clients, stack: Deployment, prefix: str, settings_hash: str
) -> Iterator[tuple[Any, int]]:
    """Yield a manifest's line for each image that is outdated, and the original's size."""
    for record in storage.records(clients, stack.table_name, prefix):
        if reprocessing.is_outdated(record, settings_hash):
            size = locations.original_of(record).get("size", 0)
            yield reprocessing.manifest_line(record, settings_hash), size
