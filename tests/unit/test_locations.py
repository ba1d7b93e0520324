"""What the state leaves out of the images' locations is there again when they are read."""

from typing import Any

import pytest

from image_converter import locations
from image_converter.errors import InvalidRecord
from image_converter.events import Copy, Record
from image_converter.locations import Location

VERSION, ETAG, MODIFIED = "v1", "e1", "2026-01-02T03:04:05Z"
VERSION_AND_ETAG = Record("source", "a.jpg", VERSION, ETAG)
KEY_ONLY = Record("source", "a.jpg")
RECORDS = {
    "version and ETag": VERSION_AND_ETAG,
    "version": Record("source", "a.jpg", VERSION),
    "ETag": Record("source", "a.jpg", etag=ETAG),
    "versioning suspended": Record("source", "a.jpg", "null", ETAG),
    "key only": KEY_ONLY,
    "reprocess": VERSION_AND_ETAG._replace(copy=Copy("copies", "a.jpg", None, "c", MODIFIED)),
}
WHOLE: Location = {
    "sourceVersionId": VERSION,
    "sourceETag": ETAG,
    "sourceLastModified": MODIFIED,
}


def image(key: str, content_type: str, record: Record) -> Location:
    own_version = record.version_id != "null"
    source: Location = {**WHOLE, "sourceVersionId": VERSION if own_version else ETAG}
    return {"bucket": "destination", "key": key, "contentType": content_type, **source}


def state(record: Record, original: Any, resized: Any) -> dict[str, Any]:
    item = {"key": record.key, "versionId": record.version_id, "eTag": record.etag}
    images = [{"original": original}, {"resized": resized}]
    return {
        "s3": {"bucket": {"name": record.bucket}, "object": item},
        "results": {"images": images},
    }


@pytest.mark.parametrize("jpeg_type", ["image/jpeg", "binary/octet-stream"])
@pytest.mark.parametrize("formats", [["png"], ["webp"], ["png", "png"], ["webp", "png", "avif"]])
@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_what_was_left_out_is_filled_in_again(
    record: Record, formats: list[str], jpeg_type: str
) -> None:
    original = image("a.jpg", jpeg_type, record)
    resized, *further = (image(f"a.{name}", f"image/{name}", record) for name in formats)
    if further:
        resized["renditions"] = further

    shortened = state(
        record,
        locations.shortened_original(original, record),
        locations.shortened_resized(resized, record),
    )

    assert locations.required_images(shortened) == (original, resized)


def test_the_state_does_not_repeat_what_the_input_says() -> None:
    record = VERSION_AND_ETAG
    original, resized = image("a.jpg", "image/jpeg", record), image("a.png", "image/png", record)
    resized["renditions"] = [image("small.png", "image/png", record)]

    place = {"bucket": "destination"}
    assert locations.shortened_original(original, record) == {
        **place,
        "key": "a.jpg",
        "sourceLastModified": MODIFIED,
    }
    assert locations.shortened_resized(resized, record) == {
        **place,
        "key": "a.png",
        "renditions": [{**place, "key": "small.png", "contentType": "image/png"}],
    }


def test_the_state_says_what_the_input_does_not() -> None:
    original = image("a.jpg", "binary/octet-stream", KEY_ONLY)
    resized = image("a.webp", "image/webp", KEY_ONLY)
    assert locations.shortened_original(original, KEY_ONLY) == original
    assert locations.shortened_resized(resized, KEY_ONLY) == resized


def test_reading_a_state_does_not_change_it() -> None:
    shortened = state(VERSION_AND_ETAG, {"sourceLastModified": MODIFIED}, {"renditions": [{}]})
    locations.required_images(shortened)
    assert shortened["results"]["images"][1] == {"resized": {"renditions": [{}]}}


def test_what_an_image_says_itself_counts() -> None:
    another = {"sourceVersionId": "v2", "sourceETag": "e2", "sourceLastModified": "m2"}

    original, resized = locations.required_images(
        state(VERSION_AND_ETAG, {"sourceLastModified": MODIFIED}, another)
    )

    assert resized == {**another, "contentType": "image/png"}
    assert locations.source_fields(original) != locations.source_fields(resized)


@pytest.mark.parametrize("name", ["key only", "ETag", "versioning suspended"])
def test_without_a_version_id_each_image_says_when_it_was_created(name: str) -> None:
    resized = {"sourceVersionId": ETAG, "sourceETag": ETAG}
    original = {**resized, "sourceLastModified": MODIFIED}
    with pytest.raises(InvalidRecord, match="sourceLastModified"):
        locations.required_images(state(RECORDS[name], original, resized))


def test_an_execution_without_images_has_none() -> None:
    assert locations.converted_images({"results": {"fileType": "txt"}}) is None
    assert locations.converted_images({}) is None


@pytest.mark.parametrize(
    "images",
    [
        [],
        [{"original": {}}],
        [{"original": {}}, {}],
        [{}, {"resized": {}}],
        "text",
        {"original": {}},
        [{"original": WHOLE}, {"resized": {}}],
        [{"original": {}}, {"resized": WHOLE}],
    ],
)
def test_images_that_are_not_both_there_are_refused(images: object) -> None:
    incomplete = {**state(KEY_ONLY, {}, {}), "results": {"images": images}}
    with pytest.raises(InvalidRecord, match="images"):
        locations.converted_images(incomplete)
