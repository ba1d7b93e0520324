"""S3: copies are conditional, listings hold every key, versions without an id are "null".

A bucket that keeps versions, or once did, sends the id of a version: "null" where it has none.
Events on the bus name the object's version, as notifications do.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/AddingObjectstoVersionSuspendedBuckets.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
import re
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import unescape

from ministack.services import eventbridge, s3

from scripts.local_aws.patches.answers import Call, Handler, Json, Response
from scripts.local_aws.patches.around import around

# No XML parser: a listing with such a character is not XML, which is the reason to encode it.
_KEYS = re.compile(r"<(Delimiter|Key|KeyMarker|NextKeyMarker|Prefix)>(.*?)</\1>", re.DOTALL)

# Parameters of a request for the object itself; any other asks for something of it, like its ACL.
_OF_THE_OBJECT = {"versionId", "partNumber", "x-id"}

_VERSION: ContextVar[str | None] = ContextVar("version", default=None)


@around(s3._copy_object)
def copy_object(copy: Handler, bucket_name: str, dest_key: str, headers: Json) -> Response:
    """Honour If-Match and If-None-Match on the destination."""
    bucket = s3._ensure_bucket(bucket_name) or {"objects": {}}
    refused: Response | None = s3._check_put_preconditions(headers, bucket["objects"].get(dest_key))
    return refused or copy(bucket_name, dest_key, headers)


@around(s3._list_object_versions)
def list_object_versions(list_versions: Handler, bucket_name: str, query: Json) -> Response:
    """Encode keys where the request asks for it."""
    status, headers, body = list_versions(bucket_name, query)
    if status == HTTPStatus.OK and s3._qp(query, "encoding-type", "") == "url":
        body = url_encoded(body)
    return status, headers, body


@around(s3._dispatch)
def dispatch(
    original: Handler, method: str, bucket: str, key: str, headers: Json, body: bytes, query: Json
) -> Response:
    """Know GetBucketRequestPayment by its name on the wire, and name the version "null"."""
    if method == "GET" and "requestPayment" in query:
        query = {**query, "request-payment": [""]}
    status, answered, content = original(method, bucket, key, headers, body, query)
    of_object = method in ("GET", "HEAD", "PUT") and not query.keys() - _OF_THE_OBJECT
    if key and of_object and status < HTTPStatus.BAD_REQUEST and s3._bucket_versioning.get(bucket):
        # The emulator does so only at deletes and where the request names this version.
        answered = {"x-amz-version-id": "null", **answered}
    return status, answered, content


def url_encoded(listing: bytes) -> bytes:
    """Return a ListObjectVersions answer with its keys URL-encoded.

    XML cannot hold every character that a key can; encoded, it holds them all.
    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

    Parameters:
        listing: the XML of the answer, with plain keys.
    """
    encoded = _KEYS.sub(_encode, listing.decode())
    body, end, rest = encoded.rpartition("</ListVersionsResult>")
    return f"{body}<EncodingType>url</EncodingType>{end}{rest}".encode()


def _encode(element: re.Match[str]) -> str:
    name, key = element.groups()
    return f"<{name}>{quote(unescape(key), safe='/')}</{name}>"


@around(s3._fire_s3_event)
def fire_s3_event(fire: Call, *args: object, **fields: Any) -> None:
    """Remember the version for the event on the bus, which is sent meanwhile."""
    token = _VERSION.set(fields.get("version_id"))
    try:
        fire(*args, **fields)
    finally:
        _VERSION.reset(token)


@around(eventbridge._dispatch_event)
def dispatch_event(dispatch: Call, event: Json, view: object = None) -> None:
    """Put the version into an event of S3's."""
    version = _VERSION.get()
    if version and event["Source"] == "aws.s3":
        detail = json.loads(event["Detail"])
        detail["object"]["version-id"] = version
        event, view = {**event, "Detail": json.dumps(detail)}, None
    dispatch(event, view)
