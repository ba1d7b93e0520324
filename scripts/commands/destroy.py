"""Destroy a stack, or say why not.

It looks into the buckets before Terraform touches anything. Whatever is left in them keeps the
stack, unless `--force` is given: then it is deleted first, every version of it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import click
from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import paths, terraform_cli
from scripts.lib.aws import Clients
from scripts.lib.terraform_cli import TerraformError
from scripts.lib.user_errors import UserError

# They may be counted, and be in a module that somebody calls. Existing buckets are none of the
# state's resources, and are not looked at.
_BUCKET = re.compile(r"(^|\.)module\.(source|destination)_bucket(\[0\])?\.aws_s3_bucket\.this$")
_TABLE = re.compile(r"(^|\.)module\.table(\[0\])?\.aws_dynamodb_table\.this$")
_ONE_REQUEST = 1000  # the most that S3 lists, and deletes, at a time
_PROTECTED = (
    "Nothing was destroyed: the table {table} is protected. Run "
    "`terraform apply -var table_deletion_protection=false` and destroy again."
)
_NOT_EMPTY = (
    "Nothing was destroyed: s3://{bucket} still holds images, or deleted images that can be "
    "restored ({count}). `image-converter destroy --force` permanently deletes them, and then the "
    "stack."
)


@dataclass(frozen=True)
class Holdings:
    """What a stack keeps that cannot be made again.

    Attributes:
        buckets: names of the buckets with images.
        protected_table: name of the table, if it refuses to be deleted.
    """

    buckets: tuple[str, ...]
    protected_table: str | None


@click.command("destroy", context_settings={"ignore_unknown_options": True})
@click.option("--force", is_flag=True, help="Delete the images first, without asking.")
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Terraform's.  [default: terraform in the clone of the repository]",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[TERRAFORM_OPTION]...")
@options.of_a_stack
@options.pass_target
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
    terraform = [str(terraform_cli.terraform_binary()), f"-chdir={folder}"]
    holdings = _holdings(_state(terraform, env))
    if holdings.protected_table:
        raise UserError(_PROTECTED.format(table=holdings.protected_table))
    clients = target.clients()
    console = options.console()
    for bucket in holdings.buckets:
        if force:
            empty(clients, bucket, console)
        elif page := next(_versions(clients, bucket), None):
            count = f"{len(page):,} versions" + (" or more" if len(page) == _ONE_REQUEST else "")
            raise UserError(_NOT_EMPTY.format(bucket=bucket, count=count))
    # Terraform asks by itself, unless whoever runs this has said already that it shall go.
    for name in terraform_cli.UNATTENDED if not force else ():
        env.pop(name)
    approved = ["-auto-approve"] if force else []
    console.file.flush()
    # Not a child: ctrl-C must reach Terraform alone, which then writes its state down.
    os.execvpe(terraform[0], [*terraform, "destroy", *approved, *arguments], env)  # noqa: S606


def _state(command: Sequence[str], env: Mapping[str, str]) -> Mapping[str, Any]:
    """Return Terraform's state, by Terraform itself: it may lie in S3."""
    done = subprocess.run(
        [*command, "show", "-json"], env=dict(env), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise TerraformError(f"`terraform show` failed: {done.stderr.strip()}")
    state: Mapping[str, Any] = json.loads(done.stdout)
    return state


def _holdings(state: Mapping[str, Any]) -> Holdings:
    root = state.get("values", {}).get("root_module", {})
    resources = [(resource["address"], resource["values"]) for resource in _resources(root)]
    tables = [values for address, values in resources if _TABLE.search(address)]
    return Holdings(
        tuple(values["bucket"] for address, values in resources if _BUCKET.search(address)),
        next((table["name"] for table in tables if table.get("deletion_protection_enabled")), None),
    )


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def empty(clients: Clients, bucket: str, console: Console) -> int:
    """Delete every version and delete marker of a bucket; return how many there were.

    Raises:
        UserError: S3 kept one, and why.
    """
    deleted = 0
    columns = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        task = progress.add_task(f"deleting the content of s3://{bucket}", total=None)
        for page in _versions(clients, bucket):
            answer = clients.s3.delete_objects(
                Bucket=bucket, Delete={"Objects": page, "Quiet": True}
            )
            for kept in answer.get("Errors", []):
                raise UserError(
                    f"S3 did not delete {kept.get('Key')!r} from {bucket}: {kept.get('Message')}. "
                    "The stack is still there; try again."
                )
            deleted += len(page)
            progress.update(task, completed=deleted)
    return deleted


def _versions(clients: Clients, bucket: str) -> Iterator[list[Any]]:
    """Yield what the bucket holds, in lists as long as one request takes; none if it is gone."""
    pages = clients.s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    try:
        for page in pages:
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            named = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in listed]
            if named:
                yield named
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
