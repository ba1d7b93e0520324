"""Every boto3 call of the functions, checked by botocore's models, both what goes in and out."""

import base64
import gzip
import io
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError
from botocore.response import StreamingBody
from packaging.version import Version

from image_converter import keys, notifications
from image_converter.errors import DestroyRefused, UnknownType
from image_converter.handlers import (
    copy_file,
    delete_file,
    destroy_guard,
    get_file_type,
    report_failure,
    resize_image,
    trigger,
    upload,
    write_to_dynamodb,
)
from scripts.lib.paths import REPOSITORY
from tests.support import fake_cloud, images
from tests.support.called_operations import calls_in_the_source
from tests.support.stubs import STATE_MACHINE, Stubs, stubbed

MODELS = json.loads(
    (Path(__file__).parent / "vendor" / "botocore_inputs.json").read_text(encoding="utf-8")
)["versions"]

ETAG = '"d41d8cd98f00b204e9800998ecf8427e"'
VERSION = "096fKKXTRTtl3on89fVO.nfljtsv6qko"
MODIFIED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GONE = ("404", 404)
TAKEN = ("PreconditionFailed", 412)


def record() -> dict[str, Any]:
    """Return the documented event record as an execution's input, its key decoded."""
    body = json.dumps(fake_cloud.recorded("s3_created_2_1"))
    return notifications.records(body)[0]


def state() -> dict[str, Any]:
    """Return the state after ProcessFile."""
    source = {
        "sourceVersionId": VERSION,
        "sourceETag": ETAG.strip('"'),
        "sourceLastModified": "2026-01-02T03:04:05Z",
        "bucket": fake_cloud.DESTINATION,
        "size": 1024,
    }
    images_made = [
        {"original": {**source, "key": "HappyFace.jpg"}},
        {"resized": {**source, "key": "HappyFace.png", "width": 24, "height": 16}},
    ]
    return {**record(), "results": {"fileType": "jpg", "images": images_made}}


def described(size: int = 1024, **more: Any) -> dict[str, Any]:
    """Return what S3 answers to a HEAD."""
    return {
        "ETag": ETAG,
        "VersionId": VERSION,
        "ContentLength": size,
        "ContentType": "image/jpeg",
        "LastModified": MODIFIED,
        "Metadata": {},
        "ServerSideEncryption": "aws:kms",
        **more,
    }


def content(body: bytes) -> dict[str, Any]:
    """Return what S3 answers to a GET."""
    return described(len(body), Body=StreamingBody(io.BytesIO(body), len(body)))


def older_in_destination() -> dict[str, Any]:
    """Return a HEAD of what an older version of the same key left in the destination bucket."""
    marks = {
        "source-key-hash": keys.fingerprint("HappyFace.jpg"),
        "source-version": "older",
        "source-modified": "2025-01-01T00:00:00Z",
        "source-sequencer": "0055AED6DCD90281E4".ljust(32, "0"),
    }
    return described(Metadata=marks, ETag='"older"')


# ---- One scenario for each way through the code that calls AWS ------------------------------


STARTED = {
    "executionArn": f"{STATE_MACHINE}:x".replace("stateMachine", "execution"),
    "startDate": MODIFIED,
}


def starts_an_execution(stubs: Stubs) -> None:
    stubs.answer("stepfunctions", "start_execution", STARTED)
    message = fake_cloud.recorded("sqs_message")
    message["body"] = json.dumps(fake_cloud.recorded("s3_created_2_1"))
    assert trigger.handler({"Records": [message]}, None) == {"batchItemFailures": []}


def starts_no_second_execution(stubs: Stubs) -> None:
    stubs.refuse("stepfunctions", "start_execution", "ExecutionAlreadyExists", 400)
    message = fake_cloud.recorded("sqs_message")
    message["body"] = json.dumps(fake_cloud.recorded("s3_created_2_1_unversioned"))
    assert trigger.handler({"Records": [message]}, None) == {"batchItemFailures": []}


def looks_before_it_starts(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described())
    stubs.answer("dynamodb", "get_item")
    stubs.answer("stepfunctions", "start_execution", STARTED)
    item = {"bucket": {"name": fake_cloud.SOURCE}, "object": {"key": "HappyFace.jpg"}}
    body = {"source": "image-converter.backfill", "detail-type": "Object Created", "detail": item}
    message = {**fake_cloud.recorded("sqs_message"), "body": json.dumps(body)}
    assert trigger.handler({"Records": [message]}, None) == {"batchItemFailures": []}
    assert stubs.parameters("stepfunctions.StartExecution")["name"] == keys.execution_name(
        fake_cloud.SOURCE, "HappyFace.jpg", VERSION
    )


def uploads(stubs: Stubs) -> None:
    stubs.answer("s3", "put_object", {"ETag": ETAG, "VersionId": VERSION})
    answer = upload.handler(fake_cloud.recorded("http_api_v2"), None)
    assert answer["statusCode"] == 202
    assert json.loads(answer["body"])["versionId"] == VERSION


def reads_the_type(stubs: Stubs) -> None:
    stubs.answer("s3", "get_object", content(b"\xff\xd8\xff\xe0" + bytes(20)))
    assert get_file_type.handler(record(), None) == "jpg"


def refuses_an_empty_object(stubs: Stubs) -> None:
    stubs.refuse("s3", "get_object", "InvalidRange", 416)
    stubs.answer("s3", "head_object", described(0))
    with pytest.raises(UnknownType):
        get_file_type.handler(record(), None)


def copies(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described())
    stubs.answer(
        "s3",
        "copy_object",
        {"CopyObjectResult": {"ETag": ETAG, "LastModified": MODIFIED}, "VersionId": VERSION},
    )
    assert copy_file.handler(record(), None)["versionId"] == VERSION


def replaces_an_older_copy(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described())
    stubs.refuse("s3", "copy_object", *TAKEN)
    stubs.answer("s3", "head_object", described())  # it is not the source that changed
    stubs.answer("s3", "head_object", older_in_destination())
    stubs.answer(
        "s3",
        "copy_object",
        {"CopyObjectResult": {"ETag": ETAG, "LastModified": MODIFIED}, "VersionId": VERSION},
    )
    copy_file.handler(record(), None)


SIX_GB = 6 * 1024**3


def copies_all_parts(stubs: Stubs) -> None:
    stubs.answer("s3", "create_multipart_upload", {"UploadId": "upload"})
    for _ in range(12):
        stubs.answer("s3", "upload_part_copy", {"CopyPartResult": {"ETag": ETAG}})


def copies_in_parts(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described(SIX_GB))
    stubs.refuse("s3", "head_object", *GONE)
    # S3 names the number of tags in the answer to a GET; of a HEAD botocore's model has it too.
    copies_all_parts(stubs)
    stubs.answer("s3", "complete_multipart_upload", {"ETag": ETAG, "VersionId": VERSION})
    copy_file.handler(record(), None)


def copies_tags_in_parts(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described(SIX_GB, TagCount=1))
    stubs.answer("s3", "head_object", older_in_destination())
    stubs.answer("s3", "get_object_tagging", {"TagSet": [{"Key": "album", "Value": "a&b"}]})
    copies_all_parts(stubs)
    stubs.answer("s3", "complete_multipart_upload", {"ETag": ETAG, "VersionId": VERSION})
    copy_file.handler(record(), None)
    assert stubs.parameters("s3.CreateMultipartUpload")["Tagging"] == "album=a%26b"


def gives_a_copy_in_parts_up(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described(SIX_GB))
    stubs.refuse("s3", "head_object", *GONE)
    copies_all_parts(stubs)
    stubs.refuse("s3", "complete_multipart_upload", "InternalError", 500)
    stubs.answer("s3", "abort_multipart_upload")
    stubs.answer("s3", "head_object", described(SIX_GB))
    with pytest.raises(ClientError, match="InternalError"):
        copy_file.handler(record(), None)


def converts(stubs: Stubs) -> None:
    stubs.answer("s3", "get_object", content(images.jpeg()))
    stubs.answer("s3", "put_object", {"ETag": ETAG, "VersionId": VERSION})
    assert resize_image.handler(record(), None)["width"] == 24


def writes_the_record(stubs: Stubs) -> None:
    stubs.answer("dynamodb", "put_item", {"ResponseMetadata": METADATA})
    assert write_to_dynamodb.handler(state(), None)["status"] == "Item saved successfully"


METADATA = {
    "RequestId": "403KRHLP1D60TMV1ML08RIPS2VVV4KQNSO5AEMVJF66Q9ASUAAJG",
    "HTTPStatusCode": 200,
}


def keeps_a_newer_record(stubs: Stubs) -> None:
    stubs.stubbers["dynamodb"].add_client_error(
        "put_item",
        service_error_code="ConditionalCheckFailedException",
        http_status_code=400,
        response_meta={"RequestId": "4O3"},
    )
    assert write_to_dynamodb.handler(state(), None)["status"] == "Item of a newer upload kept"


def sends_an_event(stubs: Stubs) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENT_BUS", "default")
        patch.setenv("EVENT_SOURCE", "image-converter")
        stubs.answer("dynamodb", "put_item", {"ResponseMetadata": METADATA})
        stubs.answer("events", "put_events", EVENT_SENT)
        write_to_dynamodb.handler({"state": state(), "execution": EXECUTION}, None)


EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:image-converter:HappyFace-0123"
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
EVENT_SENT = {
    "FailedEntryCount": 0,
    "Entries": [{"EventId": "11710aed-b79e-4468-a20b-bb3c0c3b4860"}],
}


def reports_a_timeout(stubs: Stubs) -> None:
    described = {
        "executionArn": EXECUTION,
        "stateMachineArn": STATE_MACHINE,
        "status": "TIMED_OUT",
        "startDate": MODIFIED,
        "input": json.dumps(record()),
    }
    stubs.answer("stepfunctions", "describe_execution", described)
    stubs.answer("events", "put_events", EVENT_SENT)
    line = fake_cloud.recorded("step_functions_log")["ExecutionTimedOut"]
    batch = {"messageType": "DATA_MESSAGE", "logEvents": [{"message": json.dumps(line)}]}
    packed = base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENT_BUS", "default")
        patch.setenv("EVENT_SOURCE", "image-converter")
        report_failure.handler({"awslogs": {"data": packed}}, None)


def deletes(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described())
    stubs.answer("s3", "delete_object", {"DeleteMarker": True, "VersionId": "marker"})
    assert delete_file.handler(state(), None)["status"] == "Deleted from source bucket"


def keeps_what_is_newer(stubs: Stubs) -> None:
    stubs.answer("s3", "head_object", described())
    stubs.refuse("s3", "delete_object", "PreconditionFailed", 412)
    stubs.answer("s3", "head_object", described())
    assert delete_file.handler(state(), None)["status"].startswith("Kept in source bucket")


def refuses_to_be_destroyed(stubs: Stubs) -> None:
    version = {"Key": "HappyFace.jpg", "VersionId": VERSION, "Size": 1024, "IsLatest": True}
    stubs.answer("s3", "list_object_versions", {"Versions": [version]})
    event = {
        "buckets": [fake_cloud.SOURCE],
        "forceDestroy": False,
        "tableDeletionProtection": False,
    }
    with pytest.raises(DestroyRefused):
        destroy_guard.handler({**event, "tf": {"action": "delete"}}, None)


SCENARIOS: tuple[Callable[[Stubs], None], ...] = (
    starts_an_execution,
    starts_no_second_execution,
    looks_before_it_starts,
    uploads,
    reads_the_type,
    refuses_an_empty_object,
    copies,
    replaces_an_older_copy,
    copies_in_parts,
    copies_tags_in_parts,
    gives_a_copy_in_parts_up,
    converts,
    writes_the_record,
    keeps_a_newer_record,
    sends_an_event,
    reports_a_timeout,
    deletes,
    keeps_what_is_newer,
    refuses_to_be_destroyed,
)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_calls_and_answers_are_those_of_the_service(
    scenario: Callable[[Stubs], None], stubs: Stubs
) -> None:
    scenario(stubs)
    assert stubs.calls


@pytest.fixture(scope="module")
def calls() -> set[tuple[str, str]]:
    """All operations with each parameter that the scenarios use."""
    used: set[tuple[str, str]] = set()
    for scenario in SCENARIOS:
        with pytest.MonkeyPatch.context() as patch:
            with stubbed(patch) as stubs:
                scenario(stubs)
            used |= {(call.operation, name) for call in stubs.calls for name in call.parameters}
    return used


def test_no_call_in_the_source_is_left_out(calls: set[tuple[str, str]]) -> None:
    assert {operation for operation, _ in calls} == calls_in_the_source()


# ---- Which botocore knows these parameters --------------------------------------------------


def unknown_to(version: str, calls: set[tuple[str, str]]) -> set[tuple[str, str]]:
    known_calls = {
        (operation, name) for operation, names in MODELS[version].items() for name in names
    }
    return calls - known_calls


def test_the_oldest_botocore_that_knows_every_parameter(calls: set[tuple[str, str]]) -> None:
    """Conditions on the destination of a copy came with 1.40.61, on 2025-10-28."""
    assert unknown_to("1.40.60", calls) == {
        ("s3.CopyObject", "IfMatch"),
        ("s3.CopyObject", "IfNoneMatch"),
    }
    assert unknown_to("1.40.61", calls) == set()


# ---- The stubs can fail ---------------------------------------------------------------------


def test_a_parameter_that_the_service_lacks_is_refused(stubs: Stubs) -> None:
    stubs.answer("s3", "delete_object")
    client: Any = stubs.stubbers["s3"].client
    with pytest.raises(ParamValidationError, match="IfNoneMatch"):
        client.delete_object(Bucket="bucket", Key="key", IfNoneMatch="*")
    client.delete_object(Bucket="bucket", Key="key")


def test_a_parameter_of_another_type_is_refused(stubs: Stubs) -> None:
    stubs.answer("dynamodb", "put_item")
    client: Any = stubs.stubbers["dynamodb"].client
    with pytest.raises(ParamValidationError, match="imageName"):
        client.put_item(TableName="table", Item={"imageName": "photo.jpg"})
    client.put_item(TableName="table", Item={"imageName": {"S": "photo.jpg"}})


def test_an_answer_that_the_service_cannot_give_is_refused(stubs: Stubs) -> None:
    with pytest.raises(ParamValidationError, match="Etag"):
        stubs.answer("s3", "put_object", {"Etag": ETAG})


def test_the_layer_carries_a_botocore_that_knows_every_parameter() -> None:
    """Lambda's own is of no stated version: it differs by region and changes without notice.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html, "Runtime-included SDK versions"
    """
    pinned = REPOSITORY / "requirements" / "layer.txt"
    pin = re.search(r"^botocore==([\d.]+)", pinned.read_text(encoding="utf-8"), re.MULTILINE)
    assert pin is not None
    assert Version(pin[1]) >= Version("1.40.61")
