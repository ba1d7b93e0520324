"""What a backfill lists is converted once, and originals are converted again where outdated."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from image_converter import (
    backfill,
    clients,
    event_bus,
    events,
    executions,
    keys,
    notifications,
    records,
    renditions,
    reprocessing,
)
from image_converter.errors import InvalidRecord
from image_converter.handlers import (
    copy_file,
    delete_file,
    get_file_type,
    resize_image,
    trigger,
    write_to_dynamodb,
)
from tests.support.fake_cloud import DESTINATION, SOURCE, TABLE, Cloud, Record, notification
from tests.support.faults import before, observe, refuse
from tests.support.images import jpeg
from tests.support.states import converted

PNG = {"name": "png", "format": "png"}
SMALL = {"name": "small", "format": "jpeg", "max_width": 4}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Record]:
    """The inputs of executions by name; a used name is refused, as by AWS."""
    inputs: dict[str, Record] = {}

    def start_once(_: str, name: str, execution_input: Record) -> bool:
        new = name not in inputs
        inputs.setdefault(name, json.loads(json.dumps(execution_input)))
        return new

    monkeypatch.setenv("STATE_MACHINE_ARN", "arn")
    monkeypatch.setattr(executions, "start_once", start_once)
    return inputs


def message(bucket: str, key: str, version: str | None = None, **detail: Any) -> Record:
    """Return the message that the state machine of a backfill sends."""
    item = {"key": key, **({"version-id": version} if version else {})}
    return {
        "source": "image-converter.backfill",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": bucket}, "object": item, **detail},
    }


def reprocess(image: str = "a.jpg") -> Record:
    """Return the message of the line that the command writes for the image's current record."""
    line = reprocessing.manifest_line(record_of(image), "wanted")
    detail = {"reprocess": line["Reprocess"]}
    return message(line["Bucket"], line["Key"], line.get("VersionId"), **detail)


def record_of(image: str) -> dict[str, Any]:
    record = records.find(TABLE, image)
    assert record is not None
    return record


def send(*messages: Record) -> list[str]:
    """Have the trigger handle messages, and return the ids of those that failed."""
    batch = [
        {"messageId": f"m{number}", "body": json.dumps(body)}
        for number, body in enumerate(messages)
    ]
    answer = trigger.handler({"Records": batch}, None)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def process(execution_input: Record) -> dict[str, Any]:
    """Run the functions of an execution in their order, and return its output."""
    assert get_file_type.handler(execution_input, None) == "jpg"
    state = converted(execution_input)
    write_to_dynamodb.handler(state, None)
    return {**state["results"], "deletionStatus": delete_file.handler(state, None)}


@pytest.fixture
def ask_for(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """A function that changes the settings and returns their hash."""

    def change(*entries: dict[str, Any]) -> str:
        monkeypatch.setenv("RENDITIONS", json.dumps(entries) if entries else "")
        return renditions.settings_hash(renditions.parse(json.dumps(entries or [PNG])))

    return change


@pytest.fixture
def outdated(cloud: Cloud, ask_for: Callable[..., str]) -> Record:
    """The upload of an image that was converted before the settings changed."""
    upload = cloud.upload("a.jpg", jpeg(8, 8))
    process(upload)
    ask_for(PNG, SMALL)
    return upload


def reprocess_started(started: dict[str, Record]) -> Record:
    """Send the message of a reprocess, and return the input of the execution that it starts."""
    assert send(reprocess()) == []
    (execution_input,) = started.values()
    return execution_input


def assert_refused(cloud: Cloud, execution_input: Record, sentence: str) -> None:
    versions = cloud.version_count(DESTINATION)
    for handler in (copy_file.handler, resize_image.handler):
        with pytest.raises(InvalidRecord, match=sentence):
            handler(execution_input, None)
    assert cloud.version_count(DESTINATION) == versions


def messages_logged(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [(line["message"], line["key"]) for line in lines]


# Backfill


@pytest.mark.parametrize("names_version", [True, False], ids=["by version", "by key"])
@pytest.mark.parametrize("order", [1, -1], ids=["upload first", "backfill first"])
def test_the_execution_has_the_name_that_the_upload_s_has(
    cloud: Cloud, started: dict[str, Record], names_version: bool, order: int
) -> None:
    upload = cloud.upload("a.jpg", jpeg())
    version = upload["s3"]["object"]["versionId"]
    listed = message(SOURCE, "a.jpg", version if names_version else None)
    assert send(*[notification(upload), listed][::order], listed) == []
    assert list(started) == [keys.execution_name(SOURCE, "a.jpg", version)]


def test_an_object_that_is_only_listed_is_converted(
    cloud: Cloud, started: dict[str, Record], capsys: pytest.CaptureFixture[str]
) -> None:
    upload = cloud.upload("a b+c%20.jpg", jpeg())
    send(message(SOURCE, "a b+c%20.jpg"))
    assert messages_logged(capsys) == [(notifications.STARTED, "a b+c%20.jpg")]
    (execution_input,) = started.values()
    item = upload["s3"]["object"]
    assert execution_input == {
        "s3": {
            "bucket": {"name": SOURCE},
            "object": {
                "key": "a b+c%20.jpg",
                "eTag": item["eTag"],
                "versionId": item["versionId"],
            },
        }
    }
    assert process(execution_input)["deletionStatus"]["status"] == "Deleted from source bucket"
    assert record_of("a b+c%20.jpg")["sourceVersionId"] == item["versionId"]


def test_a_listed_sequencer_orders_nothing(cloud: Cloud, started: dict[str, Record]) -> None:
    version = cloud.upload("a.jpg", jpeg())["s3"]["object"]["versionId"]
    listed = message(SOURCE, "a.jpg", version)
    listed["detail"]["object"]["sequencer"] = "FF"
    send(listed)
    (execution_input,) = started.values()
    assert execution_input["s3"]["object"].keys() == {"key", "versionId"}


def test_a_version_that_is_named_is_not_looked_at(cloud: Cloud, started: dict[str, Record]) -> None:
    version = cloud.upload("a.jpg", jpeg())["s3"]["object"]["versionId"]
    heads = observe(clients.s3(), "HeadObject")
    send(message(SOURCE, "a.jpg", version))
    assert heads == []
    send(message(SOURCE, "a.jpg"))
    assert len(heads) == len(started) == 1


@pytest.mark.parametrize("versioning", ["Suspended", None])
@pytest.mark.parametrize("version", [None, "null"])
def test_without_versions_equal_bytes_of_another_time_are_another_object(
    cloud: Cloud,
    started: dict[str, Record],
    monkeypatch: pytest.MonkeyPatch,
    versioning: Any,
    version: str | None,
) -> None:
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    cloud.keep_versions(versioning)
    upload = cloud.upload("a.jpg", jpeg())
    for _ in range(2):
        assert send(message(SOURCE, "a.jpg", version)) == []
    assert len(started) == 1
    (execution_input,) = started.values()
    process(execution_input)
    cloud.age(upload, 2)
    assert send(message(SOURCE, "a.jpg", version)) == []
    assert len(started) == 2


def test_what_is_gone_is_done(
    cloud: Cloud, started: dict[str, Record], capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.upload("a.jpg", jpeg())
    cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg")
    assert send(message(SOURCE, "a.jpg"), message(SOURCE, "never.jpg")) == []
    assert started == {}
    expected = [(backfill.GONE, "a.jpg"), (backfill.GONE, "never.jpg")]
    assert messages_logged(capsys) == expected


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended"])
def test_what_is_recorded_starts_nothing_for_one_look(
    cloud: Cloud,
    started: dict[str, Record],
    monkeypatch: pytest.MonkeyPatch,
    versioning: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    cloud.keep_versions(versioning)
    process(cloud.upload("a.jpg", jpeg()))
    looks = observe(clients.dynamodb(), "GetItem")
    capsys.readouterr()
    assert send(message(SOURCE, "a.jpg")) == []
    assert started == {}
    assert len(looks) == 1
    assert messages_logged(capsys) == [(backfill.UP_TO_DATE, "a.jpg")]


@pytest.mark.parametrize("change", ["version", "settings", "bucket", "time"])
def test_a_record_of_anything_else_does_not_count(
    cloud: Cloud,
    started: dict[str, Record],
    ask_for: Callable[..., str],
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    if change == "time":
        cloud.keep_versions("Suspended")
    upload = cloud.upload("a.jpg", jpeg())
    process(upload)
    match change:
        case "version":
            cloud.upload("a.jpg", jpeg(seed=1))
        case "settings":
            ask_for(PNG, SMALL)
        case "bucket":
            cloud.dynamodb.update_item(
                TableName=TABLE,
                Key={"imageName": {"S": "a.jpg"}},
                UpdateExpression="SET sourceBucket = :other",
                ExpressionAttributeValues={":other": {"S": "another"}},
            )
        case "time":
            cloud.age(upload, 2)
    assert send(message(SOURCE, "a.jpg")) == []
    assert len(started) == 1


@pytest.mark.parametrize("names_version", [True, False], ids=["by version", "by key"])
def test_what_an_upload_converted_with_other_settings_is_converted_again_and_once(
    cloud: Cloud,
    started: dict[str, Record],
    ask_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    names_version: bool,
) -> None:
    monkeypatch.setenv("SOURCE_AFTER", "keep")
    upload = cloud.upload("a.jpg", jpeg(8, 8))
    send(notification(upload))
    process(next(iter(started.values())))
    first = record_of("a.jpg")
    wanted = ask_for(PNG, SMALL)
    listed = message(
        SOURCE, "a.jpg", upload["s3"]["object"]["versionId"] if names_version else None
    )
    assert send(listed, listed) == []
    assert len(started) == 2
    process(list(started.values())[-1])
    second = record_of("a.jpg")
    assert second["images"][1]["resized"]["settings"] == wanted
    assert {**second, "writtenAt": "", "images": ""} == {**first, "writtenAt": "", "images": ""}
    assert send(listed) == []
    assert len(started) == 2


def test_what_is_in_the_destination_bucket_is_not_converted(
    cloud: Cloud, started: dict[str, Record]
) -> None:
    process(cloud.upload("a.jpg", jpeg()))
    assert send(message(DESTINATION, "a.jpg"), message(DESTINATION, "a.png")) == ["m0", "m1"]
    assert started == {}


@pytest.mark.usefixtures("cloud")
def test_a_stack_without_backfills_keeps_the_message(
    started: dict[str, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TABLE_NAME")
    assert send(message(SOURCE, "a.jpg")) == ["m0"]
    assert started == {}


@pytest.mark.parametrize(
    "detail",
    [
        {},
        {"bucket": {"name": SOURCE}},
        {"bucket": {}, "object": {"key": "a.jpg"}},
        {"bucket": {"name": SOURCE}, "object": {}},
        {"bucket": {"name": DESTINATION}, "object": {"key": "a.jpg"}, "reprocess": {}},
        {"bucket": {"name": DESTINATION}, "object": {"key": "a.jpg"}, "reprocess": "a.jpg"},
    ],
)
@pytest.mark.usefixtures("cloud")
def test_a_malformed_message_fails(
    started: dict[str, Record], detail: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert send({**message("", ""), "detail": detail}) == ["m0"]
    assert started == {}
    assert "InvalidRecord" in capsys.readouterr().out


@pytest.mark.parametrize("code", ["SlowDown", "AccessDenied"])
def test_what_cannot_be_looked_at_is_delivered_again(
    cloud: Cloud, started: dict[str, Record], code: str
) -> None:
    cloud.upload("a.jpg", jpeg())
    refuse(clients.s3(), "HeadObject", code, 403, times=1)
    assert send(message(SOURCE, "a.jpg")) == ["m0"]
    assert started == {}
    assert send(message(SOURCE, "a.jpg")) == []
    assert len(started) == 1


def test_uploads_alone_import_nothing_of_it() -> None:
    imported = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; import image_converter.handlers.trigger; print(*sys.modules)",
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    modules = {name.partition(".")[2] for name in imported if name.startswith("image_converter.")}
    assert not modules & {"backfill", "records", "renditions", "reprocessing", "sources"}


# Reprocess


@pytest.mark.parametrize("prefix", ["", "in/", "in/out-"])
@pytest.mark.parametrize("versioning", ["Enabled", "Suspended", None])
def test_what_is_missing_is_made_from_the_copy_and_nothing_else_changes(
    cloud: Cloud,
    started: dict[str, Record],
    ask_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
    versioning: Any,
) -> None:
    monkeypatch.setenv("DESTINATION_PREFIX", prefix)
    cloud.keep_versions(versioning)
    upload = cloud.upload("b/a.jpg", jpeg(8, 8))
    cloud.age(upload, -3600)
    process(upload)
    before_it = record_of("b/a.jpg")
    in_source = cloud.version_count(SOURCE)
    wanted = ask_for(PNG, SMALL)
    assert send(reprocess("b/a.jpg")) == []
    (execution_input,) = started.values()
    version = upload["s3"]["object"].get("versionId")
    assert execution_input["s3"]["object"].get("versionId") == events.real_version_id(version)
    puts = observe(clients.s3(), "PutObject")
    copies = observe(clients.s3_copies(), "CopyObject")
    deletes = observe(clients.s3(), "DeleteObject")
    output = process(execution_input)
    (put,) = puts
    assert put["url"].endswith(f"/{prefix}b/a-small.jpg")
    assert copies == deletes == []
    assert cloud.version_count(SOURCE) == in_source
    assert output["deletionStatus"] == {
        "status": "Kept in destination bucket: a reprocess deletes nothing",
        "sourceBucket": SOURCE,
        "destinationBucket": DESTINATION,
    }
    after = record_of("b/a.jpg")
    assert after["images"][0] == before_it["images"][0]
    resized = dict(after["images"][1]["resized"])
    (small,) = resized.pop("renditions")
    assert small["key"] == f"{prefix}b/a-small.jpg"
    assert resized.pop("settings") == wanted
    assert resized == before_it["images"][1]["resized"]
    assert {**after, "writtenAt": "", "images": ""} == {**before_it, "writtenAt": "", "images": ""}
    assert send(reprocess("b/a.jpg")) == []
    assert len(started) == 1


def test_what_is_outdated_is_made_again_in_its_place(
    cloud: Cloud,
    started: dict[str, Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process(cloud.upload("a.jpg", jpeg(8, 8)))
    first = record_of("a.jpg")["images"][1]["resized"]
    monkeypatch.setattr(renditions, "CONVERTER_VERSION", 2)
    process(reprocess_started(started))
    resized = record_of("a.jpg")["images"][1]["resized"]
    assert resized["key"] == first["key"] == "a.png"
    assert resized["versionId"] != first["versionId"]
    assert cloud.keys(DESTINATION) == {"a.jpg", "a.png"}


def _aside_of_another_image(cloud: Cloud) -> str:
    """Upload a JPEG that is called like another's PNG."""
    process(cloud.upload("a.jpg", jpeg(seed=1)))
    process(cloud.upload("a.png", jpeg(8, 8)))
    return "a.png"


def _aside_without_provenance(cloud: Cloud) -> str:
    """Upload a JPEG whose own metadata leaves no room for more."""
    process(cloud.upload("a.jpg", jpeg(8, 8), Metadata={"name": "x" * 2000}))
    return "a.jpg"


@pytest.mark.parametrize("prefix", ["", "in/"])
@pytest.mark.parametrize("make", [_aside_of_another_image, _aside_without_provenance])
def test_copies_that_were_put_aside(
    cloud: Cloud,
    started: dict[str, Record],
    ask_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Cloud], str],
    prefix: str,
) -> None:
    monkeypatch.setenv("DESTINATION_PREFIX", prefix)
    image = make(cloud)
    original = record_of(image)["images"][0]["original"]
    assert original["key"].startswith(f"{prefix}aside/")
    png = record_of(image)["images"][1]["resized"]
    wanted = ask_for(PNG, SMALL)
    # Where the copy is does not depend on a prefix that is another one since.
    monkeypatch.setenv("DESTINATION_PREFIX", "")
    assert send(reprocess(image)) == []
    (execution_input,) = started.values()
    monkeypatch.setenv("DESTINATION_PREFIX", prefix)
    process(execution_input)
    after = record_of(image)["images"]
    assert after[0]["original"] == original
    assert after[1]["resized"]["settings"] == wanted
    assert after[1]["resized"]["versionId"] == png["versionId"]


@pytest.mark.usefixtures("outdated")
def test_the_record_decides_which_original_is_current(
    cloud: Cloud, started: dict[str, Record], capsys: pytest.CaptureFixture[str]
) -> None:
    late = reprocess()
    newer = cloud.upload("a.jpg", jpeg(seed=1))
    converted(newer)  # in the destination bucket, and not yet in the table
    capsys.readouterr()
    assert send(late) == []
    process(newer)
    capsys.readouterr()
    assert send(late, {**late, "detail": {**late["detail"], "reprocess": {"imageName": "b"}}}) == []
    assert messages_logged(capsys) == [(backfill.REPLACED, "a.jpg"), (backfill.REPLACED, "b")]
    assert started == {}


def test_another_image_s_original_is_not_the_image_s(
    cloud: Cloud, started: dict[str, Record], ask_for: Callable[..., str]
) -> None:
    for number, key in enumerate(("a.jpg", "b.jpg")):
        process(cloud.upload(key, jpeg(seed=number)))
    ask_for(PNG, SMALL)
    mixed = reprocess("a.jpg")
    mixed["detail"]["reprocess"]["imageName"] = "b.jpg"
    assert send(mixed) == []
    assert started == {}


@pytest.mark.usefixtures("outdated")
def test_an_original_that_was_deleted_stays_so(
    cloud: Cloud, started: dict[str, Record], capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.s3.delete_object(Bucket=DESTINATION, Key="a.jpg")
    capsys.readouterr()
    assert send(reprocess()) == []
    assert started == {}
    assert messages_logged(capsys) == [(backfill.GONE, "a.jpg")]


@pytest.mark.usefixtures("outdated")
def test_only_originals_in_the_destination_bucket_are_taken(started: dict[str, Record]) -> None:
    elsewhere = reprocess()
    elsewhere["detail"]["bucket"]["name"] = SOURCE
    assert send(elsewhere) == ["m0"]
    assert started == {}


def test_the_same_settings_start_one_and_others_another(
    cloud: Cloud,
    started: dict[str, Record],
    ask_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process(cloud.upload("a.jpg", jpeg(8, 8)))
    for count, wanted in enumerate([(PNG, SMALL), (PNG,), (PNG, SMALL)], start=1):
        ask_for(*wanted)
        assert send(reprocess(), reprocess()) == []
        assert len(started) == count
        later = f"2026-01-01T00:00:0{count}Z"
        monkeypatch.setattr("image_converter.records.time.strftime", lambda *_, at=later: at)
        process(list(started.values())[-1])


def test_settings_that_change_before_a_reprocess_is_done_start_another(
    cloud: Cloud, started: dict[str, Record], ask_for: Callable[..., str]
) -> None:
    process(cloud.upload("a.jpg", jpeg()))
    for entry in (SMALL, {**SMALL, "max_width": 5}, SMALL):
        ask_for(PNG, entry)
        assert send(reprocess()) == []
    assert len(started) == 2


@pytest.mark.usefixtures("outdated")
def test_a_newer_upload_while_it_is_made_again_wins(
    cloud: Cloud, started: dict[str, Record]
) -> None:
    execution_input = reprocess_started(started)
    newer = cloud.upload("a.jpg", jpeg(8, 8, seed=1))
    before(clients.s3(), "PutObject", lambda: process(newer))
    process(execution_input)
    version = newer["s3"]["object"]["versionId"]
    assert record_of("a.jpg")["sourceVersionId"] == version
    for key in ("a.jpg", "a.png", "a-small.jpg"):
        assert cloud.metadata(key)["source-version"] == version


@pytest.mark.usefixtures("outdated")
def test_the_copy_is_found_where_a_newer_upload_has_taken_its_key(
    cloud: Cloud, started: dict[str, Record]
) -> None:
    original = record_of("a.jpg")["images"][0]["original"]
    execution_input = reprocess_started(started)
    process(cloud.upload("a.jpg", jpeg(seed=1)))
    versions = cloud.version_count(DESTINATION)
    assert original.items() <= copy_file.handler(execution_input, None).items()
    assert cloud.version_count(DESTINATION) == versions


def test_an_input_that_names_another_image_s_copy_writes_nothing(
    cloud: Cloud, started: dict[str, Record], ask_for: Callable[..., str]
) -> None:
    for number, key in enumerate(("a.jpg", "b.jpg")):
        process(cloud.upload(key, jpeg(seed=number)))
    ask_for(PNG, SMALL)
    send(reprocess("a.jpg"), reprocess("b.jpg"))
    first, second = started.values()
    mixed = {**first, "reprocess": second["reprocess"]}
    assert_refused(cloud, mixed, r"'b.jpg' .* is not the copy of 'a.jpg'")


@pytest.mark.usefixtures("outdated")
def test_an_input_whose_copy_is_in_another_bucket_writes_nothing(
    cloud: Cloud, started: dict[str, Record]
) -> None:
    execution_input = reprocess_started(started)
    cloud.s3.create_bucket(Bucket="elsewhere")
    metadata = cloud.metadata("a.jpg")
    copy = cloud.s3.put_object(Bucket="elsewhere", Key="a.jpg", Body=jpeg(), Metadata=metadata)
    where = {"bucket": "elsewhere", "key": "a.jpg", "eTag": copy["ETag"].strip('"')}
    elsewhere = {**execution_input, "reprocess": {**execution_input["reprocess"], **where}}
    del elsewhere["reprocess"]["versionId"]
    assert_refused(cloud, elsewhere, "not the copy")


@pytest.mark.parametrize("prefix", ["", "converted/"])
def test_an_input_whose_copy_is_where_others_may_write_writes_nothing(
    cloud: Cloud,
    started: dict[str, Record],
    ask_for: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
) -> None:
    """Its metadata may be copied from the original."""
    monkeypatch.setenv("DESTINATION_PREFIX", prefix)
    process(cloud.upload("a.jpg", jpeg()))
    ask_for(PNG, SMALL)
    execution_input = reprocess_started(started)
    metadata = cloud.metadata(f"{prefix}a.jpg")
    forged = f"{prefix}{keys.MANIFESTS}a.jpg"
    copy = cloud.s3.put_object(Bucket=DESTINATION, Key=forged, Body=jpeg(seed=1), Metadata=metadata)
    where = {"key": forged, "eTag": copy["ETag"].strip('"'), "versionId": copy["VersionId"]}
    forgery = {**execution_input, "reprocess": {**execution_input["reprocess"], **where}}
    assert_refused(cloud, forgery, "not the copy")


def test_what_is_in_the_destination_bucket_is_never_taken_for_an_upload(cloud: Cloud) -> None:
    process(cloud.upload("a.jpg", jpeg()))
    execution_input = {"s3": {"bucket": {"name": DESTINATION}, "object": {"key": "a.jpg"}}}
    assert_refused(cloud, execution_input, "in the destination bucket")


def test_events_name_what_was_uploaded(outdated: Record, started: dict[str, Record]) -> None:
    execution_input = reprocess_started(started)
    item = outdated["s3"]["object"]
    expected = {"key": "a.jpg", "etag": item["eTag"], "version-id": item["versionId"]}
    for detail in (
        event_bus.not_converted(execution_input, "arn", "Name", "cause"),
        event_bus.converted(converted(execution_input), "arn"),
    ):
        assert detail["bucket"] == {"name": SOURCE}
        assert expected.items() <= detail["object"].items()
