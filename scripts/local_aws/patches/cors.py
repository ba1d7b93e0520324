"""Which pages' requests an API or a bucket invites by its CORS configuration, as on AWS."""

from collections.abc import Iterator

from ministack.services import apigateway, s3
from starlette.datastructures import Headers
from starlette.types import Scope

_FORM = "multipart/form-data"
_OTHER_SERVICES = {"authorization", "x-amz-target"}  # with these, it is a request to another one


def invites(scope: Scope) -> bool:
    """Return whether a page's request is one that its target's owner has asked for.

    That is a call of an HTTP API that lists the page's origin, or a form that is posted to a bucket
    that does, and the preflight requests of both. Wildcards invite nobody: here, they would let
    every web page in.

    Parameters:
        scope: the request, as ASGI describes it.
    """
    if scope["type"] != "http":
        return False
    headers = Headers(scope=scope)
    if len(set(headers.keys())) != len(headers):
        return False  # nothing that browsers send repeats a header
    origin = headers.get("origin", "")
    api_id, at_an_api, _rest = headers.get("host", "").partition(".execute-api.")
    if at_an_api:
        return origin in _origins_of_api(api_id)
    bucket = scope["path"].strip("/")
    if scope["query_string"] or "/" in bucket:
        return False
    if scope["method"] == "OPTIONS":
        method = headers.get("access-control-request-method", "")
    elif headers.get("content-type", "").startswith(_FORM) and _OTHER_SERVICES.isdisjoint(headers):
        method = scope["method"]
    else:
        return False
    return method == "POST" and origin in _origins_of_bucket(bucket)


def _origins_of_api(api_id: str) -> list[str]:
    for (_account, _region, stored), api in apigateway._apis.all_items():
        if stored == api_id:
            return list(api.get("corsConfiguration", {}).get("allowOrigins", []))
    return []


def _origins_of_bucket(bucket: str) -> Iterator[str]:
    for rule in s3._cors_rules(bucket) or []:
        if "POST" in rule.get("AllowedMethod", []):
            yield from rule.get("AllowedOrigin", [])
