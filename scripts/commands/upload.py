"""Send files to the source bucket: ``python -m scripts.commands.upload FILE...``.

Big files go in parts. With `--wait` it stays until each image has been handled, with `--out` it
brings the PNGs.
"""

from __future__ import annotations

import argparse
import mimetypes
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boto3.s3.transfer import TransferConfig
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from image_converter import keys
from scripts.commands.watch import STYLES
from scripts.lib import deployed, user_errors, wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import endings
from scripts.lib.executions.endings import Ending
from scripts.lib.terminal import Console, visible
from scripts.lib.text import duration, size
from scripts.lib.user_errors import UserError

_PARTS = TransferConfig(multipart_threshold=16 * 1024**2, multipart_chunksize=16 * 1024**2)
_PATIENCE_SECONDS = 900  # for all images together; a queue may be before them


@dataclass
class Upload:
    """A file on its way.

    Attributes:
        path: the file.
        key: what it is called in the source bucket.
        version: the version that the upload made.
        ending: how its handling ended, once it has.
    """

    path: Path
    key: str
    version: str = ""
    ending: Ending | None = field(default=None, repr=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 if all went up and nothing waited for failed."""
    parser = argparse.ArgumentParser(prog="python -m scripts.commands.upload", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="files, or folders")
    parser.add_argument("--name", default=deployed.name(), help="the stack's name")
    parser.add_argument("--prefix", default="", help="prefix of each key, for example holiday/")
    parser.add_argument("--wait", action="store_true", help="until all images have been handled")
    parser.add_argument("--out", type=Path, help="a folder for the PNGs; implies --wait")
    options = parser.parse_args(arguments)
    return user_errors.run(lambda: _upload(options, Console(highlight=False)))


def _upload(options: argparse.Namespace, console: Console) -> int:
    uploads = chosen(options.files, options.prefix)
    clients = deployed.connect()
    stack = deployed.find(clients, options.name)
    with _progress(console) as show:
        for upload in uploads:
            _send(clients, stack, upload, show)
    console.print(f"{len(uploads)} uploaded to s3://{stack.source_bucket}", soft_wrap=True)
    if not (options.wait or options.out):
        follow = "status IMAGE=..." if stack.express else "watch"
        console.print(f"`make {follow}` shows what happens to them.")
        return 0
    return 0 if _wait(clients, stack, uploads, options.out, console) else 1


def chosen(paths: Iterable[Path], prefix: str = "") -> list[Upload]:
    """Return what is to be uploaded, under which key.

    A file's key is its name; what is in a folder keeps its path below it.

    Raises:
        UserError: a file is missing, empty folders only, or two would get the same key.
    """
    uploads: dict[str, Upload] = {}
    for path in paths:
        if not path.exists():
            raise UserError(f"There is no file {path}.")
        for file, name in files_in(path):
            key = prefix + name
            if key in uploads:
                other = uploads[key].path
                raise UserError(
                    f"{other} and {file} would both be called {key}. Upload them separately with "
                    "different PREFIX=..., or rename one."
                )
            if len(key.encode()) > keys.MAX_KEY_BYTES:
                raise UserError(f"{file}: S3 allows names of at most {keys.MAX_KEY_BYTES} bytes.")
            uploads[key] = Upload(file, key)
    if not uploads:
        raise UserError("FILES contains no files.")
    return list(uploads.values())


def files_in(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a file, or those below a folder that are not hidden, each with its name below it."""
    if path.is_file():
        yield path, path.name
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            yield file, file.relative_to(path).as_posix()


class _Show:
    """Tells how far each file is: a bar where the output is a terminal, else a line at its end."""

    def __init__(self, console: Console, bars: Progress | None) -> None:
        self._console = console
        self._bars = bars

    @contextmanager
    def file(self, upload: Upload) -> Iterator[Any]:
        """Yield what boto3 is to call with each number of bytes that is sent."""
        total = upload.path.stat().st_size
        if self._bars is None:
            yield None
            self._console.print(
                f"sent {visible(upload.key)}, {size(total)}", soft_wrap=True, markup=False
            )
            return
        bars = self._bars
        task = bars.add_task(visible(upload.key), total=total)

        def advance(count: int) -> None:
            bars.advance(task, count)

        yield advance
        bars.update(task, completed=total)


@contextmanager
def _progress(console: Console) -> Iterator[_Show]:
    if not console.is_terminal:
        yield _Show(console, None)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield _Show(console, bars)


def _send(clients: Clients, stack: Deployment, upload: Upload, show: _Show) -> None:
    s3 = clients.client("s3")  # one for each file, so that what it hears is about that file
    versions: list[str] = []
    for operation in ("PutObject", "CompleteMultipartUpload"):
        s3.meta.events.register(
            f"after-call.s3.{operation}",
            lambda parsed, **_: versions.append(parsed.get("VersionId") or ""),
        )
    content_type = mimetypes.guess_type(upload.path.name)[0] or "application/octet-stream"
    with show.file(upload) as sent:
        s3.upload_file(
            str(upload.path),
            stack.source_bucket,
            upload.key,
            ExtraArgs={"ContentType": content_type},
            Callback=sent,
            Config=_PARTS,
        )
    upload.version = versions[-1]


def _wait(
    clients: Clients,
    stack: Deployment,
    uploads: Sequence[Upload],
    out: Path | None,
    console: Console,
) -> bool:
    """Print the outcome of each image as it arrives; return whether all were handled correctly."""
    left = list(uploads)

    def some_have_ended() -> bool:
        for upload in list(left):
            upload.ending = endings.find(clients, stack, upload.key, upload.version)
            if upload.ending is not None:
                left.remove(upload)
                _tell(clients, upload.key, upload.ending, out, console)
        return not left

    with (
        console.status("Waiting for the images to be handled") if console.is_terminal else _quiet()
    ):
        try:
            wait.until("all images to be handled", some_have_ended, _PATIENCE_SECONDS)
        except TimeoutError as error:
            names = ", ".join(visible(upload.key) for upload in left[:5])
            raise UserError(
                f"After {duration(_PATIENCE_SECONDS)} {len(left)} images have not been handled yet "
                f"({names}). `make status IMAGE=...` shows where they are."
            ) from error
    return all(upload.ending.good for upload in uploads if upload.ending)


@contextmanager
def _quiet() -> Iterator[None]:
    yield


def _tell(clients: Clients, key: str, ending: Ending, out: Path | None, console: Console) -> None:
    words = f"{ending.outcome.sign} {visible(key)}  {ending.kind}"
    took = "" if ending.seconds is None else f"{duration(ending.seconds)}  "
    console.print(words, style=STYLES[ending.outcome.tone], end="", markup=False, soft_wrap=True)
    console.print(f"  {took}{visible(_said(ending))}", markup=False, soft_wrap=True)
    png = ending.png
    if out and png:
        target = _inside(out, png["key"])
        target.parent.mkdir(parents=True, exist_ok=True)
        version = {"VersionId": png["versionId"]} if png.get("versionId") else None
        clients.s3.download_file(png["bucket"], png["key"], str(target), ExtraArgs=version)
        console.print(f"  {visible(str(target))}", markup=False, soft_wrap=True)


def _inside(folder: Path, key: str) -> Path:
    """Return the file for a key; a key with `..` in it must not lead out of the folder."""
    target = folder / key.lstrip("/")
    inside = target.resolve().is_relative_to(folder.resolve())
    return target if inside else folder / key.replace("/", "_")


def _said(ending: Ending) -> str:
    png = ending.png
    if png is None:
        return ending.sentence
    kept = f"; the source was kept ({ending.why_kept})" if ending.why_kept else ""
    place = f"s3://{png['bucket']}/{png['key']}"
    return f"{png['width']} x {png['height']}, {size(png['size'])}, {place}{kept}"


if __name__ == "__main__":
    sys.exit(main())
