"""Upload: put a JPEG that came by HTTP into the source bucket."""

from http import HTTPStatus
from typing import Any

from image_converter import clients, file_types, http_api, log, settings
from image_converter.events import Event
from image_converter.http_api import Refusal

PATH = "/upload"

clients.prepare(clients.s3)


def handler(event: Event, context: object) -> dict[str, Any]:
    """Store the body of `POST /upload?name=photo.jpg` in the source bucket.

    Args:
        event: an HTTP API event, payload format 2.0.
        context: Lambda's context; not used.

    Returns:
        202 with bucket, key and version id, or 400, 404, 405, 413, 415 with a sentence that says
        why.
    """
    chosen = settings.load(settings.UploadSettings)
    try:
        http_api.check_route(event, "POST", PATH)
        name = http_api.image_name(event)
        body = http_api.body(event, chosen.max_upload_bytes)
        _check_type(body)
    except Refusal as refusal:
        log.info("upload refused", status=refusal.status, reason=str(refusal))
        return http_api.answer(refusal.status, {"message": str(refusal)}, refusal.headers)
    stored = clients.s3().put_object(
        Bucket=chosen.source_bucket, Key=name, Body=body, ContentType="image/jpeg"
    )
    log.info("uploaded", key=name, size=len(body))
    return http_api.answer(
        HTTPStatus.ACCEPTED,
        {"bucket": chosen.source_bucket, "key": name, "versionId": stored.get("VersionId")},
    )


def _check_type(body: bytes) -> None:
    if file_types.identify(body[: file_types.BYTES_NEEDED]) != "jpg":
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "the body is not a JPEG: its first bytes must be FF D8 FF, "
            "whatever its name and Content-Type say",
        )
