"""With both settings on keep, DeleteSourceFile reports what it kept and asks S3 for nothing."""

from typing import Any

import pytest

from image_converter import clients
from image_converter.errors import InvalidRecord, InvalidSettings
from image_converter.handlers.delete_file import handler
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud
from tests.support.images import jpeg
from tests.support.states import converted, unconverted

DELETED = "Deleted from source bucket"
HEIC = b"\0\0\0\x18ftypheic" + bytes(100)


@pytest.fixture
def keeping(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The cloud of a stack that keeps everything."""
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    monkeypatch.setenv("OTHER_TYPES", "keep")
    return cloud


@pytest.fixture
def asked() -> Any:
    """The names of the operations that S3 is asked for."""
    names: list[str] = []

    def note(model: Any, **_: object) -> None:
        names.append(model.name)

    events = clients.s3().meta.events
    events.register_first("before-call.s3", note)
    yield names
    events.unregister("before-call.s3", note)


def test_a_converted_jpeg_is_kept(keeping: Cloud, asked: list[str]) -> None:
    state = converted(keeping.upload("a.jpg", jpeg()))
    asked.clear()
    assert handler(state, None) == {
        "status": "Kept in source bucket: source_after is keep",
        "sourceBucket": SOURCE,
        "destinationBucket": DESTINATION,
    }
    assert asked == [], "it needs no permission on the bucket"
    assert keeping.content(SOURCE, "a.jpg") == jpeg()
    assert keeping.version_count(SOURCE) == 1


@pytest.mark.parametrize(
    ("key", "content", "file_type"),
    [("a.heic", HEIC, "heic"), ("notes", b"words", None), ("folder/", b"", None)],
)
def test_another_file_is_kept(
    keeping: Cloud, asked: list[str], key: str, content: bytes, file_type: str | None
) -> None:
    state = unconverted(keeping.upload(key, content), file_type)
    asked.clear()
    assert handler(state, None)["status"] == "Kept in source bucket: other_types is keep"
    assert asked == []
    assert keeping.content(SOURCE, key) == content
    assert keeping.version_count(SOURCE) == 1


def test_a_jpeg_alone_is_kept(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    handler(converted(cloud.upload("a.jpg", jpeg())), None)
    assert handler(unconverted(cloud.upload("a.heic", HEIC), "heic"), None)["status"] == DELETED
    assert cloud.keys(SOURCE) == {"a.jpg"}


def test_other_types_alone_are_kept(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTHER_TYPES", "keep")
    handler(unconverted(cloud.upload("a.heic", HEIC), "heic"), None)
    assert handler(converted(cloud.upload("a.jpg", jpeg())), None)["status"] == DELETED
    assert cloud.keys(SOURCE) == {"a.heic"}


def test_a_jpeg_that_was_not_converted_is_still_an_error(keeping: Cloud) -> None:
    record = keeping.upload("a.jpg", jpeg())
    with pytest.raises(InvalidRecord, match="neither copied nor converted"):
        handler({**record, "results": {"fileType": "jpg"}}, None)


@pytest.mark.parametrize("variable", ["SOURCE_AFTER", "OTHER_TYPES"])
def test_a_wrong_setting_deletes_nothing(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    state = converted(cloud.upload("a.jpg", jpeg()))
    monkeypatch.setenv(variable, "hide")
    with pytest.raises(InvalidSettings, match=f"{variable} must be one of delete, keep"):
        handler(state, None)
    assert cloud.keys(SOURCE) == {"a.jpg"}
