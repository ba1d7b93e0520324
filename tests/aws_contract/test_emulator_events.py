"""The local AWS's events compared with the documented ones, field by field.

A field counts as equal if it is there and of the documented type; where the documentation gives a
form (a time, a hash, an encoding), the emulator's value must have it. DIFFERENCES lists what
differs; tests check that it is complete, and it is harmless: the functions read none of it.
"""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.lib import wait
from tests.support import fake_cloud, resources, workflow
from tests.support.emulator import Emulator

KEYS = {
    "HappyFace.jpg": "HappyFace.jpg",
    "red flower.jpg": "red+flower.jpg",
    "album/a+b=c&d%2B.jpg": "album/a%2Bb%3Dc%26d%252B.jpg",
    "größe/写真.jpg": "gr%C3%B6%C3%9Fe/%E5%86%99%E7%9C%9F.jpg",
}
BUCKET = "events-source"

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
HEX = r"[0-9A-Fa-f]+"

# The form of single fields, as the documentation describes them.
FORMS = {
    "s3.eventVersion": r"2\.1",
    "s3.eventTime": TIME,
    "s3.eventName": r"ObjectCreated:(Put|CompleteMultipartUpload)",
    "s3.s3.object.eTag": r"[0-9a-f]{32}(-\d+)?",
    "s3.s3.object.sequencer": HEX,
    "sqs.md5OfBody": r"[0-9a-f]{32}",
    "sqs.eventSourceARN": r"arn:aws:sqs:[a-z0-9-]+:\d{12}:[\w-]+",
    "sqs.attributes.SentTimestamp": r"\d{13}",
    "http.requestContext.time": r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "import.errorType": r"Runtime\.ImportModuleError",
    "context.Execution.StartTime": TIME,
    "context.State.EnteredTime": TIME,
}


# Path: how the emulator's event differs, and why that is harmless: no function reads any of these.
DIFFERENCES: dict[str, tuple[str, str]] = {
    "s3.eventVersion": (
        "of another form: 2.6",
        "the major version is the same; AWS adds fields with minor ones",
    ),
    "http.requestContext.domainPrefix": ("missing", "no function asks how it was called"),
    "http.pathParameters": ("beyond the documentation", "null where a route has no parameters"),
    "error.requestId": (
        "beyond the documentation",
        "the emulator runs AWS's own runtime client, which adds it",
    ),
    "import.errorType": (
        "of another form: Runtime.Unknown",
        "both lead to States.TaskFailed; the message in the logs is the same",
    ),
    "context.Execution.RoleArn": (
        "of type NoneType",
        "the state machine reads nothing but Execution.Id",
    ),
}


def fields(event: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Yield every leaf of an event with its path; members of a list under the list's own."""
    if isinstance(event, dict) and event:
        for name, value in event.items():
            yield from fields(value, f"{prefix}.{name}")
    elif isinstance(event, list) and event:
        for value in event:
            yield from fields(value, f"{prefix}[]")
    else:
        yield prefix, event


def differing(documented: Any, actual: Any, name: str) -> dict[str, str]:
    """Return the paths at which the emulator's event differs, and how."""
    wanted, present = dict(fields(documented, name)), dict(fields(actual, name))
    result = dict.fromkeys(wanted.keys() - present.keys(), "missing")
    result |= dict.fromkeys(present.keys() - wanted.keys(), "beyond the documentation")
    for path in wanted.keys() & present.keys():
        if type(wanted[path]) is not type(present[path]):
            result[path] = f"of type {type(present[path]).__name__}"
        elif path in FORMS and not re.fullmatch(FORMS[path], str(present[path])):
            result[path] = f"of another form: {present[path]}"
    return result


ECHO = """
import json
import botocore.session

def handler(event, context):
    if "action" in event:
        raise KeyError("action")
    s3 = botocore.session.Session().create_client("s3")
    s3.put_object(Bucket="echo", Key=event.get("version", "sqs"), Body=json.dumps(event).encode())
    return {"statusCode": 202, "body": "{}"}
"""


@pytest.fixture(scope="module")
def echo(emulator: Emulator) -> str:
    """A function that keeps the event it was called with, as an object `sqs` or `2.0`."""
    emulator.clients.s3.create_bucket(Bucket="echo")
    return emulator.function("echo", ECHO)


def kept(emulator: Emulator, name: str) -> Any:
    """Return the event that the function was called with."""

    def event() -> Any:
        listed = emulator.clients.s3.list_objects_v2(Bucket="echo", Prefix=name)
        if not listed["KeyCount"]:
            return None
        return emulator.clients.s3.get_object(Bucket="echo", Key=name)["Body"].read()

    return json.loads(wait.until(f"the event {name}", event))


@pytest.fixture(scope="module")
def notifications(emulator: Emulator) -> list[Any]:
    """What a queue gets of a versioned bucket: the test event first, then one for each key."""
    clients = emulator.clients
    url, arn = _queue(emulator, "notifications")
    resources.bucket(clients.s3, BUCKET)
    clients.s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [
                {"Id": "new-images", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    for key in KEYS:
        clients.s3.put_object(Bucket=BUCKET, Key=key, Body=b"image")
    values: list[Any] = []

    def all_of_them() -> bool:
        answer = clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        values.extend(json.loads(message["Body"]) for message in answer.get("Messages", []))
        return len(values) == len(KEYS) + 1

    wait.until("the notifications", all_of_them)
    return values


def _queue(emulator: Emulator, name: str) -> tuple[str, str]:
    sqs = emulator.clients.sqs
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return url, answer["Attributes"]["QueueArn"]


def check(documented: Any, actual: Any, name: str) -> None:
    """Compare an event with its documentation, the known differences of that name allowed."""
    expected = {path: how for path, (how, _) in DIFFERENCES.items() if path.startswith(f"{name}.")}
    assert differing(documented, actual, name) == expected


def test_the_test_event(notifications: list[Any]) -> None:
    check(fake_cloud.recorded("s3_test_event"), notifications[0], "test")


@pytest.mark.parametrize("number", range(len(KEYS)), ids=list(KEYS))
def test_a_notification(number: int, notifications: list[Any]) -> None:
    key, encoded = list(KEYS.items())[number]
    [record] = notifications[number + 1]["Records"]
    [documented] = fake_cloud.recorded("s3_created_2_1")["Records"]
    check(documented, record, "s3")
    assert record["s3"]["object"]["key"] == encoded, key


def test_sequencers_grow(notifications: list[Any]) -> None:
    sequencers = [n["Records"][0]["s3"]["object"]["sequencer"] for n in notifications[1:]]
    padded = [sequencer.ljust(32, "0") for sequencer in sequencers]
    assert padded == sorted(padded)


def test_an_event_of_the_queue(emulator: Emulator, echo: str) -> None:
    url, arn = _queue(emulator, "batches")
    emulator.clients.functions.create_event_source_mapping(
        FunctionName=echo, EventSourceArn=arn, BatchSize=10
    )
    emulator.clients.sqs.send_message(QueueUrl=url, MessageBody="test")
    event = kept(emulator, "sqs")
    documented = fake_cloud.recorded("sqs_batch")
    del documented["Records"][1]
    check(documented["Records"][0], event["Records"][0], "sqs")
    assert list(event) == list(documented)
    assert event["Records"][0]["md5OfBody"] == documented["Records"][0]["md5OfBody"]


def test_a_request_of_the_http_api(emulator: Emulator, echo: str) -> None:
    api = emulator.clients.client("apigatewayv2")
    http_api = api.create_api(Name="upload", ProtocolType="HTTP")
    integration = api.create_integration(
        ApiId=http_api["ApiId"],
        IntegrationType="AWS_PROXY",
        IntegrationUri=echo,
        PayloadFormatVersion="2.0",
    )
    api.create_route(
        ApiId=http_api["ApiId"],
        RouteKey="POST /upload",
        Target=f"integrations/{integration['IntegrationId']}",
    )
    api.create_stage(ApiId=http_api["ApiId"], StageName="$default", AutoDeploy=True)
    request = urllib.request.Request(  # noqa: S310 - to 127.0.0.1
        f"{emulator.aws.endpoint}/upload?name=photo.jpg",
        data=b"\xff\xd8\xff\xe0\x00\x10",
        headers={
            "Host": http_api["ApiEndpoint"].partition("//")[2],
            "Content-Type": "image/jpeg",
            "X-Forwarded-For": "192.0.2.1",
            "X-Forwarded-Port": "443",
            "X-Forwarded-Proto": "https",
        },
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert answer.status == 202
    event = kept(emulator, "2.0")
    documented = fake_cloud.recorded("http_api_v2")
    # Headers are the client's; who called is named where the route asks for it.
    event["headers"] = {n: event["headers"][n] for n in documented["headers"]}
    del documented["requestContext"]["authorizer"]
    check(documented, event, "http")
    assert event["body"] == documented["body"]


def test_the_error_of_a_function(emulator: Emulator, echo: str) -> None:
    answer = emulator.clients.functions.invoke(FunctionName=echo, Payload=b'{"action": 1}')
    assert answer["StatusCode"] == 200
    assert answer["FunctionError"] == "Unhandled"
    answered = json.loads(answer["Payload"].read())
    documented = fake_cloud.recorded("lambda_error")
    check(documented, answered, "error")
    assert (answered["errorType"], answered["errorMessage"]) == ("KeyError", "'action'")


def test_the_error_of_a_function_that_cannot_be_imported(emulator: Emulator) -> None:
    broken = emulator.function("broken", "from PIL import _imaging")
    answer = emulator.clients.functions.invoke(FunctionName=broken, Payload=b"{}")
    answered = json.loads(answer["Payload"].read())
    check(fake_cloud.recorded("lambda_import_error"), answered, "import")


def test_the_context_of_a_state_machine(emulator: Emulator) -> None:
    documented = fake_cloud.recorded("step_functions_context")
    del documented["Task"]  # of a Task that waits for a token
    documented["Execution"]["Input"] = {"key": "value"}
    parameters = {
        f"{group}": {f"{name}.$": f"$$.{group}.{name}" for name in names}
        for group, names in documented.items()
    }
    states = {"Tell": {"Type": "Pass", "Parameters": parameters, "End": True}}
    definition = json.dumps({"StartAt": "Tell", "States": states})
    machine = workflow.made(emulator.clients, "context", definition)
    execution = workflow.started(emulator.clients, machine, documented["Execution"]["Input"])
    ended = workflow.ended(emulator.clients, execution)
    check(documented, json.loads(ended["output"]), "context")


def test_a_difference_is_found() -> None:
    documented = fake_cloud.recorded("s3_created_2_1")["Records"][0]
    copy = json.loads(json.dumps(documented))
    del copy["s3"]["object"]["sequencer"]
    copy["s3"]["object"]["size"] = "1024"
    copy["eventTime"] = "1970-01-01T00:00:00Z"
    copy["new"] = 1
    assert differing(documented, copy, "s3") == {
        "s3.s3.object.sequencer": "missing",
        "s3.s3.object.size": "of type str",
        "s3.eventTime": "of another form: 1970-01-01T00:00:00Z",
        "s3.new": "beyond the documentation",
    }
