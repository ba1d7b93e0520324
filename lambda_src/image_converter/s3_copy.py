"""Server-side copies at any size that S3 holds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from image_converter import clients
from image_converter.destination import Condition, Metadata
from image_converter.sources import Source, version_param

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html and .../API/API_CopyObject.html
MAX_SINGLE_COPY = 5 * 1024**3
MAX_PARTS = 10_000
_PART = 512 * 1024**2

_KEPT_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
)


def copy(source: Source, bucket: str, key: str, metadata: Metadata, condition: Condition) -> Any:
    """Copy the source version with its headers and tags; return S3's ETag and VersionId.

    boto3's managed copy would do, but it takes no condition on the destination and returns no
    version id.

    Raises:
        ClientError: S3 refused; a failed copy in parts leaves nothing behind.
    """
    headers = {name: source.headers[name] for name in _KEPT_HEADERS if source.headers.get(name)}
    target: dict[str, Any] = {"Bucket": bucket, "Key": key, "Metadata": metadata, **headers}
    if source.size > MAX_SINGLE_COPY:
        return _copy_in_parts(source, target, condition)
    answer = clients.s3_copies().copy_object(
        MetadataDirective="REPLACE", **_copied_from(source), **target, **condition
    )
    return {"ETag": answer["CopyObjectResult"]["ETag"], "VersionId": answer.get("VersionId")}


def _copy_in_parts(source: Source, target: dict[str, Any], condition: Condition) -> Any:
    s3 = clients.s3_copies()
    where = {"Bucket": target["Bucket"], "Key": target["Key"]}
    upload_id = s3.create_multipart_upload(**target, **_tags(source))["UploadId"]

    def copy_part(part: tuple[int, str]) -> Any:
        number, byte_range = part
        result = s3.upload_part_copy(
            PartNumber=number,
            CopySourceRange=byte_range,
            UploadId=upload_id,
            **where,
            **_copied_from(source),
        )
        return {"PartNumber": number, "ETag": result["CopyPartResult"]["ETag"]}

    try:
        with ThreadPoolExecutor(clients.COPY_CONNECTIONS) as pool:
            parts = list(pool.map(copy_part, enumerate(byte_ranges(source.size), start=1)))
        return s3.complete_multipart_upload(
            UploadId=upload_id, MultipartUpload={"Parts": parts}, **where, **condition
        )
    except BaseException:
        # The first error is the one to report; lifecycle rules remove what a failed abort leaves.
        with suppress(ClientError):
            s3.abort_multipart_upload(UploadId=upload_id, **where)
        raise


def byte_ranges(size: int) -> Iterator[str]:
    """Yield the `bytes=first-last` ranges of an object's parts, at most 10,000; `size` in bytes."""
    part = max(_PART, -(-size // MAX_PARTS))
    for first in range(0, size, part):
        yield f"bytes={first}-{min(first + part, size) - 1}"


def _copied_from(source: Source) -> dict[str, Any]:
    return {
        "CopySource": {
            "Bucket": source.record.bucket,
            "Key": source.record.key,
            **version_param(source.pinned.version_id),
        },
        "CopySourceIfMatch": f'"{source.etag}"',
    }


def _tags(source: Source) -> dict[str, Any]:
    """Return the Tagging parameter: a copy in parts does not carry the tags over by itself."""
    if not source.headers.get("TagCount"):
        return {}
    answer = clients.s3().get_object_tagging(
        Bucket=source.record.bucket,
        Key=source.record.key,
        **version_param(source.pinned.version_id),
    )
    return {"Tagging": urlencode({tag["Key"]: tag["Value"] for tag in answer["TagSet"]})}
