"""What is known of an image: ``python -m scripts.commands.status KEY``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import ClientError

from scripts.lib import deployed, storage, user_errors
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, endings, uploads
from scripts.lib.terminal import Console, visible
from scripts.lib.text import size
from scripts.lib.user_errors import UserError

_NEWEST = 3  # uploads of one key that are shown
Row = tuple[str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 if anything is known of the image."""
    parser = argparse.ArgumentParser(prog="python -m scripts.commands.status", description=__doc__)
    parser.add_argument("image", help="its key in the source bucket, for example holiday/beach.jpg")
    parser.add_argument("--name", default=deployed.name(), help="the stack's name")
    options = parser.parse_args(arguments)
    return user_errors.run(lambda: _status(options, Console(highlight=False)))


def _status(options: argparse.Namespace, console: Console) -> int:
    clients = deployed.connect()
    stack = deployed.find(clients, options.name)
    rows = list(known(clients, stack, options.image))
    if not rows:
        raise UserError(
            f"Nothing is known of '{visible(options.image)}' in {stack.name}: it is in neither "
            "bucket nor the table. Names are whole keys, and upper and lower case matter."
        )
    console.print(visible(options.image), style="bold", markup=False, soft_wrap=True)
    for name, value in rows:
        console.print(f"  {name:<18}", end="", style="dim", markup=False)
        console.print(visible(value), markup=False, soft_wrap=True)
    return 0


def known(clients: Clients, stack: Deployment, key: str) -> Iterator[Row]:
    """Yield what is known of an image, as pairs of a name and a value."""
    listed = storage.versions(clients, stack.source_bucket, key).get(key, [])
    uploads = [one for one in listed if storage.is_object(one)][:_NEWEST]
    if uploads:
        place = f"s3://{stack.source_bucket}/{key}"
        what = f"{place}, {size(uploads[0]['Size'])}, uploaded {_at(uploads[0])}"
        if uploads[0]["IsLatest"]:
            yield "in the source", what
        else:
            yield "cleaned up", f"{what}; kept as version {uploads[0]['VersionId']}"
    for upload in uploads:
        yield from _handled(clients, stack, key, upload)
    record = storage.record(clients, stack.table_name, key)
    if record:
        yield (
            "record",
            f"written {record.get('writtenAt', '')} of version {record['sourceVersionId']}",
        )
        original, png = record["images"][0]["original"], record["images"][1]["resized"]
        yield "original", _object(clients, original)
        yield "PNG", f"{_object(clients, png)}, {png['width']} x {png['height']}"


def _handled(clients: Clients, stack: Deployment, key: str, upload: Any) -> Iterator[Row]:
    """Yield how the handling of an upload goes, or went, and which execution did it."""
    version = upload["VersionId"]
    if stack.express:
        ending = endings.find(clients, stack, key, version)
        if ending:
            yield "execution", f"{ending.outcome.sign} {ending.kind}: {ending.sentence}"
        elif failure := endings.last_failure(clients, stack, key, upload["LastModified"]):
            yield "last attempt", f"failed, and may be retried: {failure.sentence}"
        return
    arn = uploads.execution_arn(stack, key, version)
    try:
        execution = collect.execution(clients, arn)
    except UserError:
        return  # not started yet, or forgotten after 90 days
    yield "execution", f"{execution.outcome.sign} {execution.kind}: {execution.sentence}"
    yield "", arn


def _object(clients: Clients, where: dict[str, Any]) -> str:
    place = f"s3://{where['bucket']}/{where['key']}"
    try:
        head = clients.s3.head_object(Bucket=where["bucket"], Key=where["key"])
    except ClientError as error:
        if storage.is_gone(error):
            return f"{place}, which is no longer there"
        raise
    same = head.get("VersionId") in (None, where.get("versionId"))
    return (
        f"{place}, {size(head['ContentLength'])}{'' if same else ', replaced by a newer version'}"
    )


def _at(version: Any) -> str:
    return f"{version['LastModified']:%Y-%m-%d %H:%M:%S} UTC"


if __name__ == "__main__":
    sys.exit(main())
