"""Writes to the destination bucket: what may replace what, by the two functions that write."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_converter import clients, destination, keys
from image_converter.errors import KeyTooLong
from image_converter.handlers import copy_file, resize_image
from scripts.lib import paths
from tests.support.fake_cloud import DESTINATION, Cloud, Record
from tests.support.faults import before, refuse
from tests.support.images import jpeg, pixels

BIG = {"note": "n" * (destination.MAX_METADATA_BYTES - len("note") - 40)}


def copy(record: Record) -> Any:
    return copy_file.handler(record, None)


def convert(record: Record) -> Any:
    return resize_image.handler(record, None)


def without(record: Record, *fields: str) -> Record:
    """Take fields out of the record's object, as in an execution that a person starts."""
    for name in fields:
        del record["s3"]["object"][name]
    return record


def test_an_image_carries_what_it_was_made_from(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", jpeg(), Metadata={"camera": "X100"})
    copy(record)
    item = record["s3"]["object"]
    assert cloud.metadata("a.jpg") == {
        "camera": "X100",
        "source-key-hash": keys.fingerprint("a.jpg"),
        "source-version": item["versionId"],
        "source-modified": cloud.metadata("a.jpg")["source-modified"],
        "source-sequencer": item["sequencer"].ljust(32, "0"),
    }


@pytest.mark.parametrize("function", [copy, convert])
@pytest.mark.parametrize("key", ["a.jpg", "a.jpeg", "photo"])
class TestTwoUploadsOfAKey:
    """`function` handles them in every order; the newer one is to be the current image."""

    def test_in_order_the_newer_one_replaces_the_older(
        self, cloud: Cloud, function: Any, key: str
    ) -> None:
        older, newer = cloud.upload(key, jpeg()), cloud.upload(key, jpeg(seed=1))
        first, second = function(older), function(newer)
        assert first["key"] == second["key"]
        self.assert_current(cloud, second, jpeg(seed=1))
        self.assert_kept(cloud, first, jpeg())

    def test_out_of_order_the_older_one_is_put_aside(
        self, cloud: Cloud, function: Any, key: str
    ) -> None:
        older, newer = cloud.upload(key, jpeg()), cloud.upload(key, jpeg(seed=1))
        second, first = function(newer), function(older)
        version = older["s3"]["object"]["versionId"]
        assert first["key"] == keys.fallback_key(second["key"], version)
        self.assert_current(cloud, second, jpeg(seed=1))
        self.assert_kept(cloud, first, jpeg())

    def test_again_and_again_nothing_more_is_written(
        self, cloud: Cloud, function: Any, key: str
    ) -> None:
        older, newer = cloud.upload(key, jpeg()), cloud.upload(key, jpeg(seed=1))
        answers = [function(newer), function(older)]
        assert [function(newer), function(older)] == answers
        assert [function(newer), function(older)] == answers
        assert cloud.version_count(DESTINATION) == 2

    @staticmethod
    def assert_current(cloud: Cloud, answer: Any, image: bytes) -> None:
        current = cloud.s3.head_object(Bucket=DESTINATION, Key=answer["key"])
        assert current["VersionId"] == answer["versionId"]
        TestTwoUploadsOfAKey.assert_kept(cloud, answer, image)

    @staticmethod
    def assert_kept(cloud: Cloud, answer: Any, image: bytes) -> None:
        content = cloud.content(DESTINATION, answer["key"], answer["versionId"])
        assert pixels(content) == pixels(image)


@pytest.mark.parametrize("function", [copy, convert])
class TestRaces:
    """Another execution writes between this one's look and its write."""

    @staticmethod
    def before_the_write(function: Any, action: Any, refused: int = 0) -> None:
        client, operation = (
            (clients.s3_copies(), "CopyObject") if function is copy else (clients.s3(), "PutObject")
        )
        before(client, operation, action, calls=refused)

    @pytest.mark.parametrize("there_already", [False, True])
    def test_a_newer_image_that_comes_in_between_stays(
        self, cloud: Cloud, function: Any, there_already: bool
    ) -> None:
        if there_already:
            function(cloud.upload("a.jpg", jpeg(seed=2)))
        older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
        answers = []
        # Where something is there, the first write is refused, and the look comes after it.
        self.before_the_write(
            function, lambda: answers.append(function(newer)), refused=int(there_already)
        )
        late = function(older)
        TestTwoUploadsOfAKey.assert_current(cloud, answers[0], jpeg(seed=1))
        assert late["key"].startswith("aside/")
        TestTwoUploadsOfAKey.assert_kept(cloud, late, jpeg())

    def test_an_older_image_that_comes_in_between_is_replaced(
        self, cloud: Cloud, function: Any
    ) -> None:
        older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
        answers = []
        self.before_the_write(function, lambda: answers.append(function(older)))
        TestTwoUploadsOfAKey.assert_current(cloud, function(newer), jpeg(seed=1))
        TestTwoUploadsOfAKey.assert_kept(cloud, answers[0], jpeg())

    def test_the_same_image_that_comes_in_between_is_taken(
        self, cloud: Cloud, function: Any
    ) -> None:
        record = cloud.upload("a.jpg", jpeg())
        answers = []
        self.before_the_write(function, lambda: answers.append(function(record)))
        assert function(record) == answers[0]
        assert cloud.version_count(DESTINATION) == 1

    def test_an_image_that_is_deleted_in_between_is_written(
        self, cloud: Cloud, function: Any
    ) -> None:
        older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
        place = function(older)["key"]
        self.before_the_write(
            function, lambda: cloud.s3.delete_object(Bucket=DESTINATION, Key=place), refused=1
        )
        TestTwoUploadsOfAKey.assert_current(cloud, function(newer), jpeg(seed=1))

    def test_a_writer_that_always_loses_gives_up(self, cloud: Cloud, function: Any) -> None:
        record = cloud.upload("a.jpg", jpeg())
        if function is copy:
            refuse(clients.s3_copies(), "CopyObject", "ConditionalRequestConflict", 409)
        else:
            refuse(clients.s3(), "PutObject", "ConditionalRequestConflict", 409)
        with pytest.raises(ClientError, match="ConditionalRequestConflict"):
            function(record)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize(
    "names", [("a.jpg", "a.jpeg"), ("a.jpg", "A.JPG"), ("x/a.jpe", "x/a.jfif")]
)
def test_two_images_whose_png_would_have_one_key_both_have_one(
    cloud: Cloud, names: tuple[str, str], order: tuple[int, int]
) -> None:
    records = [cloud.upload(name, jpeg(seed=seed)) for seed, name in enumerate(names)]
    answers = {index: convert(records[index]) for index in order}
    for index, answer in answers.items():
        TestTwoUploadsOfAKey.assert_current(cloud, answer, jpeg(seed=index))
    assert convert(records[0]) == answers[0]
    assert convert(records[1]) == answers[1]


@pytest.mark.parametrize("original_first", [True, False])
def test_a_png_and_an_original_of_that_name_both_stay(cloud: Cloud, original_first: bool) -> None:
    """A JPEG called a.png keeps its name, and the PNG of a.jpg would have it too."""
    called_png = cloud.upload("a.png", jpeg())
    called_jpg = cloud.upload("a.jpg", jpeg(seed=1))
    if original_first:
        original, png = copy(called_png), convert(called_jpg)
    else:
        png, original = convert(called_jpg), copy(called_png)
    assert cloud.content(DESTINATION, original["key"]) == jpeg()
    assert pixels(cloud.content(DESTINATION, png["key"])) == pixels(jpeg(seed=1))
    assert convert(called_png)["key"] == "a.png.png"


def test_a_stranger_s_object_is_never_replaced(cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket=DESTINATION, Key="a.jpg", Body=b"a stranger's")
    answer = copy(cloud.upload("a.jpg", jpeg()))
    assert cloud.content(DESTINATION, "a.jpg") == b"a stranger's"
    assert cloud.content(DESTINATION, answer["key"]) == jpeg()


def test_a_key_that_looks_like_another_image_s_aside_key_is_not_replaced(cloud: Cloud) -> None:
    older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
    aside = keys.fallback_key("a.jpg", older["s3"]["object"]["versionId"])
    squatter = copy(cloud.upload(aside, jpeg(seed=2)))
    copy(newer)
    late = copy(older)
    assert squatter["key"] == aside
    TestTwoUploadsOfAKey.assert_current(cloud, squatter, jpeg(seed=2))
    TestTwoUploadsOfAKey.assert_current(cloud, late, jpeg())
    assert copy(older) == late


class TestWithoutSequencer:
    """Executions that a person starts name a key and no more; then S3's times decide the order."""

    def test_the_newer_one_replaces_the_older(self, cloud: Cloud) -> None:
        copy(without(cloud.upload("a.jpg", jpeg()), "sequencer", "versionId", "eTag"))
        record = without(cloud.upload("a.jpg", jpeg(seed=1)), "sequencer", "versionId", "eTag")
        answer = copy(record)
        TestTwoUploadsOfAKey.assert_current(cloud, answer, jpeg(seed=1))
        assert answer["key"] == "a.jpg"

    @pytest.mark.parametrize("started_by_a_person", ["older", "newer", "both"])
    def test_the_older_one_is_put_aside(self, cloud: Cloud, started_by_a_person: str) -> None:
        older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
        cloud.date(older, datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC))
        if started_by_a_person != "newer":
            without(older, "sequencer")
        if started_by_a_person != "older":
            without(newer, "sequencer")
        current, late = copy(newer), copy(older)
        TestTwoUploadsOfAKey.assert_current(cloud, current, jpeg(seed=1))
        assert late["key"].startswith("aside/")
        assert late["sourceLastModified"] == "2024-01-02T03:04:05Z"

    def test_a_person_s_repetition_writes_nothing(self, cloud: Cloud) -> None:
        record = cloud.upload("a.jpg", jpeg())
        first = copy(record)
        assert copy(without(record, "sequencer")) == first
        assert cloud.version_count(DESTINATION) == 1


def test_a_user_s_metadata_of_our_names_is_not_taken_for_ours(cloud: Cloud) -> None:
    """As after copying an image from the destination bucket back to the source bucket."""
    first = cloud.upload("a.jpg", jpeg())
    copy(first)
    back = cloud.upload("b.jpg", jpeg(seed=1), Metadata=cloud.metadata("a.jpg"))
    copy(without(back, "sequencer"))
    assert "source-sequencer" not in cloud.metadata("b.jpg")
    assert cloud.metadata("b.jpg")["source-key-hash"] == keys.fingerprint("b.jpg")
    copy(back)
    assert cloud.version_count(DESTINATION) == 2


class TestMetadataThatFillsItsLimit:
    def test_it_is_kept_and_the_copy_is_repeatable(self, cloud: Cloud) -> None:
        record = cloud.upload("a.jpg", jpeg(), Metadata=BIG)
        first = copy(record)
        assert cloud.metadata(first["key"]) == BIG
        assert cloud.content(DESTINATION, first["key"]) == jpeg()
        assert copy(record) == first
        assert cloud.version_count(DESTINATION) == 1

    def test_no_other_upload_of_the_key_is_replaced_by_it_or_hindered(self, cloud: Cloud) -> None:
        records = [
            cloud.upload("a.jpg", jpeg(seed=seed), Metadata=metadata)
            for seed, metadata in enumerate([{}, BIG, {}, BIG])
        ]
        answers = [copy(record) for record in records]
        assert [copy(record) for record in reversed(records[1:])][::-1] == answers[1:]
        for seed, answer in enumerate(answers):
            TestTwoUploadsOfAKey.assert_kept(cloud, answer, jpeg(seed=seed))
        TestTwoUploadsOfAKey.assert_current(cloud, answers[2], jpeg(seed=2))
        assert answers[2]["key"] == "a.jpg"

    @pytest.mark.parametrize("room", range(-3, 4))
    def test_what_is_written_never_passes_the_limit(self, cloud: Cloud, room: int) -> None:
        record = cloud.upload("ä.jpg", jpeg())
        copy(record)
        metadata = cloud.metadata("ä.jpg")
        size = sum(len(name) + len(value) for name, value in metadata.items())
        note = {"note": "n" * (destination.MAX_METADATA_BYTES - size - len("note") + room)}
        answer = copy(cloud.upload("ä.jpg", jpeg(seed=1), Metadata=note))
        written = cloud.metadata(answer["key"])
        assert note.items() <= written.items()
        total = sum(len(name) + len(value) for name, value in written.items())
        assert total <= destination.MAX_METADATA_BYTES
        assert ("source-version" in written) == (room <= 0)


@pytest.fixture
def prefix(monkeypatch: pytest.MonkeyPatch) -> str:
    """The prefix of an existing bucket in which the pipeline has its place."""
    monkeypatch.setenv("DESTINATION_PREFIX", "converted/")
    return "converted/"


@pytest.mark.parametrize("write", [copy, convert])
def test_all_keys_have_the_destination_s_prefix(cloud: Cloud, prefix: str, write: Any) -> None:
    record = cloud.upload("a.jpg", jpeg())
    first = write(record)
    assert first["key"].startswith(f"{prefix}a.")
    assert cloud.keys(DESTINATION) == {first["key"]}
    assert write(record) == first, "again, and nothing is written"
    assert cloud.version_count(DESTINATION) == 1


@pytest.mark.parametrize("write", [copy, convert])
def test_what_is_too_late_goes_aside_behind_the_prefix(
    cloud: Cloud, prefix: str, write: Any
) -> None:
    older, newer = cloud.upload("a.jpg", jpeg()), cloud.upload("a.jpg", jpeg(seed=1))
    current = write(newer)["key"]
    aside = write(older)["key"]
    assert aside.startswith(f"{prefix}aside/{older['s3']['object']['versionId']}/a.")
    assert write(older)["key"] == aside, "again, and nothing is written"
    assert cloud.keys(DESTINATION) == {current, aside}


@pytest.mark.parametrize("write", [copy, convert])
def test_the_bucket_owner_s_objects_are_never_replaced(
    cloud: Cloud, prefix: str, write: Any
) -> None:
    owned = {f"{prefix}a.jpg", f"{prefix}a.png"}
    for key in owned:
        cloud.s3.put_object(Bucket=DESTINATION, Key=key, Body=b"theirs")
    written = write(cloud.upload("a.jpg", jpeg()))["key"]
    assert written.startswith(f"{prefix}aside/")
    assert {cloud.content(DESTINATION, key) for key in owned} == {b"theirs"}


@pytest.mark.parametrize("where", ["", "converted/"])
@pytest.mark.parametrize("write", [copy, convert])
def test_nothing_lies_where_others_may_write_manifests(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, where: str, write: Any
) -> None:
    monkeypatch.setenv("DESTINATION_PREFIX", where)
    record = cloud.upload(f"{keys.MANIFESTS}a.jpg", jpeg())
    written = write(record)
    version = record["s3"]["object"]["versionId"]
    assert written["key"].startswith(f"{where}aside/{version}/{keys.MANIFESTS}a.")
    TestTwoUploadsOfAKey.assert_current(cloud, written, jpeg())
    assert write(record) == written, "again, and nothing is written"
    assert cloud.keys(DESTINATION) == {written["key"]}
    assert cloud.version_count(DESTINATION) == 1


def test_a_forgery_is_not_taken_for_what_was_made(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its metadata may be copied from anywhere, and rendition keys may begin as they like."""
    renditions = [
        {"name": "small", "format": "png", "key": f"{keys.MANIFESTS}{{dir}}{{stem}}.{{ext}}"}
    ]
    record = cloud.upload("a.jpg", jpeg())
    monkeypatch.setenv("RENDITIONS", json.dumps(renditions))
    metadata = cloud.metadata(convert(record)["key"])
    forged = f"{keys.MANIFESTS}a.png"
    cloud.s3.put_object(Bucket=DESTINATION, Key=forged, Body=b"forged", Metadata=metadata)
    assert convert(record)["key"] != forged


def test_the_place_of_manifests_is_the_one_that_terraform_opens() -> None:
    text = (paths.TERRAFORM / "backfill.tf").read_text()
    assert f'"${{local.destination_prefix}}{keys.MANIFESTS}"' in text


@pytest.mark.usefixtures("prefix")
@pytest.mark.parametrize("write", [copy, convert])
def test_a_key_that_is_too_long_behind_the_prefix(cloud: Cloud, write: Any) -> None:
    record = cloud.upload("k" * 1016 + ".jpg", jpeg())
    with pytest.raises(KeyTooLong, match="converted/"):
        write(record)
    assert not cloud.keys(DESTINATION)


def test_a_long_key_s_place_aside_has_room_for_the_prefix(cloud: Cloud, prefix: str) -> None:
    key = "k" * 970 + ".jpg"
    cloud.s3.put_object(Bucket=DESTINATION, Key=prefix + key, Body=b"theirs")
    copied = copy(cloud.upload(key, jpeg()))["key"]
    assert len(copied) <= keys.MAX_KEY_BYTES
    assert keys.fingerprint(key) in copied
