"""Destroy a stack, or say why not: ``python -m scripts.commands.destroy``.

It looks into the buckets before Terraform touches anything. Whatever is left in them keeps the
stack, unless `--force` is given: then it is deleted first, every version of it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from botocore.exceptions import ClientError
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from scripts.lib import deployed, terraform_cli, user_errors
from scripts.lib.aws import Clients
from scripts.lib.paths import TERRAFORM
from scripts.lib.terraform_cli import TerraformError
from scripts.lib.user_errors import UserError

_BUCKETS = ("module.source_bucket", "module.destination_bucket")
_TABLE = "module.table.aws_dynamodb_table.this"
_ONE_REQUEST = 1000  # the most that S3 lists, and deletes, at a time
_PROTECTED = (
    "Nothing was destroyed: the table {table} is protected. Run "
    "`terraform apply -var table_deletion_protection=false` and destroy again."
)
_NOT_EMPTY = (
    "Nothing was destroyed: s3://{bucket} still holds images, or deleted images that can be "
    "restored ({count}). `make destroy FORCE=1` permanently deletes them, and then the stack."
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; on success this process becomes `terraform destroy`."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.commands.destroy",
        description=__doc__,
        epilog="All other arguments are passed to `terraform destroy`.",
    )
    parser.add_argument(
        "--force", action="store_true", help="delete the images too, without asking"
    )
    parser.add_argument("--directory", type=Path, default=TERRAFORM, help="Terraform's")
    options, rest = parser.parse_known_args(arguments)
    return user_errors.run(lambda: _destroy(options, rest, Console(highlight=False)))


def _destroy(options: argparse.Namespace, rest: Sequence[str], console: Console) -> NoReturn:
    try:
        env = terraform_cli.environment()
        command = [str(terraform_cli.terraform_binary()), f"-chdir={options.directory}"]
        holdings = _holdings(_state(command, env))
    except TerraformError as error:
        raise UserError(str(error)) from error
    if holdings.protected_table:
        raise UserError(_PROTECTED.format(table=holdings.protected_table))
    clients = deployed.connect()
    for bucket in holdings.buckets:
        if options.force:
            empty(clients, bucket, console)
        elif page := next(_versions(clients, bucket), None):
            count = f"{len(page):,} versions" + (" or more" if len(page) == _ONE_REQUEST else "")
            raise UserError(_NOT_EMPTY.format(bucket=bucket, count=count))
    # Terraform asks by itself, unless whoever runs this has said already that it shall go.
    for name in terraform_cli.UNATTENDED if not options.force else ():
        env.pop(name)
    approved = ["-auto-approve"] if options.force else []
    console.file.flush()
    # Not a child: ctrl-C must reach Terraform alone, which then writes its state down.
    os.execvpe(command[0], [*command, "destroy", *approved, *rest], env)  # noqa: S606


def _state(command: Sequence[str], env: Mapping[str, str]) -> Mapping[str, Any]:
    """Return Terraform's state, by Terraform itself: it may lie in S3."""
    done = subprocess.run(
        [*command, "show", "-json"], env=dict(env), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise TerraformError(f"`terraform show` failed: {done.stderr.strip()}")
    found: Mapping[str, Any] = json.loads(done.stdout)
    return found


def _holdings(state: Mapping[str, Any]) -> Holdings:
    root = state.get("values", {}).get("root_module", {})
    found = {one["address"]: one["values"] for one in _resources(root)}
    buckets = (found.get(f"{module}.aws_s3_bucket.this") for module in _BUCKETS)
    table = found.get(_TABLE, {})
    return Holdings(
        tuple(bucket["bucket"] for bucket in buckets if bucket),
        table["name"] if table.get("deletion_protection_enabled") else None,
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
            named = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]
            if named:
                yield named
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


if __name__ == "__main__":
    sys.exit(main())
