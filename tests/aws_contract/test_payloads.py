"""The functions take every payload that AWS documents, and give answers of the documented form."""

import json
import re
from typing import Any

import pytest

from image_converter import events, keys
from image_converter.handlers import trigger, upload
from scripts.lib import asl
from scripts.lib.paths import REPOSITORY
from tests.support import fake_cloud
from tests.support.stubs import STATE_MACHINE, Stubs

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
EXECUTION_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")

CREATED = ("s3_created_2_1", "s3_created_2_1_unversioned")
OTHERS = ("s3_test_event", "s3_replication_2_2", "s3_restore_2_3")


def queued(notification: Any) -> dict[str, Any]:
    """Return the documented SQS event with the notification in its first message."""
    event: dict[str, Any] = fake_cloud.recorded("sqs_batch")
    del event["Records"][1]
    event["Records"][0]["body"] = json.dumps(notification)
    return event


def started(stubs: Stubs, notification: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the StartExecution of a notification of one new object, and its input."""
    execution = f"{STATE_MACHINE}:x".replace("stateMachine", "execution")
    stubs.answer(
        "stepfunctions",
        "start_execution",
        {"executionArn": execution, "startDate": "2026-01-02T03:04:05Z"},
    )
    assert trigger.handler(queued(notification), None) == {"batchItemFailures": []}
    call = stubs.parameters("stepfunctions.StartExecution")
    return call, json.loads(call["input"])


@pytest.mark.parametrize("payload", CREATED)
def test_a_new_object_starts_an_execution(payload: str, stubs: Stubs) -> None:
    notification = fake_cloud.recorded(payload)
    call, execution_input = started(stubs, notification)
    documented = notification["Records"][0]
    plain = keys.decode(documented["s3"]["object"]["key"])
    documented["s3"]["object"]["key"] = plain
    assert execution_input.items() <= events.execution_input(documented).items()
    for field in ("name", "key", "eTag", "sequencer"):
        part = "bucket" if field == "name" else "object"
        assert execution_input["s3"][part][field] == documented["s3"][part][field]
    assert call["stateMachineArn"] == STATE_MACHINE
    assert EXECUTION_NAME.fullmatch(call["name"])


def test_the_documented_encoding_of_a_key_is_undone(stubs: Stubs) -> None:
    _, execution_input = started(stubs, fake_cloud.recorded("s3_created_2_1_unversioned"))
    assert execution_input["s3"]["object"]["key"] == "red flower.jpg"


@pytest.mark.parametrize("left_out", ["sequencer", "versionId", "eTag", "size"])
def test_fields_that_only_some_events_have_are_not_needed(left_out: str, stubs: Stubs) -> None:
    notification = fake_cloud.recorded("s3_created_2_1")
    del notification["Records"][0]["s3"]["object"][left_out]
    call, execution_input = started(stubs, notification)
    assert left_out not in execution_input["s3"]["object"]
    assert EXECUTION_NAME.fullmatch(call["name"])


def test_fields_of_newer_minor_versions_are_ignored(stubs: Stubs) -> None:
    """AWS: "Applications should ignore new fields to stay forward compatible"."""
    notification = fake_cloud.recorded("s3_created_2_1")
    notification["Records"][0].update(eventVersion="2.9", lifecycleEventData={"new": True})
    _, execution_input = started(stubs, notification)
    assert "lifecycleEventData" not in execution_input


@pytest.mark.parametrize("payload", OTHERS)
def test_other_events_start_nothing(payload: str, stubs: Stubs) -> None:
    event = queued(fake_cloud.recorded(payload))
    assert trigger.handler(event, None) == {"batchItemFailures": []}
    assert stubs.calls == []


def test_the_documented_batch_is_answered_by_message(stubs: Stubs) -> None:
    """Its bodies ("test") are not notifications: both messages must be delivered again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    event = fake_cloud.recorded("sqs_batch")
    answer = trigger.handler(event, None)
    assert answer == {
        "batchItemFailures": [
            {"itemIdentifier": message["messageId"]} for message in event["Records"]
        ]
    }
    assert stubs.calls == []


# https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
ANSWER_FIELDS = {"cookies", "isBase64Encoded", "statusCode", "headers", "body"}


def _check_answer(answer: dict[str, Any], status: int) -> None:
    assert answer["statusCode"] == status
    assert isinstance(answer["statusCode"], int)
    assert set(answer) <= ANSWER_FIELDS
    assert isinstance(answer["body"], str)
    assert all(isinstance(value, str) for value in answer["headers"].values())


def test_an_upload_by_the_documented_request_is_accepted(stubs: Stubs) -> None:
    stubs.answer("s3", "put_object", {"ETag": '"1"', "VersionId": "1"})
    _check_answer(upload.handler(fake_cloud.recorded("http_api_v2"), None), 202)


def test_the_documented_example_of_another_route_is_refused(stubs: Stubs) -> None:
    _check_answer(upload.handler(fake_cloud.recorded("http_api_v2_full"), None), 404)
    assert stubs.calls == []


def test_the_documented_example_on_our_route_is_read_as_text(stubs: Stubs) -> None:
    event = fake_cloud.recorded("http_api_v2_full")
    event["requestContext"]["http"]["path"] = event["rawPath"] = "/upload"
    event["queryStringParameters"] = {"name": "photo.jpg"}
    _check_answer(upload.handler(event, None), 415)
    assert stubs.calls == []


def test_the_state_machine_needs_only_its_execution_s_arn_of_the_context_object() -> None:
    """So what the emulator's context lacks (see test_emulator_events.py) makes no difference."""
    substituted = (REPOSITORY / "terraform" / "state_machine.tf").read_text(encoding="utf-8")
    assert set(re.findall(r"\$\$[.\w]+", asl.template() + substituted)) == {"$$.Execution.Id"}


def test_every_payload_has_its_source() -> None:
    readme = (fake_cloud.EVENTS / "README.md").read_text(encoding="utf-8")
    rows = [line for line in readme.splitlines() if line.startswith("| `")]
    for file in fake_cloud.EVENTS.glob("*.json"):
        row = [line for line in rows if any(_names(cell, file.name) for cell in line.split("`"))]
        assert row, f"{file.name} has no row in {readme}"
        assert re.search(r"https://docs\.aws\.amazon\.com|the same page|the article", row[0])


def _names(cell: str, name: str) -> bool:
    """Return whether a row's cell is the file's name; `*` stands for any end."""
    return re.fullmatch(re.escape(cell).replace(r"\*", ".*"), name) is not None
