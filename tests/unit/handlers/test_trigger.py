"""Each new object's version starts one execution, and what fails is delivered again."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pytest

from image_converter import clients, keys
from image_converter.errors import InvalidSettings
from image_converter.handlers.trigger import handler
from tests.support.awkward_keys import AWKWARD_KEYS
from tests.support.fake_cloud import REGION, Cloud, Record, notification, recorded
from tests.support.faults import observe, refuse
from tests.support.images import jpeg

MACHINE = f"arn:aws:states:{REGION}:123456789012:stateMachine:image-converter"


@pytest.fixture(autouse=True)
def _state_machine(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    clients.stepfunctions().create_state_machine(
        name="image-converter",
        definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/state-machine",
    )
    monkeypatch.setenv("STATE_MACHINE_ARN", MACHINE)


def batch(*bodies: object) -> dict[str, Any]:
    """Return an SQS batch: a message m0, m1, ... for each body; other types are sent as JSON."""
    return {
        "Records": [
            {
                **recorded("sqs_message"),
                "messageId": f"m{number}",
                "body": body if isinstance(body, str) else json.dumps(body),
            }
            for number, body in enumerate(bodies)
        ]
    }


def failures(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    """Return the ids of the messages that are to be delivered again."""
    assert answer.keys() == {"batchItemFailures"}
    assert all(failure.keys() == {"itemIdentifier"} for failure in answer["batchItemFailures"])
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def executions() -> dict[str, Any]:
    """Return the inputs of the executions that were started, by name."""
    sfn = clients.stepfunctions()
    listed = sfn.list_executions(stateMachineArn=MACHINE)["executions"]
    return {
        run["name"]: json.loads(sfn.describe_execution(executionArn=run["executionArn"])["input"])
        for run in listed
    }


def created(key: str = "HappyFace.jpg", **changed: object) -> Record:
    """Return the recorded notification's record with a plain key and other changes."""
    record: Record = recorded("s3_created_2_1")["Records"][0]
    record["s3"]["object"].update(key=key, **changed)
    return record


@pytest.mark.parametrize(
    ("event", "key"),
    [
        ("s3_created_2_1", "HappyFace.jpg"),
        ("s3_created_2_1_unversioned", "red flower.jpg"),
    ],
)
def test_a_notification_starts_an_execution_with_what_the_pipeline_uses(
    event: str, key: str
) -> None:
    assert failures(handler(batch(recorded(event)), None)) == []
    (name, started), *further = executions().items()
    assert further == []
    sent = recorded(event)["Records"][0]
    item = started["s3"]["object"]
    assert re.fullmatch(r"[0-9a-f]{16}", item.pop("sequencerOf"))
    assert started == {
        "eventTime": sent["eventTime"],
        "s3": {
            "bucket": {"name": sent["s3"]["bucket"]["name"]},
            "object": {
                **{name: value for name, value in sent["s3"]["object"].items() if name != "size"},
                "key": key,
            },
        },
    }
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name)


def test_the_uploader_s_name_and_address_go_no_further() -> None:
    handler(batch(recorded("s3_created_2_1")), None)
    (started,) = executions().values()
    text = json.dumps(started)
    for personal in ("AIDAJDPLRKLG7UEXAMPLE", "A3NL1KOZZKExample", "127.0.0.1", "C3D13FE58DE4C810"):
        assert personal not in text


@pytest.mark.parametrize("version", ["2.1", "2.2", "2.3", "2.9"])
@pytest.mark.parametrize("kind", ["Put", "Post", "Copy", "CompleteMultipartUpload"])
def test_any_2_x_notification_of_a_new_object_starts_one(version: str, kind: str) -> None:
    record = created()
    record.update(eventVersion=version, eventName=f"ObjectCreated:{kind}", futureField={})
    assert failures(handler(batch(notification(record)), None)) == []
    assert len(executions()) == 1


@pytest.mark.parametrize("event", ["s3_test_event", "s3_replication_2_2", "s3_restore_2_3"])
def test_what_else_s3_sends_starts_nothing_and_is_done(event: str) -> None:
    assert failures(handler(batch(recorded(event)), None)) == []
    assert executions() == {}


@pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)
def test_the_key_is_decoded_once(cloud: Cloud, key: str) -> None:
    record = cloud.upload(key, jpeg())
    assert failures(handler(batch(notification(record)), None)) == []
    (started,) = executions().values()
    assert started == record


def test_the_execution_s_name_follows_from_bucket_key_and_version() -> None:
    handler(batch(notification(created())), None)
    assert list(executions()) == [
        keys.execution_name(
            "amzn-s3-demo-bucket", "HappyFace.jpg", "096fKKXTRTtl3on89fVO.nfljtsv6qko"
        )
    ]


@pytest.mark.parametrize("version", [None, "null"])
def test_without_version_the_sequencer_makes_the_name(version: str | None) -> None:
    """Where versioning is suspended, all uploads of a key have the version "null"."""
    first, second = created(versionId=version), created(versionId=version, sequencer="0056")
    handler(batch(notification(first), notification(second)), None)
    assert len(executions()) == 2


def test_a_duplicate_delivery_starts_no_second_one_and_is_done() -> None:
    message = notification(created())
    assert failures(handler(batch(message, message), None)) == []
    assert failures(handler(batch(message), None)) == []
    assert len(executions()) == 1


def test_a_duplicate_delivery_after_the_execution_has_ended_is_done() -> None:
    message = notification(created())
    handler(batch(message), None)
    (listed,) = clients.stepfunctions().list_executions(stateMachineArn=MACHINE)["executions"]
    clients.stepfunctions().stop_execution(executionArn=listed["executionArn"])
    assert failures(handler(batch(message), None)) == []
    assert len(executions()) == 1


def test_execution_already_exists_is_a_duplicate_delivery() -> None:
    refuse(clients.stepfunctions(), "StartExecution", "ExecutionAlreadyExists", 400)
    assert failures(handler(batch(notification(created())), None)) == []


def test_two_versions_of_a_key_start_two_executions(cloud: Cloud) -> None:
    records = [cloud.upload("a.jpg", jpeg(seed=seed)) for seed in (0, 1)]
    handler(batch(*map(notification, records)), None)
    assert len(executions()) == 2


def test_several_records_of_a_message_each_start_one() -> None:
    message = notification(created("a.jpg"), created("b.jpg"), created("c.jpg"))
    assert failures(handler(batch(message), None)) == []
    assert {started["s3"]["object"]["key"] for started in executions().values()} == {
        "a.jpg",
        "b.jpg",
        "c.jpg",
    }


POISON: dict[str, object] = {
    "no JSON": "{",
    "empty": "",
    "null": "null",
    "a list": [],
    "a number": "1",
    "no records": {},
    "records is null": {"Records": None},
    "a record is text": {"Records": ["text"]},
    "no event name": {"Records": [{"s3": {"object": {"key": "a"}}}]},
    "no s3": {"Records": [{"eventName": "ObjectCreated:Put"}]},
    "no object": {"Records": [{"eventName": "ObjectCreated:Put", "s3": {}}]},
    "a key of no UTF-8": {
        "Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "%FF"}}}]
    },
    "no bucket": {"Records": [{"eventName": "ObjectCreated:Put", "s3": {"object": {"key": "a"}}}]},
}


@pytest.mark.parametrize("body", POISON.values(), ids=POISON)
def test_one_bad_message_fails_no_other(body: object, capsys: pytest.CaptureFixture[str]) -> None:
    good = [notification(created("a.jpg")), notification(created("b.jpg"))]
    assert failures(handler(batch(good[0], body, good[1]), None)) == ["m1"]
    assert len(executions()) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (error,) = [line for line in lines if line["level"] == "ERROR"]
    assert error["messageId"] == "m1"
    assert "InvalidRecord" in error["error"]


@pytest.mark.parametrize("code", ["ThrottlingException", "ExecutionLimitExceeded"])
def test_what_could_not_be_started_is_delivered_again(code: str) -> None:
    messages = [notification(created(f"{number}.jpg")) for number in range(4)]
    refuse(clients.stepfunctions(), "StartExecution", code, 400, times=2)
    failed = failures(handler(batch(*messages), None))
    assert failed == ["m0", "m1"]
    assert len(executions()) == 2
    assert failures(handler(batch(*messages[:2]), None)) == []
    assert len(executions()) == 4


def test_a_message_that_fails_half_way_is_delivered_again_and_starts_the_rest() -> None:
    message = notification(created("a.jpg"), created("b.jpg"))
    sfn = clients.stepfunctions()
    requests = observe(sfn, "StartExecution")
    handler(batch(notification(created("a.jpg"))), None)
    refuse(sfn, "StartExecution", "ThrottlingException", 400, times=1)
    assert failures(handler(batch(message), None)) == ["m0"]
    assert failures(handler(batch(message), None)) == []
    assert len(executions()) == 2
    assert len(requests) == 4


def test_a_state_machine_that_is_not_there_fails_the_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STATE_MACHINE_ARN", f"{MACHINE}-gone")
    assert failures(handler(batch(notification(created())), None)) == ["m0"]


def test_without_its_setting_the_whole_batch_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STATE_MACHINE_ARN")
    with pytest.raises(InvalidSettings, match="STATE_MACHINE_ARN"):
        handler(batch(notification(created())), None)


@pytest.mark.parametrize(
    ("tracing", "sent"),
    [("on", {"traceHeader": "Root=1-5e1b4151-5ac6c58f;Sampled=1"}), ("off", {})],
)
def test_an_execution_belongs_to_the_trigger_s_trace(
    tracing: str, sent: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5e1b4151-5ac6c58f;Sampled=1")
    monkeypatch.setenv("TRACING", tracing)
    calls: list[dict[str, str]] = []
    stepfunctions = SimpleNamespace(start_execution=lambda **parameters: calls.append(parameters))
    monkeypatch.setattr(clients, "stepfunctions", lambda: stepfunctions)

    handler(batch(recorded("s3_created_2_1")), None)

    assert [{k: v for k, v in call.items() if k == "traceHeader"} for call in calls] == [sent]
