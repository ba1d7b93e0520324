"""Uploads, as the notification of one becomes an execution."""

import io
import mimetypes
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from boto3.s3.transfer import TransferConfig

from image_converter import keys
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect

_PART = 16 * 1024**2  # bytes
_TIMEOUT_SECONDS = 120  # of an execution, from its upload


def send(
    clients: Clients,
    stack: Deployment,
    key: str,
    content: IO[bytes],
    content_type: str,
    progress: Callable[[int], None] | None = None,
) -> str:
    """Put an object into the source bucket, big ones in parts; return its version.

    Nothing is stored if reading raises an exception.

    Parameters:
        content: a file, or a stream of which little is kept in memory.
        progress: called with each number of bytes that is sent.
    """
    s3 = clients.client("s3")  # of this upload only, so that what it hears is about this upload
    versions: list[str] = []
    for operation in ("PutObject", "CompleteMultipartUpload"):
        s3.meta.events.register(
            f"after-call.s3.{operation}",
            lambda parsed, **_: versions.append(parsed.get("VersionId") or ""),
        )
    s3.upload_fileobj(
        content,
        stack.source_bucket,
        key,
        ExtraArgs={"ContentType": content_type},
        Callback=progress,
        Config=TransferConfig(
            multipart_threshold=_PART,
            multipart_chunksize=_PART,
            use_threads=content.seekable(),  # several parts of a stream would wait in memory
        ),
    )
    return versions[-1]


def send_file(
    clients: Clients,
    stack: Deployment,
    key: str,
    file: Path,
    progress: Callable[[int], None] | None = None,
) -> str:
    """Put a file into the source bucket, as `send` does; its name says which type it is of."""
    content_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    with file.open("rb") as content:
        return send(clients, stack, key, content, content_type, progress)


def files_in(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a file, or those below a folder that are not hidden, each with its name below it."""
    if path.is_file():
        yield path, path.name
        return
    for file in sorted(path.rglob("*")):
        if file.is_file() and not file.name.startswith("."):
            yield file, file.relative_to(path).as_posix()


def convert(clients: Clients, stack: Deployment, key: str, jpeg: bytes) -> str:
    """Put an image into a STANDARD stack; return its execution's ARN once that has ended.

    Raises:
        TimeoutError: it has not.
    """
    version = send(clients, stack, key, io.BytesIO(jpeg), "image/jpeg")
    name = keys.execution_name(stack.source_bucket, key, version)
    source = collect.source(clients, stack)
    return wait.until(f"{name} to end", lambda: source.ended(name), _TIMEOUT_SECONDS).arn
