"""Send files to the source bucket, and wait until they have been handled.

Big files go in parts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from image_converter import keys
from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import arrival, collect, endings, logged
from scripts.lib.executions.endings import ImageState
from scripts.lib.executions.model import Outcome
from scripts.lib.executions.uploads import files_in, send_file
from scripts.lib.terminal import STYLES, Console, visible
from scripts.lib.text import counted, duration, size
from scripts.lib.user_errors import ExitStatus, UserError

_TIMEOUT_SECONDS = 900  # for all images together; a queue may be before them


@dataclass
class Upload:
    """A file on its way.

    Attributes:
        path: the file.
        key: what it is called in the source bucket.
        version: the version that the upload made.
        ending: how its handling ended, once it has.
        downloaded: where its PNG was put.
    """

    path: Path
    key: str
    version: str = ""
    ending: ImageState | None = field(default=None, repr=False)
    downloaded: Path | None = None


@click.command("upload")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--prefix", default="", help="A folder in the source bucket, for example holiday.")
@options.waits
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to download the PNGs to; implies --wait.",
)
@options.as_json
@options.of_a_stack
def command(
    target: Target,
    files: Sequence[Path],
    prefix: str,
    out: Path | None,
    *,
    waits: bool,
    as_json: bool,
) -> int:
    """Upload files to the source bucket.

    FILES may be folders. A file's key is its name; what is in a folder keeps its path below it.
    With --wait, the exit status is 4 if an image failed.
    """
    uploads = uploads_of(files, prefix)
    console = options.console(as_json=as_json)
    clients, stack = target.find()
    source_filter = arrival.source_filter(clients, stack)
    _send(clients, stack, uploads, console)
    console.print_line(f"{counted(len(uploads), 'file')} uploaded to s3://{stack.source_bucket}")
    for upload in uploads:
        if source_filter and not source_filter.accepts(upload.key):
            upload.ending = ImageState(Outcome.NOT_ENTERED, "not handled", source_filter.sentence)
            _report(clients, upload, upload.ending, None, console)
    try:
        on_the_way = [upload for upload in uploads if not upload.ending]
        if waits or out:
            _wait(clients, stack, on_the_way, out, console)
        elif on_the_way:
            console.print_line("`image-converter watch` shows what happens to them.")
    finally:
        if as_json:
            options.print_json(_json(stack, uploads))
    good = all(upload.ending.good for upload in uploads if upload.ending)
    return ExitStatus.DONE if good else ExitStatus.IMAGES_FAILED


def _json(stack: Deployment, uploads: Sequence[Upload]) -> dict[str, Any]:
    return {
        "stack": stack.name,
        "sourceBucket": stack.source_bucket,
        "uploads": [
            {
                "file": str(upload.path),
                "key": upload.key,
                "versionId": upload.version,
                "state": upload.ending and upload.ending.kind,
                "sentence": upload.ending and upload.ending.sentence,
                "png": dict(upload.ending.png) if upload.ending and upload.ending.png else None,
                "downloaded": upload.downloaded and str(upload.downloaded),
            }
            for upload in uploads
        ],
    }


def uploads_of(paths: Iterable[Path], prefix: str = "") -> list[Upload]:
    """Return what is to be uploaded, under which key.

    A file's key is its name; what is in a folder keeps its path below it.

    Raises:
        UserError: there are only empty folders, or two files would get the same key.
    """
    folder = prefix.strip("/")
    folder += "/" if folder else ""
    uploads: dict[str, Upload] = {}
    for path in paths:
        for file, name in files_in(path):
            key = folder + name
            if key in uploads:
                raise UserError(
                    f"{uploads[key].path} and {file} would both be called {key}. Upload them "
                    "separately with a different --prefix each, or rename one."
                )
            if len(key.encode()) > keys.MAX_KEY_BYTES:
                raise UserError(f"{file}: S3 allows names of at most {keys.MAX_KEY_BYTES} bytes.")
            uploads[key] = Upload(file, key)
    if not uploads:
        raise UserError("The folders contain no files.")
    return list(uploads.values())


def _send(clients: Clients, stack: Deployment, uploads: Sequence[Upload], console: Console) -> None:
    """Send the files, with a bar for each where the output is a terminal, else a line."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        for upload in uploads:
            total, key = upload.path.stat().st_size, visible(upload.key)
            task = bars.add_task(key, total=total)
            sent = partial(bars.advance, task)
            upload.version = send_file(clients, stack, upload.key, upload.path, sent)
            bars.update(task, completed=total)
            if bars.disable:
                console.print_line(f"sent {key}, {size(total)}")


def _wait(
    clients: Clients,
    stack: Deployment,
    uploads: Sequence[Upload],
    out: Path | None,
    console: Console,
) -> None:
    """Print the outcome of each image as it arrives."""
    pending = list(uploads)
    source = collect.source(clients, stack, since=datetime.now(UTC) - 2 * logged.LONGEST)

    def all_have_ended() -> bool:
        if stack.express:
            source.listed()
        for upload in list(pending):
            upload.ending = endings.find(clients, stack, upload.key, upload.version, source)
            if upload.ending:
                pending.remove(upload)
                _report(clients, upload, upload.ending, out, console)
        return not pending

    with console.status("Waiting for the images to be handled"):
        try:
            wait.until("all images to be handled", all_have_ended, _TIMEOUT_SECONDS)
        except TimeoutError as error:
            left = counted(len(pending), "image has", "images have")
            names = ", ".join(visible(upload.key) for upload in pending[:5])
            raise UserError(
                f"After {duration(_TIMEOUT_SECONDS)} {left} not been handled yet ({names}). "
                "`image-converter status KEY` shows where they are.",
                ExitStatus.TIMED_OUT,
            ) from error


def _report(
    clients: Clients, upload: Upload, ending: ImageState, out: Path | None, console: Console
) -> None:
    words = f"{ending.outcome.sign} {upload.key}  {ending.kind}"
    took = "" if ending.seconds is None else f"{duration(ending.seconds)}  "
    console.print_line(words, style=STYLES[ending.outcome.tone], end="")
    console.print_line(f"  {took}{_sentence(ending)}")
    if out and ending.png:
        upload.downloaded = _download(clients, ending.png, out, console)
        for rendition in ending.png.get("renditions", ()):
            _download(clients, rendition, out, console)


def _download(clients: Clients, location: Mapping[str, Any], out: Path, console: Console) -> Path:
    target = _inside(out, location["key"])
    target.parent.mkdir(parents=True, exist_ok=True)
    version = {"VersionId": location["versionId"]} if location.get("versionId") else None
    clients.s3.download_file(location["bucket"], location["key"], str(target), ExtraArgs=version)
    console.print_line(f"  {target}")
    return target


def _inside(folder: Path, key: str) -> Path:
    """Return the file for a key; a key with `..` in it must not lead out of the folder."""
    target = folder / key.lstrip("/")
    inside = target.resolve().is_relative_to(folder.resolve())
    return target if inside else folder / key.replace("/", "_")


def _sentence(ending: ImageState) -> str:
    png = ending.png
    if png is None:
        return ending.sentence
    kept = f"; the source was kept ({ending.why_kept})" if ending.why_kept else ""
    place = f"s3://{png['bucket']}/{png['key']}"
    count = len(png.get("renditions", ()))
    more = f" and {counted(count, 'rendition')}" if count else ""
    return f"{png['width']} x {png['height']}, {size(png['size'])}, {place}{more}{kept}"
