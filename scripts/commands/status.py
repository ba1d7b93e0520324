"""Show what is known of an image."""

from collections.abc import Iterator, Mapping
from typing import Any

import click
from botocore.exceptions import ClientError

from image_converter import locations
from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import storage
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import images
from scripts.lib.executions.images import Handling, Image
from scripts.lib.terminal import visible
from scripts.lib.text import duration, size
from scripts.lib.user_errors import ExitStatus, UserError

Row = tuple[str, str]
_ORIGINS = {
    "upload": "",
    "reprocess": ", reprocessed",
    "restart": ", restarted",
    "by hand": ", started by hand",
}


@click.command("status")
@click.argument("key")
@options.as_json
@options.of_a_stack
def command(target: Target, key: str, *, as_json: bool) -> int:
    """Show what happened to an image, and where it is.

    KEY is its key in the source bucket, for example holiday/beach.jpg. All its executions are
    listed, the newest first, whoever started them. If its newest upload failed, the exit status
    is 4.
    """
    clients, stack = target.find()
    image = images.find(clients, stack, key)
    if image is None:
        raise UserError(
            f"Nothing is known of '{visible(key)}' in {stack.name}: it is in neither bucket nor "
            "the table. Names are whole keys, and upper and lower case matter."
        )
    objects = _objects(clients, image.record)
    if as_json:
        options.print_json(_json(stack, image, objects))
    else:
        _print(stack, image, objects)
    return ExitStatus.IMAGES_FAILED if image.state.outcome.tone == "bad" else ExitStatus.DONE


def _objects(clients: Clients, record: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the objects that a record names, the further renditions by name."""
    if record is None:
        return {"original": None, "png": None, "renditions": {}}
    png = locations.resized_of(record)
    return {
        "original": _object(clients, locations.original_of(record)),
        "png": _object(clients, png),
        "renditions": {
            where["name"]: _object(clients, where) for where in png.get("renditions", ())
        },
    }


def _object(clients: Clients, where: Mapping[str, Any]) -> dict[str, Any]:
    """Return where an object is, and whether it is there."""
    place = {name: where.get(name) for name in ("bucket", "key", "versionId", "width", "height")}
    try:
        head = clients.s3.head_object(Bucket=where["bucket"], Key=where["key"])
    except ClientError as error:
        if storage.is_gone(error):
            return {**place, "size": None, "present": False, "replaced": False}
        raise
    replaced = head.get("VersionId") not in (None, where.get("versionId"))
    return {**place, "size": head["ContentLength"], "present": True, "replaced": replaced}


def _json(stack: Deployment, image: Image, objects: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "stack": stack.name,
        "key": image.key,
        "state": image.state.kind,
        "sentence": image.state.sentence,
        "uploads": [
            {
                "versionId": upload["VersionId"],
                "size": upload["Size"],
                "uploaded": upload["LastModified"].isoformat(),
                "inSource": upload["IsLatest"],
            }
            for upload in image.uploads
        ],
        "executions": [_execution_json(handling) for handling in image.handlings],
        "record": image.record,
        **objects,
        "notes": image.notes,
    }


def _execution_json(handling: Handling) -> dict[str, Any]:
    execution = handling.execution
    return {
        "arn": execution.arn,
        "status": execution.status,
        "started": execution.started.isoformat(),
        "ended": execution.ended.isoformat() if execution.ended else None,
        "versionId": handling.version,
        "origin": handling.origin,
        "sinceFixed": handling.since_fixed,
        "kind": execution.kind,
        "sentence": execution.sentence,
    }


def _print(stack: Deployment, image: Image, objects: Mapping[str, Any]) -> None:
    console = options.console()
    console.print_line(image.key, style="bold")
    for name, value in _rows(stack, image, objects):
        console.print_line(f"  {name:<18}", end="", style="dim")
        console.print_line(value)


def _rows(stack: Deployment, image: Image, objects: Mapping[str, Any]) -> Iterator[Row]:
    state = image.state
    yield "state", f"{state.outcome.sign} {state.kind}: {state.sentence}"
    if image.uploads:
        newest = image.uploads[0]
        uploaded = _at(newest["LastModified"])
        what = (
            f"s3://{stack.source_bucket}/{image.key}, {size(newest['Size'])}, uploaded {uploaded}"
        )
        if newest["IsLatest"]:
            yield "in the source", what
        else:
            yield "cleaned up", f"{what}; kept as version {newest['VersionId']}"
    for handling in image.handlings:
        yield "execution", _line(handling, image)
        yield "", handling.execution.arn
    for note in image.notes:
        yield "", note
    if image.record:
        record = image.record
        yield "record", f"of version {record['sourceVersionId']}, {record.get('writtenAt', '')}"
        yield "original", _place(objects["original"])
        yield "PNG", _place(objects["png"])
    for name, where in objects["renditions"].items():
        yield f"rendition {name}", _place(where)


def _line(handling: Handling, image: Image) -> str:
    execution = handling.execution
    which = f"version {handling.version}" if handling.version else "no version named"
    newest = image.uploads[0]["VersionId"] if image.uploads else None
    if handling.version and newest and handling.version != newest:
        which = f"older {which}"
    fixed = ", handled since" if handling.since_fixed else ""
    return (
        f"{execution.outcome.sign} {_at(execution.started)}, {duration(execution.seconds)}, {which}"
        f"{_ORIGINS[handling.origin]}{fixed}: {execution.kind}"
        + (f", {execution.sentence}" if execution.outcome.tone == "bad" else "")
    )


def _place(where: Mapping[str, Any]) -> str:
    place = f"s3://{where['bucket']}/{where['key']}"
    if not where["present"]:
        return f"{place}, which is no longer there"
    pixels = f", {where['width']} x {where['height']}" if where["width"] else ""
    replaced = ", replaced by a newer version" if where["replaced"] else ""
    return f"{place}, {size(where['size'])}{pixels}{replaced}"


def _at(moment: Any) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
