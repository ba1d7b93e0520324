"""Answers that S3 and DynamoDB hardly ever give, and objects that hardly anybody has.

Whatever happens: an execution that succeeds has converted the image, and one that fails has left it
where it was, and another execution converts it once the fault is over.
"""

import json
from typing import Any

import pytest

from image_converter import clients, s3_copy
from image_converter.handlers import trigger
from tests.durability.service_faults import wire
from tests.durability.service_faults.promise import IMAGE, check, check_recovery
from tests.durability.service_faults.wire import Fault
from tests.support.asl import machine
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud, Record, notification
from tests.support.images import jpeg

ONE_ATTEMPT = 3  # of a function: the SDK's own


def check_source_and_recovery(cloud: Cloud, record: Record, failed: Any) -> None:
    assert cloud.content(SOURCE, "a.jpg") == IMAGE
    check_recovery(record, failed)


class TestAShortAnswer:
    """S3 answers 200 with part of the object, and the header says that this is all."""

    @pytest.mark.parametrize("size", [0, 1, 2])
    def test_is_not_taken_for_a_file_that_is_not_a_jpeg(self, cloud: Cloud, size: int) -> None:
        """It once was, and the original was deleted: only its first bytes are requested."""
        record = cloud.upload("a.jpg", IMAGE)
        with wire.striking("s3.GetObject", wire.short_answer(size), times=1):
            result = machine.run(record)
        assert (result.status, result.output["fileType"]) == ("SUCCEEDED", "jpg")
        check(record, result)

    def test_that_says_there_is_no_first_byte_is_not_taken_for_an_empty_file(
        self, cloud: Cloud
    ) -> None:
        record = cloud.upload("a.jpg", IMAGE)
        with wire.striking("s3.GetObject", wire.s3_error(416, "InvalidRange"), times=1):
            result = machine.run(record)
        assert (result.status, result.output["fileType"]) == ("SUCCEEDED", "jpg")
        check(record, result)

    def test_that_stays_deletes_nothing(self, cloud: Cloud) -> None:
        record = cloud.upload("a.jpg", IMAGE)
        with wire.striking("s3.GetObject", wire.short_answer(1)):
            failed = machine.run(record)
        check_source_and_recovery(cloud, record, failed)

    def test_is_never_half_an_image(self, cloud: Cloud) -> None:
        record = cloud.upload("a.jpg", IMAGE)

        def resize_image(event: Any, context: Any) -> Any:
            with wire.striking("s3.GetObject", wire.short_answer(len(IMAGE) // 2)):
                return machine.HANDLERS["resize_image"](event, context)

        failed = machine.run(record, resize_image=resize_image)
        # The second is the SDK's, which compares with S3's checksum where the object has one.
        assert failed.error in ("DamagedImage", "FlexibleChecksumError")
        assert "a.png" not in cloud.keys(DESTINATION)
        check_source_and_recovery(cloud, record, failed)


# S3 may answer a copy 200 and then find that it failed; the error is in the body:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
OK_BUT = wire.s3_error(200, "InternalError")


def test_a_copy_that_fails_after_200_is_made_again(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking("s3.CopyObject", OK_BUT, times=2) as requests:
        result = machine.run(record)
    assert (result.status, len(requests)) == ("SUCCEEDED", 3)
    check(record, result)


def test_a_copy_that_always_fails_after_200_is_not_a_copy(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking("s3.CopyObject", OK_BUT):
        failed = machine.run(record)
    assert "a.jpg" not in cloud.keys(DESTINATION)
    check_source_and_recovery(cloud, record, failed)


GARBAGE = wire.s3_error(200, "</Code>")
STAYING = {
    "encrypted by its uploader": ("s3.GetObject", wire.s3_error(400, "InvalidRequest")),
    "no key to look at it": ("s3.HeadObject", wire.s3_error(400, "400")),
    "the key may not be used": ("s3.GetObject", wire.s3_error(400, "KMS.DisabledException")),
    "the clock is wrong": ("s3.CopyObject", wire.s3_error(403, "RequestTimeTooSkewed")),
    "the credentials have expired": ("s3.PutObject", wire.s3_error(400, "ExpiredToken")),
    "the bucket has moved": ("s3.PutObject", wire.s3_error(307, "TemporaryRedirect")),
    "a copy conflicts with others": (
        "s3.CopyObject",
        wire.s3_error(409, "ConditionalRequestConflict"),
    ),
    "a write conflicts with others": (
        "s3.PutObject",
        wire.s3_error(409, "ConditionalRequestConflict"),
    ),
    "a delete conflicts with others": (
        "s3.DeleteObject",
        wire.s3_error(409, "ConditionalRequestConflict"),
    ),
    "the object is locked": ("s3.DeleteObject", wire.s3_error(403, "AccessDenied")),
    "the copy's answer is not XML": ("s3.CopyObject", GARBAGE),
    "the table conflicts with others": (
        "dynamodb.PutItem",
        wire.json_error(400, "TransactionConflictException"),
    ),
    "the record is too large": ("dynamodb.PutItem", wire.json_error(400, "ValidationException")),
    "the table's key may not be used": (
        "dynamodb.PutItem",
        wire.json_error(400, "KMSAccessDeniedException"),
    ),
}


@pytest.mark.parametrize(("operation", "fault"), STAYING.values(), ids=STAYING)
def test_what_stays_fails_and_loses_nothing(cloud: Cloud, operation: str, fault: Fault) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking(operation, fault):
        failed = machine.run(record)
    check_source_and_recovery(cloud, record, failed)


@pytest.mark.parametrize("operation", ["GetObject", "CopyObject"])
def test_an_archived_object_is_asked_for_once_and_converted_when_it_is_restored(
    cloud: Cloud, operation: str
) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    archived = wire.s3_error(403, "InvalidObjectState")
    with wire.striking(f"s3.{operation}", archived) as requests:
        failed = machine.run(record)
    assert (failed.error, len(requests)) == ("SourceArchived", 1)
    assert f"'s3://{SOURCE}/a.jpg' is archived: restore it" in str(failed.cause)
    check_source_and_recovery(cloud, record, failed)


@pytest.mark.parametrize(("operation", "fault"), STAYING.values(), ids=STAYING)
def test_what_passes_is_got_over(cloud: Cloud, operation: str, fault: Fault) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking(operation, fault, times=1):
        result = machine.run(record)
    assert result.status == "SUCCEEDED", result.cause
    check(record, result)


def test_a_delete_whose_every_answer_is_lost_has_been_made(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking("s3.DeleteObject", wire.lost_answer):
        result = machine.run(record)
    assert result.status == "SUCCEEDED", result.cause
    assert result.output["deletionStatus"]["status"] == "Already deleted from source bucket"
    assert cloud.version_count(SOURCE) == 2
    check(record, result)


def test_a_record_whose_every_answer_is_lost_is_written_by_a_redrive(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking("dynamodb.PutItem", wire.lost_answer):
        failed = machine.run(record)
    check_source_and_recovery(cloud, record, failed)


def test_a_record_whose_answer_is_lost_is_not_taken_for_a_newer_one_s(cloud: Cloud) -> None:
    """The SDK sends the request again, whose condition meets its own first write."""
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking("dynamodb.PutItem", wire.lost_answer, times=1):
        result = machine.run(record)
    assert result.output["writeStatus"]["status"] == "Item saved successfully"
    check(record, result)


class TestACopyInParts:
    """Of an object over 5 GB, here over one byte."""

    @pytest.fixture(autouse=True)
    def _small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(s3_copy, "MAX_SINGLE_COPY", 1)

    @pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
    @pytest.mark.parametrize(
        "fault",
        [wire.s3_error(503, "SlowDown"), wire.lost_answer, wire.closed_connection, OK_BUT],
    )
    def test_gets_over_what_passes(self, cloud: Cloud, operation: str, fault: Fault) -> None:
        record = cloud.upload("a.jpg", IMAGE)
        with wire.striking(f"s3.{operation}", fault, times=ONE_ATTEMPT):
            result = machine.run(record)
        assert result.status == "SUCCEEDED", result.cause
        assert cloud.version_count(DESTINATION) == 2
        check(record, result)

    @pytest.mark.parametrize("operation", ["UploadPartCopy", "CompleteMultipartUpload"])
    def test_that_never_ends_leaves_the_original(self, cloud: Cloud, operation: str) -> None:
        record = cloud.upload("a.jpg", IMAGE)
        with wire.striking(f"s3.{operation}", wire.s3_error(500, "InternalError")):
            failed = machine.run(record)
        assert not clients.s3().list_multipart_uploads(Bucket=DESTINATION).get("Uploads")
        check_source_and_recovery(cloud, record, failed)


@pytest.mark.parametrize("function", machine.HANDLERS)
@pytest.mark.parametrize("same", [False, True], ids=["another image", "the same bytes"])
def test_an_image_that_is_deleted_and_uploaded_again_before_it(
    cloud: Cloud, function: str, same: bool
) -> None:
    older = cloud.upload("a.jpg", jpeg())
    newer: list[Record] = []

    def upload_again() -> None:
        cloud.s3.delete_object(Bucket=SOURCE, Key="a.jpg")
        newer.append(cloud.upload("a.jpg", jpeg(seed=0 if same else 1)))

    result = machine.run(older, **{function: machine.preceded(function, upload_again)})
    assert result.status == "SUCCEEDED", result.cause
    assert result.output["deletionStatus"]["status"].startswith("Kept in source bucket")
    assert "a.jpg" in cloud.keys(SOURCE)
    result = machine.run(newer[0])
    assert result.status == "SUCCEEDED", result.cause
    item = cloud.item("a.jpg")
    assert item is not None
    assert item["sourceVersionId"]["S"] == newer[0]["s3"]["object"]["versionId"]


def test_two_uploads_of_a_key_start_two_executions_while_versioning_is_suspended(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both versions are called "null", and the execution's name followed from that alone."""
    states = clients.stepfunctions()
    state_machine = states.create_state_machine(
        name="m", definition="{}", roleArn="arn:aws:iam::123456789012:role/r"
    )
    monkeypatch.setenv("STATE_MACHINE_ARN", state_machine["stateMachineArn"])
    uploads = [cloud.upload("a.jpg", IMAGE) for _ in range(2)]
    for record in (*uploads, uploads[1]):
        record["s3"]["object"]["versionId"] = "null"
        message = {"messageId": "m", "body": json.dumps(notification(record))}
        assert trigger.handler({"Records": [message]}, None) == {"batchItemFailures": []}
    listed = states.list_executions(stateMachineArn=state_machine["stateMachineArn"])
    assert len(listed["executions"]) == len(uploads)
