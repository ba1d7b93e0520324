"""Destroy a stack, or say why not.

It looks into the buckets before Terraform touches anything. A bucket that still holds anything
keeps the stack, unless `--force` is given: that deletes every version of every object first.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import paths, terraform_cli
from scripts.lib.aws import Clients
from scripts.lib.user_errors import UserError

# They may be counted, and be in a module that somebody calls. Existing buckets are not resources of
# the state, and stay.
_BUCKET = re.compile(r"(^|\.)module\.(source|destination)_bucket(\[0\])?\.aws_s3_bucket\.this$")
_TABLE = re.compile(r"(^|\.)module\.table(\[0\])?\.aws_dynamodb_table\.this$")
_PAGE = 1000  # the most that S3 lists, and deletes, at a time
_PROTECTED = (
    "Nothing was destroyed: the table {table} is protected. Run "
    "`terraform apply -var table_deletion_protection=false` and destroy again."
)
_NOT_EMPTY = (
    "Nothing was destroyed: s3://{bucket} still holds images, or deleted images that can be "
    "restored ({count}). `image-converter destroy --force` permanently deletes them, and then the "
    "stack."
)


@click.command("destroy", context_settings={"ignore_unknown_options": True})
@click.option("--force", is_flag=True, help="Delete the images first, without asking.")
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Terraform's.  [default: terraform in the clone of the repository]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[TERRAFORM_OPTION]...")
@options.of_a_stack
def command(
    target: Target, directory: Path | None, arguments: Sequence[str], *, force: bool
) -> NoReturn:
    """Destroy the stack, unless a bucket still holds images.

    On success this becomes `terraform destroy`, with all other options. Its state says which stack
    that is, so this needs the folder with the state.
    """
    clone = paths.clone()
    folder = directory or (clone / "terraform" if clone else None)
    if folder is None:
        raise UserError(
            "Which folder is Terraform's? Call this in a clone of the repository, or use "
            "--directory."
        )
    env = terraform_cli.environment(target.env)
    buckets, protected_table = _holdings(
        json.loads(terraform_cli.output(folder, env, "show", "-json"))
    )
    if protected_table:
        raise UserError(_PROTECTED.format(table=protected_table))
    clients = target.clients()
    console = options.console()
    for bucket in buckets:
        if force:
            _empty(clients, bucket, console)
        elif page := next(_versions(clients, bucket), None):
            count = f"{len(page):,} versions" + (" or more" if len(page) == _PAGE else "")
            raise UserError(_NOT_EMPTY.format(bucket=bucket, count=count))
    # Terraform asks by itself, unless --force was given.
    for name in terraform_cli.UNATTENDED if not force else ():
        env.pop(name)
    approved = ["-auto-approve"] if force else []
    console.file.flush()
    terraform = str(terraform_cli.terraform_binary())
    # Not a child: ctrl-C must reach Terraform alone, which then writes its state down.
    os.execvpe(  # noqa: S606
        terraform, [terraform, f"-chdir={folder}", "destroy", *approved, *arguments], env
    )


def _holdings(state: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return the names of the buckets with images, and of the table if it cannot be deleted."""
    buckets, protected_table = [], None
    for resource in _resources(state.get("values", {}).get("root_module", {})):
        address, values = resource["address"], resource["values"]
        if _BUCKET.search(address):
            buckets.append(values["bucket"])
        elif _TABLE.search(address) and values.get("deletion_protection_enabled"):
            protected_table = values["name"]
    return buckets, protected_table


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _empty(clients: Clients, bucket: str, console: Console) -> None:
    """Delete every version and delete marker of a bucket.

    Raises:
        UserError: S3 did not delete one, with its reason.
    """
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(f"deleting the content of s3://{bucket}", total=None)
        for page in _versions(clients, bucket):
            answer = clients.s3.delete_objects(
                Bucket=bucket, Delete={"Objects": page, "Quiet": True}
            )
            for error in answer.get("Errors", []):
                raise UserError(
                    f"S3 did not delete {error.get('Key')!r} from {bucket}: "
                    f"{error.get('Message')}. The stack is still there; try again."
                )
            progress.advance(task, len(page))


def _versions(clients: Clients, bucket: str) -> Iterator[list[Any]]:
    """Yield what the bucket holds, in lists as long as one request takes; none if it is gone."""
    pages = clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    try:
        for page in pages:
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            if listed:
                yield [{name: item[name] for name in ("Key", "VersionId")} for item in listed]
    except clients.s3.exceptions.NoSuchBucket:
        return
