"""Which images are outdated, by their records, and what has them made again."""

from typing import Any

import pytest

from image_converter import renditions, reprocessing

COPY = {"bucket": "destination", "key": "in/a.jpg", "versionId": "v1", "eTag": "e"}


def _record(settings: str | None = None, **copy: Any) -> dict[str, Any]:
    recorded = {"settings": settings} if settings else {}
    resized = {"key": "in/a.png", "contentType": "image/png", **recorded}
    return {
        "imageName": "a.jpg",
        "images": [{"original": {**COPY, **copy}}, {"resized": resized}],
    }


def test_a_record_is_outdated_if_its_renditions_have_other_settings() -> None:
    assert not reprocessing.is_outdated(_record("one"), "one")
    assert reprocessing.is_outdated(_record("one"), "another")
    assert reprocessing.is_outdated(_record("one"), renditions.DEFAULT_SETTINGS)


def test_a_record_that_names_no_settings_has_the_default() -> None:
    assert not reprocessing.is_outdated(_record(), renditions.DEFAULT_SETTINGS)
    assert reprocessing.is_outdated(_record(), "another")


@pytest.mark.parametrize(
    "fields",
    [{"contentType": "image/webp"}, {"renditions": [{"name": "small"}]}],
    ids=["another format", "several"],
)
def test_renditions_from_before_records_named_settings_are_not_the_default(
    fields: dict[str, Any],
) -> None:
    record = _record()
    record["images"][1]["resized"].update(fields)
    assert reprocessing.is_outdated(record, renditions.DEFAULT_SETTINGS)
    assert reprocessing.is_outdated(record, "another")


def test_a_line_names_the_copy_and_whose_it_is() -> None:
    assert reprocessing.manifest_line(_record(), "wanted") == {
        "Bucket": "destination",
        "Key": "in/a.jpg",
        "VersionId": "v1",
        "Reprocess": {"imageName": "a.jpg", "settings": "wanted"},
    }


@pytest.mark.parametrize("version", [None, "null"])
def test_a_line_names_no_version_where_the_copy_has_none(version: str | None) -> None:
    line = reprocessing.manifest_line(_record(versionId=version), "wanted")
    assert "VersionId" not in line
