"""A JPEG becomes a PNG with its pixels, and what is damaged or too large becomes a named error."""

import json
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.response import StreamingBody
from PIL import Image

from image_converter import clients, destination, locations, renditions
from image_converter.conversion import convert_all
from image_converter.conversion.model import Conversions
from image_converter.errors import (
    DamagedImage,
    ImageTooLarge,
    InvalidRecord,
    InvalidSettings,
    KeyTooLong,
    PermanentError,
    SourceChanged,
    SourceNotFound,
    UnsupportedImage,
)
from image_converter.handlers.resize_image import handler
from tests.support.awkward_keys import AWKWARD_KEYS
from tests.support.fake_cloud import DESTINATION, REGION, SOURCE, Cloud, recorded
from tests.support.faults import observe, refuse
from tests.support.images import jpeg, pixels, saved
from tests.support.jpeg.editing import END, cut

# Every awkward key has a PNG key that S3 allows.
AWKWARD = {name: key for name, key in AWKWARD_KEYS.items() if len(key.encode()) <= 1024}


def encoded(file_format: str) -> bytes:
    return saved(Image.new("RGB", (4, 4), "red"), file_format)


@pytest.mark.parametrize("key", AWKWARD.values(), ids=AWKWARD)
def test_the_png_has_the_jpeg_s_pixels(cloud: Cloud, key: str) -> None:
    answer = handler(cloud.upload(key, jpeg(30, 20)), None)
    current = cloud.s3.head_object(Bucket=DESTINATION, Key=answer["key"])
    png = cloud.content(DESTINATION, answer["key"])
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert pixels(png) == pixels(jpeg(30, 20))
    assert current["ContentType"] == "image/png"
    assert answer == {
        "region": REGION,
        "bucket": DESTINATION,
        "key": answer["key"],
        "versionId": current["VersionId"],
        "eTag": current["ETag"].strip('"'),
        "size": len(png),
        "width": 30,
        "height": 20,
    }


def test_the_answer_has_what_the_article_prints(cloud: Cloud) -> None:
    article = recorded("article_output")["images"][1]["resized"]
    answer = handler(cloud.upload("1.jpg", jpeg()), None)
    assert article.keys() <= answer.keys()
    assert answer["key"] == article["key"]


def test_a_jpeg_called_txt_is_converted(cloud: Cloud) -> None:
    assert handler(cloud.upload("a.txt", jpeg()), None)["key"] == "a.txt.png"


def test_bytes_outside_the_image_are_logged(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    image = jpeg()
    handler(cloud.upload("stray.jpg", image[:20] + bytes(7) + image[20:] + b"video"), None)
    assert '"skippedBytes":7,"trailingBytes":5' in capsys.readouterr().out
    handler(cloud.upload("whole.jpg", image), None)
    assert "skippedBytes" not in capsys.readouterr().out


def test_a_repeated_conversion_writes_nothing_and_answers_the_same(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg())
    first = handler(record, None)
    assert handler(record, None) == first
    assert cloud.version_count(DESTINATION) == 1


def test_a_repeated_conversion_by_another_encoder_writes_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The layer may have been updated between two attempts."""
    record = cloud.upload("a.jpg", jpeg())
    first = handler(record, None)

    def longer(*arguments: Any) -> Conversions:
        conversions = convert_all(*arguments)
        encoded = tuple(file._replace(size=file.size + 1) for file in conversions.encoded)
        return conversions._replace(encoded=encoded)

    monkeypatch.setattr("image_converter.handlers.resize_image.convert_all", longer)
    assert handler(record, None) == first
    assert cloud.version_count(DESTINATION) == 1


def test_another_compression_replaces_the_png(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = cloud.upload("a.jpg", jpeg())
    first = handler(record, None)
    monkeypatch.setenv("PNG_COMPRESSION", "smallest")
    second = handler(record, None)
    assert second["key"] == first["key"] == "a.png"
    assert second["versionId"] != first["versionId"]
    assert pixels(cloud.content(DESTINATION, "a.png")) == pixels(jpeg())


@pytest.mark.parametrize(
    ("content", "error"),
    [
        pytest.param(jpeg(64, 64)[:-300], DamagedImage, id="truncated"),
        pytest.param(jpeg()[:4], DamagedImage, id="header only"),
        pytest.param(b"just words", UnsupportedImage, id="text"),
        pytest.param(b"", UnsupportedImage, id="empty"),
        pytest.param(encoded("PNG"), UnsupportedImage, id="png"),
        pytest.param(encoded("GIF"), UnsupportedImage, id="gif"),
    ],
)
def test_what_is_not_a_complete_jpeg_is_a_named_error_and_stays(
    cloud: Cloud, content: bytes, error: type[PermanentError]
) -> None:
    with pytest.raises(error):
        handler(cloud.upload("a.jpg", content), None)
    assert cloud.content(SOURCE, "a.jpg") == content
    assert cloud.keys(DESTINATION) == set()


def test_too_many_bytes_are_refused_before_they_are_read(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_IMAGE_BYTES", "500")

    def read(*_: Any, **__: Any) -> bytes:
        raise AssertionError("the body was read")

    monkeypatch.setattr(StreamingBody, "read", read)
    record = cloud.upload("a.jpg", jpeg(64, 64))
    with pytest.raises(ImageTooLarge, match=rf"'s3://{SOURCE}/a.jpg' has [\d,]+ bytes.*500"):
        handler(record, None)


def test_as_many_bytes_as_allowed_are_converted(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_IMAGE_BYTES", str(len(jpeg())))
    assert handler(cloud.upload("a.jpg", jpeg()), None)["key"] == "a.png"


def test_too_many_pixels_are_refused(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAX_IMAGE_PIXELS", "599")
    with pytest.raises(ImageTooLarge, match="599"):
        handler(cloud.upload("a.jpg", jpeg(30, 20)), None)


def test_a_key_whose_png_has_none_is_refused(cloud: Cloud) -> None:
    with pytest.raises(KeyTooLong):
        handler(cloud.upload("x" * 1021, jpeg()), None)


def test_the_version_that_the_record_names_is_converted(cloud: Cloud) -> None:
    earlier = cloud.upload("a.jpg", jpeg())
    cloud.upload("a.jpg", jpeg(seed=1))
    handler(earlier, None)
    assert pixels(cloud.content(DESTINATION, "a.png")) == pixels(jpeg())


def test_another_object_than_the_record_s(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg())
    record["s3"]["object"].update(eTag="0" * 32, versionId=None)
    with pytest.raises(SourceChanged, match="0" * 32):
        handler(record, None)


def test_an_object_that_is_gone(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg())
    version = record["s3"]["object"]["versionId"]
    cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg", VersionId=version)
    with pytest.raises(SourceNotFound):
        handler(record, None)


@pytest.mark.usefixtures("cloud")
def test_an_input_that_is_not_a_record() -> None:
    with pytest.raises(InvalidRecord):
        handler({}, None)


@pytest.mark.parametrize("variable", ["DESTINATION_BUCKET", "MAX_IMAGE_BYTES", "MAX_IMAGE_PIXELS"])
def test_its_settings_are_needed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(InvalidSettings, match=variable):
        handler(cloud.upload("a.jpg", jpeg()), None)


def test_a_connection_that_breaks_off_within_the_body_may_be_tried_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = cloud.upload("a.jpg", jpeg())

    def read(*_: Any, **__: Any) -> bytes:
        raise ReadTimeoutError(endpoint_url="https://aws.test")

    with monkeypatch.context() as broken:
        broken.setattr(StreamingBody, "read", read)
        with pytest.raises(ReadTimeoutError):
            handler(record, None)
    assert handler(record, None)["key"] == "a.png"


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "AccessDenied"])
def test_an_error_that_may_pass_is_raised_as_it_is(cloud: Cloud, code: str) -> None:
    record = cloud.upload("a.jpg", jpeg())
    refuse(clients.s3(), "PutObject", code, 503)
    with pytest.raises(ClientError, match=code):
        handler(record, None)


def test_the_marks_of_a_png_always_fit(cloud: Cloud) -> None:
    answer = handler(cloud.upload("x" * 1020 + ".jpg", jpeg()), None)
    written = cloud.metadata(answer["key"])
    assert sum(len(name) + len(value) for name, value in written.items()) < (
        destination.MAX_METADATA_BYTES
    )


THUMB = {"name": "thumb", "format": "webp", "max_width": 8, "cache_control": "max-age=60"}
SMALL = {"name": "small", "format": "jpeg", "max_width": 12}


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    _ask_for(monkeypatch, {"name": "png", "format": "png"}, THUMB, SMALL)


def _ask_for(monkeypatch: pytest.MonkeyPatch, *entries: dict[str, Any]) -> None:
    monkeypatch.setenv("RENDITIONS", json.dumps(entries))


def test_the_default_written_out_changes_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = cloud.upload("a.jpg", jpeg())
    answer = handler(record, None)
    _ask_for(monkeypatch, {"name": "png", "format": "png"})
    assert handler(record, None) == answer
    assert cloud.version_count(DESTINATION) == 1
    assert not {"renditions", "settings"} & answer.keys()
    assert cloud.metadata("a.png").keys() == {
        *("source-key-hash", "source-version", "source-modified", "source-sequencer"),
        *("png-compression", "image-width", "image-height", "image-bytes"),
    }


@pytest.mark.usefixtures("three")
def test_further_renditions_are_listed_with_the_first(cloud: Cloud) -> None:
    answer = handler(cloud.upload("b/a.jpg", jpeg(24, 16)), None)
    assert answer["key"] == "b/a.png"
    assert "contentType" not in answer  # image/png
    wanted = renditions.parse(os.environ["RENDITIONS"])
    assert answer["settings"] == renditions.settings_hash(wanted)
    expected = [
        ("thumb", "webp", "b/a-thumb.webp", 8, 5),
        ("small", "jpeg", "b/a-small.jpg", 12, 8),
    ]
    common = {
        name: value
        for name, value in answer.items()
        if name in ("region", "bucket", *locations.SOURCE_FIELDS)
    }
    assert len(answer["renditions"]) == len(expected)
    for rendition, (name, image_format, key, width, height) in zip(
        answer["renditions"], expected, strict=True
    ):
        stored = cloud.s3.head_object(Bucket=DESTINATION, Key=key)
        assert rendition == {
            **common,
            "name": name,
            "format": image_format,
            "key": key,
            "eTag": stored["ETag"].strip('"'),
            "versionId": stored["VersionId"],
            "contentType": f"image/{image_format}",
            "width": width,
            "height": height,
            "size": len(cloud.content(DESTINATION, key)),
        }
    thumb = cloud.s3.head_object(Bucket=DESTINATION, Key="b/a-thumb.webp")
    assert (thumb["ContentType"], thumb["CacheControl"]) == ("image/webp", "max-age=60")


@pytest.mark.usefixtures("three")
def test_a_repeated_execution_makes_only_what_is_missing_or_changed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = cloud.upload("a.jpg", jpeg())
    first = handler(record, None)
    with monkeypatch.context() as nothing_to_do:
        nothing_to_do.setattr("image_converter.handlers.resize_image.convert_all", None)
        assert handler(record, None) == first

    _ask_for(monkeypatch, {"name": "png", "format": "png"}, {**THUMB, "quality": 5}, SMALL)
    puts = observe(clients.s3(), "PutObject")
    second = handler(record, None)
    assert [put["url"].rpartition("/")[2] for put in puts] == ["a-thumb.webp"]
    assert second["versionId"] == first["versionId"]
    assert second["renditions"][1] == first["renditions"][1]
    assert second["renditions"][0]["versionId"] != first["renditions"][0]["versionId"]

    cloud.s3.delete_object(Bucket=DESTINATION, Key="a-small.jpg")
    puts.clear()
    third = handler(record, None)
    assert [put["url"].rpartition("/")[2] for put in puts] == ["a-small.jpg"]
    assert third["renditions"][0] == second["renditions"][0]
    assert third["renditions"][1]["versionId"] != second["renditions"][1]["versionId"]


def test_a_png_is_not_necessary(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    _ask_for(monkeypatch, THUMB)
    answer = handler(cloud.upload("a.jpg", jpeg()), None)
    assert (answer["key"], answer["contentType"]) == ("a.webp", "image/webp")
    assert cloud.keys(DESTINATION) == {"a.webp"}


@pytest.mark.usefixtures("three")
def test_of_a_damaged_image_nothing_is_written(cloud: Cloud) -> None:
    with pytest.raises(DamagedImage):
        handler(cloud.upload("a.jpg", cut(jpeg(200, 200), 0.9) + END), None)
    assert cloud.keys(DESTINATION) == set()


@pytest.mark.usefixtures("three")
def test_a_rendition_that_comes_too_late_goes_aside(cloud: Cloud) -> None:
    earlier = cloud.upload("a.jpg", jpeg())
    later = cloud.upload("a.jpg", jpeg(seed=1))
    handler(later, None)
    answer = handler(earlier, None)
    version = earlier["s3"]["object"]["versionId"]
    keys = [answer["key"], *(rendition["key"] for rendition in answer["renditions"])]
    assert keys == [f"aside/{version}/{key}" for key in ("a.png", "a-thumb.webp", "a-small.jpg")]


def test_settings_that_make_no_sense(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    _ask_for(monkeypatch, {"name": "a", "format": "gif"})
    with pytest.raises(InvalidSettings, match="gif"):
        handler(cloud.upload("a.jpg", jpeg()), None)
