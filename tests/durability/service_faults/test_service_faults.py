"""S3, DynamoDB and Step Functions fail; the real functions and the real SDK under the real ASL."""

import json
import os
from typing import Any

import pytest

from image_converter import clients
from image_converter.handlers import trigger
from tests.durability.service_faults import wire
from tests.durability.service_faults.promise import IMAGE, check, check_recovery
from tests.durability.service_faults.wire import Fault
from tests.support.asl import machine
from tests.support.fake_cloud import DESTINATION, SOURCE, Cloud, Record, notification

SDK_ATTEMPTS = 3

SLOW_DOWN = wire.s3_error(503, "SlowDown")
INTERNAL = wire.s3_error(500, "InternalError")
S3_FAULTS = {
    "503": SLOW_DOWN,
    "500": INTERNAL,
    "no connection": wire.refused_connection,
    "late connection": wire.late_connection,
    "closed connection": wire.closed_connection,
    "no answer": wire.no_answer,
    "lost answer": wire.lost_answer,
}
S3_OPERATIONS = ("GetObject", "HeadObject", "CopyObject", "PutObject", "DeleteObject")
DYNAMODB_FAULTS = {
    "throttled": wire.json_error(400, "ThrottlingException"),
    "over capacity": wire.json_error(400, "ProvisionedThroughputExceededException"),
    "500": wire.json_error(500, "InternalServerError"),
    "no answer": wire.no_answer,
    "lost answer": wire.lost_answer,
}
PASSING = [
    *((f"s3.{operation}", name) for operation in S3_OPERATIONS for name in S3_FAULTS),
    *(("dynamodb.PutItem", name) for name in DYNAMODB_FAULTS),
]


def fault_of(operation: str, name: str) -> Fault:
    return (S3_FAULTS if operation.startswith("s3.") else DYNAMODB_FAULTS)[name]


@pytest.mark.parametrize(("operation", "name"), PASSING)
def test_the_sdk_gets_over_a_fault_that_passes(
    cloud: Cloud, operation: str, name: str, sdk_waits: list[float]
) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking(operation, fault_of(operation, name), times=SDK_ATTEMPTS - 1):
        result = machine.run(record)
    assert result.status == "SUCCEEDED", result.cause
    assert result.waits == [], "Step Functions had to try again"
    assert len(sdk_waits) == SDK_ATTEMPTS - 1
    check(record, result)


@pytest.mark.parametrize("name", ["503", "closed connection", "lost answer"])
@pytest.mark.parametrize("operation", [f"s3.{operation}" for operation in S3_OPERATIONS])
def test_a_fault_that_stays_a_while_is_over_with_the_state_machine_s_retries(
    cloud: Cloud, operation: str, name: str
) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking(operation, fault_of(operation, name), times=2 * SDK_ATTEMPTS):
        result = machine.run(record)
    assert result.status == "SUCCEEDED", result.cause
    check(record, result)


STAYING = {
    "s3.GetObject": [SLOW_DOWN, wire.s3_error(403, "AccessDenied"), wire.no_answer],
    "s3.HeadObject": [INTERNAL, wire.s3_error(403, "AccessDenied"), wire.closed_connection],
    "s3.CopyObject": [SLOW_DOWN, wire.s3_error(403, "AccessDenied")],
    "s3.PutObject": [
        wire.s3_error(403, "AccessDenied"),
        wire.s3_error(400, "KMS.DisabledException"),
        wire.s3_error(400, "KMS.NotFoundException"),
    ],
    "s3.DeleteObject": [wire.s3_error(403, "AccessDenied"), SLOW_DOWN],
    "dynamodb.PutItem": [
        wire.json_error(400, "ThrottlingException"),
        wire.json_error(400, "AccessDeniedException"),
        wire.json_error(400, "ResourceNotFoundException"),
    ],
}


@pytest.mark.parametrize(
    ("operation", "fault"),
    [(operation, fault) for operation, faults in STAYING.items() for fault in faults],
)
def test_a_fault_that_stays_fails_the_execution_and_loses_nothing(
    cloud: Cloud, operation: str, fault: Fault
) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking(operation, fault):
        failed = machine.run(record)
    assert json.loads(str(failed.cause))["errorMessage"]
    check_recovery(record, failed)


def test_a_png_whose_every_answer_is_lost_is_found(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    with wire.striking("s3.PutObject", wire.lost_answer):
        result = machine.run(record)
    assert (result.status, len(result.waits)) == ("SUCCEEDED", 0)
    check(record, result)


def test_a_destination_bucket_that_is_gone_loses_nothing(cloud: Cloud) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    cloud.s3.delete_bucket(Bucket=DESTINATION)
    result = machine.run(record)
    assert (result.status, cloud.content(SOURCE, "a.jpg")) == ("FAILED", IMAGE)
    assert "NoSuchBucket" in str(result.cause)


@pytest.mark.parametrize("function", ["copy_file", "resize_image"])
def test_a_version_that_goes_while_it_is_handled_is_named_and_not_retried(
    cloud: Cloud, function: str
) -> None:
    record = cloud.upload("a.jpg", IMAGE)
    item = record["s3"]["object"]

    def vanish() -> None:
        cloud.s3.delete_object(Bucket=SOURCE, Key=item["key"], VersionId=item["versionId"])

    result = machine.run(record, **{function: machine.preceded(function, vanish)})
    assert (result.status, result.error, result.waits) == ("FAILED", "SourceNotFound", [])


class TestStarting:
    """StartExecution fails: the message is delivered again, and no other one suffers."""

    @pytest.fixture(autouse=True)
    def state_machine(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG002
        machine = clients.stepfunctions().create_state_machine(
            name="m", definition="{}", roleArn="arn:aws:iam::123456789012:role/r"
        )
        monkeypatch.setenv("STATE_MACHINE_ARN", machine["stateMachineArn"])

    def deliver(self, *records: Record) -> list[str]:
        messages = [
            {"messageId": record["s3"]["object"]["key"], "body": json.dumps(notification(record))}
            for record in records
        ]
        answer = trigger.handler({"Records": messages}, None)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def started(self) -> int:
        listed = clients.stepfunctions().list_executions(
            stateMachineArn=os.environ["STATE_MACHINE_ARN"]
        )
        return len(listed["executions"])

    @pytest.mark.parametrize(
        "fault",
        [
            wire.json_error(400, "ThrottlingException"),
            wire.json_error(500, "InternalFailure"),
            wire.closed_connection,
            wire.lost_answer,
        ],
    )
    def test_a_fault_that_passes_is_the_sdk_s(self, cloud: Cloud, fault: Fault) -> None:
        with wire.striking("sfn.StartExecution", fault, times=SDK_ATTEMPTS - 1):
            assert self.deliver(cloud.upload("a.jpg", IMAGE)) == []
        assert self.started() == 1

    @pytest.mark.parametrize(
        "fault",
        [
            wire.json_error(400, "ExecutionLimitExceeded"),
            wire.json_error(400, "ThrottlingException"),
            wire.json_error(400, "AccessDeniedException"),
            wire.no_answer,
            wire.lost_answer,
        ],
    )
    def test_a_fault_that_stays_leaves_the_message_in_the_queue(
        self, cloud: Cloud, fault: Fault
    ) -> None:
        records = [cloud.upload(key, IMAGE) for key in ("a.jpg", "b.jpg")]
        with wire.striking("sfn.StartExecution", fault):
            assert self.deliver(*records) == ["a.jpg", "b.jpg"]
        assert self.deliver(*records) == []
        assert self.started() == len(records)


@pytest.mark.usefixtures("cloud")
def test_the_sdk_s_retries_are_chosen_and_not_left_to_defaults() -> None:
    for make in (clients.s3, clients.s3_copies, clients.dynamodb, clients.stepfunctions):
        config: Any = make().meta.config
        assert config.retries == {"mode": "standard", "total_max_attempts": SDK_ATTEMPTS}
        assert (config.connect_timeout, config.read_timeout) != (60, 60)
