"""Answers of S3 about versions that have no id of their own, which AWS calls "null".

ministack leaves their header out where it writes, reads or copies the current object, and has it
where the version is asked for by that name, and at deletes. AWS always sends it in a bucket that
keeps versions, or once did.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from scripts.local_aws.patches.answers import Response

Dispatch = Callable[[str, str, str, dict[str, str], bytes, dict[str, Any]], Response]

_HEADER = "x-amz-version-id"
# What may be asked besides of the object itself; anything else names something of it, like its ACL.
_OF_THE_OBJECT = {"versionId", "partNumber", "x-id"}


def named(dispatch: Dispatch, versioning: Mapping[str, str]) -> Dispatch:
    """Return the dispatcher of S3's requests, with that header in each answer about an object.

    Args:
        dispatch: ministack's own.
        versioning: the versioning status of each bucket that has had one.
    """

    def dispatch_and_name(
        method: str,
        bucket: str,
        key: str,
        headers: dict[str, str],
        body: bytes,
        query_params: dict[str, Any],
    ) -> Response:
        status, answered, content = dispatch(method, bucket, key, headers, body, query_params)
        asked = method in ("GET", "HEAD", "PUT") and not query_params.keys() - _OF_THE_OBJECT
        if key and asked and status < HTTPStatus.BAD_REQUEST and versioning.get(bucket):
            answered = {_HEADER: "null", **answered}
        return status, answered, content

    return dispatch_and_name
