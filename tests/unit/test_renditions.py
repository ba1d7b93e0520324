"""The renditions in the settings: what may be asked for, their keys, and what makes them again."""

import json
from typing import Any

import pytest

from image_converter import keys, renditions
from image_converter.errors import InvalidSettings, KeyTooLong
from image_converter.renditions import Rendition
from tests.support.awkward_keys import AWKWARD_KEYS

PNG = {"name": "png", "format": "png"}
THUMB = {"name": "thumb", "format": "webp", "max_width": 320, "max_height": 320}


def parse(*entries: Any) -> tuple[Rendition, ...]:
    return renditions.parse(json.dumps(entries))


def test_by_default_there_is_the_article_s_png_alone() -> None:
    (only,) = renditions.parse("", "smallest")
    assert only.is_article_png
    assert only.settings_metadata == {"png-compression": "smallest"}
    assert (only,) == renditions.parse(json.dumps([PNG]), "smallest")


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_the_first_has_the_key_that_the_png_always_had(key: str) -> None:
    (only,) = renditions.parse("")
    if len(key.encode()) <= 1020:
        assert only.key_for(key) == keys.png_key(key)


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        (THUMB, "holiday/beach-thumb.webp"),
        ({**THUMB, "format": "jpeg"}, "holiday/beach-thumb.jpg"),
        ({**THUMB, "key": "small/{dir}{stem}.{ext}"}, "small/holiday/beach.webp"),
        ({**THUMB, "key": "{name}/{dir}{stem}@2x.{ext}"}, "thumb/holiday/beach@2x.webp"),
    ],
)
def test_keys(entry: dict[str, Any], key: str) -> None:
    assert parse(PNG, entry)[1].key_for("holiday/beach.JPG") == key


def test_places_in_the_key_of_a_jpeg_are_left_alone() -> None:
    assert parse(PNG, THUMB)[1].key_for("{ext}/{name}.jpg") == "{ext}/{name}-thumb.webp"


def test_a_first_jpeg_does_not_take_the_key_of_its_original() -> None:
    (only,) = parse({"name": "small", "format": "jpeg"})
    assert only.key_for("a.jpg") == "a-small.jpg"
    (forced,) = parse({"name": "small", "format": "jpeg", "key": "{dir}{stem}.{ext}"})
    with pytest.raises(InvalidSettings, match="key of the original"):
        forced.key_for("a.jpg")
    assert forced.key_for("a.jpeg") == "a.jpg"


def test_a_key_that_is_too_long() -> None:
    with pytest.raises(KeyTooLong, match="WEBP"):
        parse(THUMB)[0].key_for("x" * 1020)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("{", "not JSON"),
        ("[]", "at least one"),
        ("{}", "at least one"),
        ("[1]", "not a rendition"),
        ([{"format": "png"}], "name"),
        ([{**PNG, "name": "a b"}], "name must consist"),
        ([{"name": "a"}], "format must be one of png, jpeg, webp, avif"),
        ([{"name": "a", "format": "gif"}], "gif"),
        ([{**PNG, "maxwidth": 1}], "unknown fields: 'maxwidth'"),
        ([{**PNG, "compression": "fast"}], "unknown fields: 'compression'"),
        ([{**PNG, "quality": 80}], "no quality"),
        ([{**THUMB, "quality": 101}], "1 to 100"),
        ([{**THUMB, "quality": True}], "whole number"),
        ([{**THUMB, "max_width": 0}], "max_width"),
        ([{**THUMB, "max_width": "320"}], "max_width"),
        ([{**THUMB, "fit": "fill"}], "inside, cover"),
        ([{"name": "a", "format": "webp", "max_width": 9, "fit": "cover"}], "max_height"),
        ([{**THUMB, "metadata": "all"}], "none, copyright"),
        ([{**THUMB, "cache_control": 3600}], "cache_control"),
        ([{**THUMB, "key": "{stem}.{ext}"}], "{dir}"),
        ([{**THUMB, "key": "{dir}.{ext}"}], "{stem}"),
        ([{**THUMB, "key": "{dir}{stem}"}], "end with .{ext}"),
        ([{**THUMB, "key": "aside/{dir}{stem}.{ext}"}], "aside/"),
        ([{**THUMB, "key": "{dir}{stem}-{width}.{ext}"}], "no other braces"),
        ([PNG, {**THUMB, "name": "png"}], "the name 'png'"),
        (
            [PNG, {**THUMB, "format": "png", "key": "{dir}{stem}.{ext}"}],
            "the key '{dir}{stem}.png'",
        ),
    ],
)
def test_what_is_refused(entries: Any, message: str) -> None:
    text = entries if isinstance(entries, str) else json.dumps(entries)
    with pytest.raises(InvalidSettings) as caught:
        renditions.parse(text)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"max_width": 321},
        {"max_height": 321},
        {"fit": "cover"},
        {"quality": 81},
        {"format": "jpeg"},
        {"cache_control": "max-age=60"},
        {"metadata": "copyright"},
    ],
)
def test_another_setting_is_another_object(change: dict[str, Any]) -> None:
    (before,), (after,) = parse(THUMB), parse({**THUMB, **change})
    assert before.settings_metadata != after.settings_metadata


def test_another_name_or_a_default_written_out_is_the_same_object() -> None:
    (before,) = parse(THUMB)
    (after,) = parse({**THUMB, "name": "small", "quality": 80, "fit": "inside", "metadata": None})
    assert before.settings_metadata == after.settings_metadata


@pytest.mark.parametrize(
    "change", [{"max_width": 100}, {"cache_control": "max-age=60"}, {"metadata": "copyright"}]
)
def test_another_png_is_not_taken_for_the_plain_one(change: dict[str, Any]) -> None:
    (plain,), (changed,) = parse(PNG), parse({**PNG, **change})
    assert not plain.settings_metadata.keys() & changed.settings_metadata.keys()


def test_the_default_is_what_records_say_nothing_of() -> None:
    assert renditions.settings_hash(renditions.parse("")) == renditions.DEFAULT_SETTINGS
    assert renditions.settings_hash(parse(PNG)) == renditions.DEFAULT_SETTINGS


def test_whatever_is_asked_for_differently_has_another_hash() -> None:
    entries: list[list[dict[str, Any]]] = [
        [PNG],
        [PNG, THUMB],
        [THUMB, PNG],
        [PNG, {**THUMB, "max_width": 321}],
        [PNG, {**THUMB, "quality": 81}],
        [PNG, {**THUMB, "name": "thumbnail", "key": "{dir}{stem}-{name}.{ext}"}],
        [PNG, {**THUMB, "key": "{dir}small/{stem}.{ext}"}],
        [PNG, {**THUMB, "cache_control": "max-age=60"}],
        [PNG, {**THUMB, "metadata": "copyright"}],
    ]
    wanted = [parse(*entry) for entry in entries] + [renditions.parse("", "smallest")]
    hashes = [renditions.settings_hash(entry) for entry in wanted]
    assert len(set(hashes)) == len(wanted)
    assert hashes == [renditions.settings_hash(entry) for entry in wanted]


def test_another_version_of_the_converter_outdates_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = [renditions.parse(""), parse(PNG, THUMB)]
    before = [renditions.settings_hash(parsed) for parsed in wanted]
    old_metadata = [parsed.settings_metadata for parsed in wanted[1]]
    monkeypatch.setattr(renditions, "CONVERTER_VERSION", renditions.CONVERTER_VERSION + 1)
    assert not {*before} & {renditions.settings_hash(parsed) for parsed in wanted}
    for parsed, old in zip(wanted[1], old_metadata, strict=True):
        # Either version makes again what the other has made: a rollback reports no foreign object.
        assert not parsed.settings_metadata.items() <= old.items()
        assert not old.items() <= parsed.settings_metadata.items()
