"""Start an execution for an image, whatever became of it before."""

import click

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import storage
from scripts.lib.executions import restarts
from scripts.lib.terminal import visible
from scripts.lib.user_errors import ExitStatus, UserError


@click.command("start")
@click.argument("key")
@click.option(
    "--version-id", "version", help="A version in the source bucket; default: the newest."
)
@options.as_json
@options.of_a_stack
def command(target: Target, key: str, version: str | None, *, as_json: bool) -> int:
    """Start an execution for an image in the source bucket.

    KEY is its key there. The object may have been deleted: its versions are kept for a while, and
    `image-converter status KEY` lists them. You can start it as often as you like: nothing is
    stored twice.
    """
    clients, stack = target.find()
    listed = storage.versions(clients, stack.source_bucket, key).get(key, [])
    versions = [item["VersionId"] for item in listed if storage.is_object(item)]
    if not versions:
        raise UserError(f"There is no version of '{visible(key)}' in s3://{stack.source_bucket}.")
    if version not in (None, *versions):
        raise UserError(
            f"'{visible(key)}' has no version {visible(str(version))} in s3://{stack.source_bucket}."
            f" It has {', '.join(versions[:5])}."
        )
    wanted = version or versions[0]
    arn = restarts.start_upload(clients, stack, key, wanted)
    if as_json:
        answer = {"stack": stack.name, "key": key, "versionId": wanted, "executionArn": arn}
        options.print_json(answer)
    else:
        started = f"Started {arn} for version {wanted}. `image-converter status` shows its outcome."
        options.console().print(started, markup=False, soft_wrap=True)
    return ExitStatus.DONE
