"""What an error quotes cannot act on a terminal: with log_format = Text, it is logged as it is."""

from collections.abc import Callable
from typing import Any

import pytest

from image_converter import clients, errors
from image_converter.handlers import (
    copy_file,
    delete_file,
    get_file_type,
    resize_image,
    write_to_dynamodb,
)
from tests.support.fake_cloud import SOURCE, Cloud
from tests.support.faults import refuse
from tests.support.images import jpeg

# It sets a terminal's title, begins a line, and reads backwards.
NASTY = "a\x1b]0;title\x07\n\u202egpj.b\u200f"
KEY = f"{NASTY}.jpg"


def _empty(cloud: Cloud) -> object:
    return get_file_type.handler(cloud.upload(KEY, b""), None)


def _named_like_a_jpeg(cloud: Cloud) -> object:
    return get_file_type.handler(cloud.upload(KEY, b"words"), None)


def _starting_like_a_jpeg(cloud: Cloud) -> object:
    return get_file_type.handler(cloud.upload(NASTY, b"\xff\xd8words"), None)


def _gone(cloud: Cloud) -> object:
    record = cloud.upload(KEY, jpeg())
    record["s3"]["object"]["versionId"] = "null"
    return copy_file.handler(record, None)


def _changed(cloud: Cloud) -> object:
    record = cloud.upload(KEY, jpeg())
    record["s3"]["object"]["eTag"] = NASTY.replace("\n", "").replace("\x07", "")
    return copy_file.handler(record, None)


def _archived(cloud: Cloud) -> object:
    refuse(clients.s3(), "GetObject", "InvalidObjectState", 403)
    return resize_image.handler(cloud.upload(KEY, jpeg()), None)


def _bucket(cloud: Cloud) -> object:
    record = cloud.upload(KEY, jpeg())
    record["s3"]["bucket"]["name"] = f"{SOURCE}{NASTY}"
    return get_file_type.handler(record, None)


def _large(cloud: Cloud) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAX_IMAGE_BYTES", "500")
        return resize_image.handler(cloud.upload(KEY, jpeg()), None)


def _long(cloud: Cloud) -> object:
    return resize_image.handler(cloud.upload(NASTY.ljust(1018, "x"), jpeg()), None)


def _neither_copied_nor_converted(cloud: Cloud) -> object:
    return delete_file.handler({**cloud.upload(KEY, jpeg()), "results": {"fileType": "jpg"}}, None)


def _without_images(cloud: Cloud) -> object:
    return write_to_dynamodb.handler({**cloud.upload(KEY, jpeg()), "results": {}}, None)


def _overwritten(cloud: Cloud) -> object:
    source = {"sourceVersionId": "1", "sourceETag": "1", "sourceLastModified": "1"}
    images = [{"original": source}, {"resized": {**source, "sourceVersionId": NASTY}}]
    state: dict[str, Any] = {**cloud.upload(KEY, jpeg()), "results": {"images": images}}
    return write_to_dynamodb.handler(state, None)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (_empty, errors.UnknownType),
        (_named_like_a_jpeg, errors.UnknownType),
        (_starting_like_a_jpeg, errors.UnknownType),
        (_gone, errors.SourceNotFound),
        (_changed, errors.SourceChanged),
        (_archived, errors.SourceArchived),
        (_bucket, errors.InvalidRecord),
        (_large, errors.ImageTooLarge),
        (_long, errors.KeyTooLong),
        (_neither_copied_nor_converted, errors.InvalidRecord),
        (_without_images, errors.InvalidRecord),
        (_overwritten, errors.SourceChanged),
    ],
    ids=lambda value: value.__name__.strip("_"),
)
def test_an_error_writes_out_what_a_terminal_would_obey(
    cloud: Cloud, call: Callable[[Cloud], object], error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        call(cloud)

    assert str(raised.value).isprintable(), str(raised.value)
    assert r"\x1b]0;title" in str(raised.value)
