"""Upload: put a JPEG that came by HTTP into the source bucket, or say where to put a larger one."""

from http import HTTPStatus
from typing import Any

from image_converter import (
    clients,
    file_types,
    http_api,
    keys,
    layer,
    log,
    presigned_post,
    settings,
)
from image_converter.errors import KeyTooLong, LayerMismatch
from image_converter.events import Event
from image_converter.http_api import HttpError
from image_converter.settings import UploadSettings

PATH = "/upload"
FORM_PATH = "/upload-url"

_UPDATE_SECONDS = 10  # longer than Terraform's two requests and the wait between them

clients.warm_up(clients.s3)


def handler(event: Event, context: object) -> dict[str, Any]:
    """Store the body of `POST /upload?name=photo.jpg`, or answer `POST /upload-url?name=photo.jpg`.

    Args:
        event: an HTTP API event, payload format 2.0.
        context: Lambda's context; not used.

    Returns:
        202 with bucket, key and version id; of /upload-url, 200 with url, fields and expires of a
        form; or 400, 404, 405, 413, 415, 503 with a sentence that says why.
    """
    log.begin()
    try:
        layer.check()
    except LayerMismatch as mismatch:
        log.error("upload refused", status=HTTPStatus.SERVICE_UNAVAILABLE, reason=str(mismatch))
        return _updating()
    config = settings.load(UploadSettings)
    try:
        path = http_api.route(event, "POST", (PATH, FORM_PATH))
        name = http_api.image_name(event)
        _check_rendition_keys(config, name)
        return _form(config, name) if path == FORM_PATH else _store(config, name, event)
    except HttpError as refusal:
        log.info("upload refused", status=refusal.status, reason=str(refusal))
        return http_api.response(refusal.status, {"message": str(refusal)}, refusal.headers)


def _updating() -> dict[str, Any]:
    return http_api.response(
        HTTPStatus.SERVICE_UNAVAILABLE,
        {"message": "the function is being updated: try again in some seconds"},
        {"retry-after": str(_UPDATE_SECONDS)},
    )


def _store(config: UploadSettings, name: str, event: Event) -> dict[str, Any]:
    body = http_api.body(event, config.max_upload_bytes)
    _check_type(body)
    stored = clients.s3().put_object(
        Bucket=config.source_bucket, Key=name, Body=body, ContentType=presigned_post.CONTENT_TYPE
    )
    log.info("uploaded", key=name, size=len(body))
    return http_api.response(
        HTTPStatus.ACCEPTED,
        {"bucket": config.source_bucket, "key": name, "versionId": stored.get("VersionId")},
    )


def _form(config: UploadSettings, name: str) -> dict[str, Any]:
    form = presigned_post.upload_form(
        config.source_bucket, name, config.max_form_bytes, config.form_seconds
    )
    log.info("form given", key=name, expires=form["expires"])  # the form itself opens the bucket
    return http_api.response(HTTPStatus.OK, form, {"cache-control": "no-store"})


def _check_rendition_keys(config: UploadSettings, name: str) -> None:
    """Refuse the name of an image whose renditions would have keys that are too long.

    `http_api.image_name` has checked the key of the default PNG.
    """
    if not config.renditions:
        return
    from image_converter import renditions  # noqa: PLC0415 - most stacks have only the PNG

    for rendition in renditions.parse(config.renditions):
        try:
            rendition.key_for(name)
        except KeyTooLong as error:
            raise HttpError(
                HTTPStatus.BAD_REQUEST,
                f"the name is too long for rendition '{rendition.name}', whose key would have more "
                f"than {keys.MAX_KEY_BYTES:,} bytes: choose a shorter one",
            ) from error


def _check_type(body: bytes) -> None:
    if file_types.identify(body[: file_types.BYTES_NEEDED]) != "jpg":
        raise HttpError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "the body is not a JPEG: its first bytes must be FF D8 FF, "
            "whatever its name and Content-Type say",
        )
