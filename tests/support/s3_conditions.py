"""Conditions of S3 that moto leaves out, so that tests see them hold.

moto 5.2.5 evaluates If-Match and If-None-Match of PutObject, GetObject, HeadObject and
DeleteObject, and If-None-Match of CompleteMultipartUpload. It ignores, and this module adds, as AWS
documents them:

    CopyObject                x-amz-copy-source-if-match, If-Match, If-None-Match
    UploadPartCopy            x-amz-copy-source-if-match
    CompleteMultipartUpload   If-Match

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, unquote, urlparse

from moto.s3.exceptions import MissingKey, PreconditionFailed
from moto.s3.responses import S3Response

Method = Callable[..., Any]


@contextmanager
def enforced() -> Iterator[None]:
    """Have moto's S3 keep these conditions for the time of the context."""
    with ExitStack() as stack:
        for name, check in (
            ("copy_object", _check_copy),
            ("upload_part_copy", _check_source),
            ("_key_response_post", _check_completion),
        ):
            guarded = _guarded(getattr(S3Response, name), check)
            stack.enter_context(patch.object(S3Response, name, guarded))
        yield


def _guarded(method: Method, check: Callable[[S3Response], None]) -> Method:
    def guarded(response: S3Response, *args: Any, **kwargs: Any) -> Any:
        check(response)
        return method(response, *args, **kwargs)

    return guarded


def _check_copy(response: S3Response) -> None:
    _check_source(response)
    _check_destination(response)


def _check_source(response: S3Response) -> None:
    wanted = response.headers.get("x-amz-copy-source-if-match")
    if wanted is None:
        return
    source = urlparse(response.headers["x-amz-copy-source"])
    bucket, key = unquote(source.path).removeprefix("/").split("/", 1)
    version = parse_qs(source.query).get("versionId", [None])[0]
    stored = response.backend.get_object(bucket, key, version_id=version)
    if stored is not None and _bare(stored.etag) != _bare(wanted):
        raise PreconditionFailed("x-amz-copy-source-If-Match")


def _check_completion(response: S3Response) -> None:
    if response.querystring.get("uploadId"):
        _check_destination(response)


def _check_destination(response: S3Response) -> None:
    key = response.parse_key_name()
    current = response.backend.get_object(response.bucket_name, key)
    wanted = response.headers.get("If-Match")
    if wanted is not None:
        if current is None:
            raise MissingKey(key=key)
        if _bare(current.etag) != _bare(wanted):
            raise PreconditionFailed("If-Match")
    if response.headers.get("If-None-Match") == "*" and current is not None:
        raise PreconditionFailed("If-None-Match")


def _bare(etag: str) -> str:
    return etag.strip('"')
