"""What the local AWS does as AWS does, beyond what the emulator does by itself."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from image_converter import notifications
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.local_aws import LocalAws, Options
from scripts.local_aws.patches.lambda_ import AT_A_TIME
from tests.support import functions, resources, workflow

if TYPE_CHECKING:
    from mypy_boto3_s3.literals import BucketVersioningStatusType
    from mypy_boto3_stepfunctions.literals import StateMachineTypeType

pytestmark = pytest.mark.e2e

_numbers = itertools.count(1)
VALID = {"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}}
DANGLING = {"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "Nowhere"}}}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Clients of a local AWS of this module's own."""
    with LocalAws(tmp_path_factory.mktemp("behaviour")) as aws:
        yield Clients(aws.env)


def test_errors_of_functions_keep_their_names(clients: Clients) -> None:
    source = """
class SourceNotFound(Exception):
    pass

def handler(event, context):
    raise SourceNotFound("it is gone")
"""
    functions.deploy(clients, "failing", source)

    answer = functions.invoke(clients, "failing")

    assert answer["errorType"] == "SourceNotFound"
    assert answer["errorMessage"] == "it is gone"


def test_function_sees_lambdas_environment_and_its_layers(clients: Clients) -> None:
    layer = clients.functions.publish_layer_version(
        LayerName="words",
        Content={"ZipFile": functions.zipped({"python/words.py": "HELLO = 'hello'\n"})},
    )
    source = """
import os, words
def handler(event, context):
    return {"environment": dict(os.environ), "word": words.HELLO}
"""
    functions.deploy(
        clients,
        "telling",
        source,
        Layers=[layer["LayerVersionArn"]],
        Environment={"Variables": {"OWN_SETTING": "on"}},
    )

    answer = functions.invoke(clients, "telling")

    env = answer["environment"]
    assert answer["word"] == "hello"
    assert env["OWN_SETTING"] == "on"
    assert env["AWS_LAMBDA_FUNCTION_NAME"] == "telling"
    assert env["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert not {"HOME", "VIRTUAL_ENV", "TMPDIR", "LOCAL_AWS_RUNTIME_PYTHON"} & set(env)
    assert "HOME" in os.environ  # so that the host's would have been seen


def test_function_for_another_python_says_so(clients: Clients) -> None:
    source = "def handler(event, context):\n    return 1\n"
    functions.deploy(clients, "foreign", source, runtime="python3.9")

    answer = functions.invoke(clients, "foreign")

    assert answer["errorType"] == "Runtime.InvalidEntrypoint"
    assert "python3.9" in answer["errorMessage"]
    assert "make package-local" in answer["errorMessage"]


def test_calls_of_a_burst_share_processes(clients: Clients) -> None:
    source = "import os\n\ndef handler(event, context):\n    return os.getpid()\n"
    functions.deploy(clients, "busy", source)
    with ThreadPoolExecutor(30) as pool:
        processes = list(pool.map(lambda _: functions.invoke(clients, "busy"), range(30)))

    assert len(processes) == 30
    assert len(set(processes)) <= AT_A_TIME


def test_copy_honours_conditions_on_the_destination(clients: Clients) -> None:
    s3 = clients.s3
    s3.create_bucket(Bucket="copies")
    s3.put_object(Bucket="copies", Key="from", Body=b"new")
    etag = s3.put_object(Bucket="copies", Key="to", Body=b"old")["ETag"]
    copy = {"Bucket": "copies", "Key": "to", "CopySource": "copies/from"}

    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"0123"'}):
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.copy_object(**copy, **condition)  # type: ignore[arg-type]
    assert s3.get_object(Bucket="copies", Key="to")["Body"].read() == b"old"

    s3.copy_object(**copy, IfMatch=etag)  # type: ignore[arg-type]
    assert s3.get_object(Bucket="copies", Key="to")["Body"].read() == b"new"


@pytest.mark.parametrize("key", ["100%.jpg", "a%2Fb", "ü +&.jpg", "\x01"])
def test_listed_versions_have_their_keys(clients: Clients, key: str) -> None:
    bucket = "versions"
    clients.s3.create_bucket(Bucket=bucket)
    clients.s3.put_object(Bucket=bucket, Key=key, Body=b"")

    listed = clients.s3.list_object_versions(Bucket=bucket, Prefix=key)

    assert [version["Key"] for version in listed["Versions"]] == [key]


def test_bucket_owner_pays(clients: Clients) -> None:
    clients.s3.create_bucket(Bucket="paid")
    assert clients.s3.get_bucket_request_payment(Bucket="paid")["Payer"] == "BucketOwner"


def test_jwt_authoriser_has_no_payload_format_version(clients: Clients) -> None:
    gateway = clients.client("apigatewayv2")
    api = gateway.create_api(Name="doors", ProtocolType="HTTP")["ApiId"]
    made = gateway.create_authorizer(
        ApiId=api,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": "https://example.com", "Audience": ["uploads"]},
    )["AuthorizerId"]

    found = gateway.get_authorizer(ApiId=api, AuthorizerId=made)

    assert found["JwtConfiguration"]["Audience"] == ["uploads"]
    assert "AuthorizerPayloadFormatVersion" not in found


def test_definition_is_checked(clients: Clients) -> None:
    sfn = clients.stepfunctions
    role = "arn:aws:iam::000000000000:role/any"

    checked = sfn.validate_state_machine_definition(definition=json.dumps(DANGLING))
    assert checked["result"] == "FAIL"
    assert "Nowhere" in " ".join(found["message"] for found in checked["diagnostics"])
    with pytest.raises(sfn.exceptions.InvalidDefinition):
        sfn.create_state_machine(name="dangling", definition=json.dumps(DANGLING), roleArn=role)

    checked = sfn.validate_state_machine_definition(definition=json.dumps(VALID))
    assert (checked["result"], checked["diagnostics"]) == ("OK", [])
    made = sfn.create_state_machine(
        name="valid",
        definition=json.dumps(VALID),
        roleArn=role,
        tracingConfiguration={"enabled": True},
    )
    arn = made["stateMachineArn"]
    assert sfn.describe_state_machine(stateMachineArn=arn)["tracingConfiguration"]["enabled"]
    with pytest.raises(sfn.exceptions.InvalidDefinition):
        sfn.update_state_machine(stateMachineArn=arn, definition="{}")


def _map_over_what_is_given(**more: object) -> str:
    """Return a Distributed Map whose EXPRESS children return their items."""
    whole = {"Type": "Pass", "End": True}
    config = {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}
    items = {"ProcessorConfig": config, "StartAt": "Whole", "States": {"Whole": whole}}
    each = {"Type": "Map", "ItemProcessor": items, "MaxConcurrency": 4, "End": True, **more}
    return json.dumps({"StartAt": "Each", "States": {"Each": each}})


@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"ItemBatcher": {"MaxItemsPerBatchPath": "$.size"}}, "MaxItemsPerBatchPath"),
        (
            {"ItemBatcher": {"MaxItemsPerBatch": 10}, "QueryLanguage": "JSONata"},
            "ItemBatcher with JSONata",
        ),
    ],
    ids=["a path", "JSONata"],
)
def test_a_map_is_refused_if_it_would_not_run_in_batches(
    clients: Clients, more: dict[str, object], refused: str
) -> None:
    sfn = clients.stepfunctions
    definition = _map_over_what_is_given(**more)
    checked = sfn.validate_state_machine_definition(definition=definition)
    assert refused in checked["diagnostics"][0]["message"]
    with pytest.raises(sfn.exceptions.InvalidDefinition, match=refused):
        sfn.create_state_machine(name="batches", definition=definition, roleArn="arn:any")


def _run(clients: Clients, definition: str, given: object) -> tuple[dict[str, Any], Any]:
    """Return how an execution ended, and its first Map run."""
    sfn = clients.stepfunctions
    machine = workflow.made(clients, f"map-{next(_numbers)}", definition)
    arn = workflow.started(clients, machine, given)
    ended = workflow.ended(clients, arn)
    [run] = sfn.list_map_runs(executionArn=arn)["mapRuns"]
    return ended, sfn.describe_map_run(mapRunArn=run["mapRunArn"])


@pytest.mark.parametrize(
    ("batcher", "items", "sizes"),
    [
        ({"MaxItemsPerBatch": 3}, ["x"] * 10, [3, 3, 3, 1]),
        ({"MaxInputBytesPerBatch": 50}, ["x" * 10] * 4, [2, 2]),
        ({"MaxItemsPerBatch": 2, "MaxInputBytesPerBatch": 1000}, ["x" * 900] * 2, [1, 1]),
        ({"MaxItemsPerBatch": 10}, ["x" * 100_000] * 3, [2, 1]),
        ({"MaxItemsPerBatch": 10}, [], []),
    ],
    ids=["items", "bytes", "both", "what an input holds", "nothing"],
)
def test_a_map_runs_in_batches(
    clients: Clients, batcher: dict[str, int], items: list[str], sizes: list[int]
) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html."""
    inner = {
        "Short": {"Type": "Pass", "Parameters": {"n.$": "States.ArrayLength($.Items)"}, "End": True}
    }
    definition = json.loads(_map_over_what_is_given(ItemBatcher=batcher))
    definition["States"]["Each"]["ItemProcessor"] |= {"StartAt": "Short", "States": inner}
    ended, run = _run(clients, json.dumps(definition), items)
    assert ended["status"] == "SUCCEEDED", ended.get("cause")
    assert json.loads(ended["output"]) == [{"n": size} for size in sizes]
    for counts, number in (("itemCounts", len(items)), ("executionCounts", len(sizes))):
        assert (run[counts]["total"], run[counts]["succeeded"]) == (number, number), counts
        assert (run[counts]["pending"], run[counts]["running"], run[counts]["failed"]) == (0, 0, 0)


def test_items_are_selected_before_they_are_batched(clients: Clients) -> None:
    definition = _map_over_what_is_given(
        ItemsPath="$.numbers",
        ItemSelector={"of.$": "$.name", "number.$": "$$.Map.Item.Value"},
        ItemBatcher={"MaxItemsPerBatch": 2, "BatchInput": {"name.$": "$.name"}},
    )
    ended, _ = _run(clients, definition, {"name": "a", "numbers": [1, 2, 3]})
    common = {"BatchInput": {"name": "a"}}
    assert json.loads(ended["output"]) == [
        {**common, "Items": [{"of": "a", "number": 1}, {"of": "a", "number": 2}]},
        {**common, "Items": [{"of": "a", "number": 3}]},
    ]


@pytest.mark.parametrize(
    ("percentage", "size", "status"),
    [(0, 10, "FAILED"), (50, 10, "FAILED"), (60, 2, "SUCCEEDED"), (100, 10, "SUCCEEDED")],
)
def test_failures_are_counted_by_items_and_by_children(
    clients: Clients, percentage: int, size: int, status: str
) -> None:
    """The first batch fails, and all items in it; of eleven in batches of ten, that is 91%.

    https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    """
    choices = [{"Variable": "$.Items[0]", "NumericEquals": 0, "Next": "Quit"}]
    definition = json.loads(
        _map_over_what_is_given(
            ItemBatcher={"MaxItemsPerBatch": size}, ToleratedFailurePercentage=percentage
        )
    )
    definition["States"]["Each"]["ItemProcessor"] |= {
        "StartAt": "Choose",
        "States": {
            "Choose": {"Type": "Choice", "Choices": choices, "Default": "Done"},
            "Quit": {"Type": "Fail", "Error": "Bad", "Cause": "it is the first"},
            "Done": {"Type": "Succeed"},
        },
    }
    ended, run = _run(clients, json.dumps(definition), list(range(11)))
    assert (ended["status"], run["status"]) == (status, status)
    assert run["itemCounts"]["failed"] == size
    assert run["executionCounts"]["failed"] == 1


def _batch_of(*entries: dict[str, object], queue: str) -> str:
    """Return a state machine that sends these by the SDK integration."""
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:sendMessageBatch",
        "Parameters": {"QueueUrl": queue, "Entries": entries},
        "End": True,
    }
    return json.dumps({"StartAt": "Send", "States": {"Send": send}})


def test_a_task_sends_a_batch_as_the_sdk_does(clients: Clients) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html."""
    queue = clients.sqs.create_queue(QueueName="in-batches")["QueueUrl"]

    def ended(*entries: dict[str, object], to: str = queue) -> dict[str, Any]:
        definition = _batch_of(*entries, queue=to)
        machine = workflow.made(clients, f"batch-{next(_numbers)}", definition)
        return workflow.ended(clients, workflow.started(clients, machine, {}))

    found = json.loads(
        ended({"Id": "a", "MessageBody": "ä"}, {"Id": "b", "MessageBody": "\uffff"})["output"]
    )
    assert [entry["Id"] for entry in found["Successful"]] == ["a"]
    assert found["Successful"][0].keys() >= {"MessageId", "Md5OfMessageBody"}
    [failed] = found["Failed"]
    assert (failed["Id"], failed["Code"]) == ("b", "InvalidMessageContents")
    [message] = clients.sqs.receive_message(QueueUrl=queue)["Messages"]
    assert message["Body"] == "ä"

    assert ended()["error"] == "Sqs.EmptyBatchRequestException"
    assert ended({"Id": "a", "MessageBody": {"an": "object"}})["error"] == "States.Runtime"
    assert ended({"Id": "a", "messageBody": "x"})["error"] == "States.Runtime"
    nowhere = ended({"Id": "a", "MessageBody": "x"}, to=f"{queue}-nowhere")
    assert nowhere["error"] == "Sqs.QueueDoesNotExistException"


@pytest.mark.parametrize("more", [{}, {"ResultPath": None}], ids=["returned", "discarded"])
def test_a_map_ends_if_its_output_is_too_large(clients: Clients, more: dict[str, object]) -> None:
    machine = workflow.made(clients, f"large-{len(more)}", _map_over_what_is_given(**more))

    def ended(items: list[str]) -> dict[str, Any]:
        return workflow.ended(clients, workflow.started(clients, machine, items))

    assert ended(["x"])["status"] == "SUCCEEDED"
    assert ended(["x" * 100_000] * 3)["error"] == "States.DataLimitExceeded"


def test_express_children_of_a_map_are_not_listed(clients: Clients) -> None:
    sfn = clients.stepfunctions
    machine = workflow.made(clients, "children", _map_over_what_is_given())
    arn = workflow.started(clients, machine, [1, 2])
    assert workflow.ended(clients, arn)["status"] == "SUCCEEDED"
    [run] = sfn.list_map_runs(executionArn=arn)["mapRuns"]
    with pytest.raises(sfn.exceptions.StateMachineTypeNotSupported):
        sfn.list_executions(mapRunArn=run["mapRunArn"])


def test_policies_are_enforced_where_asked(tmp_path: Path) -> None:
    with LocalAws(tmp_path, Options(auth=True)) as aws:
        root = Clients(aws.env)
        root.s3.create_bucket(Bucket="guarded")
        refuse_plain_http = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::guarded", "arn:aws:s3:::guarded/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        policy = {"Version": "2012-10-17", "Statement": [refuse_plain_http]}
        root.s3.put_bucket_policy(Bucket="guarded", Policy=json.dumps(policy))
        reader = Clients({**aws.env, **resources.user(root.iam, "reader")})

        with pytest.raises(ClientError, match="AccessDenied"):
            reader.s3.list_objects_v2(Bucket="guarded")
        allow = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}
        root.iam.put_user_policy(
            UserName="reader",
            PolicyName="read",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        )
        assert reader.s3.list_objects_v2(Bucket="guarded")["KeyCount"] == 0

        root.s3.put_object(Bucket="guarded", Key="a\nb", Body=b"two lines")
        allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::guarded/*"}
        root.iam.put_user_policy(
            UserName="reader",
            PolicyName="read",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]}),
        )
        assert reader.s3.get_object(Bucket="guarded", Key="a\nb")["Body"].read() == b"two lines"


@pytest.mark.parametrize("status", ["Enabled", None])
def test_a_new_object_comes_through_the_bus_as_documented(
    clients: Clients, status: BucketVersioningStatusType | None
) -> None:
    bucket = f"bus-{status or 'unversioned'}".lower()
    clients.s3.create_bucket(Bucket=bucket)
    if status:
        clients.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    clients.s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    queue = clients.sqs.create_queue(QueueName=bucket)["QueueUrl"]
    arn = f"arn:aws:sqs:us-east-1:000000000000:{bucket}"
    bus = clients.client("events")
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [bucket]}}}
    bus.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    bus.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": arn}])

    put = clients.s3.put_object(Bucket=bucket, Key="a b+ü.jpg", Body=b"1234")

    body = wait.until(
        "the event",
        lambda: clients.sqs.receive_message(QueueUrl=queue).get("Messages", [{}])[0].get("Body"),
    )
    [record] = notifications.records(body)
    item = record["s3"]["object"]
    assert item.pop("sequencer")
    assert item == {
        "key": "a b+ü.jpg",
        "size": 4,
        "eTag": put["ETag"].strip('"'),
        **({"versionId": put["VersionId"]} if status else {}),
    }


FAILS = {"Type": "Fail", "ErrorPath": "$.name", "CausePath": "$.name"}
WAITS = {"Type": "Wait", "Seconds": 60, "End": True}


def logging(clients: Clients, kind: StateMachineTypeType, definition: Any, **log: Any) -> Logging:
    """Make a state machine of that type that logs; return it with its log group."""
    name = f"logged-{next(_numbers)}"
    group = f"/aws/vendedlogs/states/{name}"
    clients.logs.create_log_group(logGroupName=group)
    configured = {**workflow.logging(group), **log}
    machine = workflow.made(
        clients, name, json.dumps(definition), type=kind, loggingConfiguration=configured
    )
    return Logging(clients, machine, group)


@dataclass(frozen=True)
class Logging:
    """A state machine that logs its executions."""

    clients: Clients
    machine: str
    group: str

    def start(self, given: str = "{}", **options: str) -> str:
        """Start an execution; return its ARN."""
        answer = self.clients.stepfunctions.start_execution(
            stateMachineArn=self.machine, input=given, **options
        )
        return answer["executionArn"]

    def lines(self, end: str) -> list[dict[str, Any]]:
        """Return all lines, once one of them is the end of an execution."""

        def found() -> list[dict[str, Any]] | None:
            events = self.clients.logs.filter_log_events(logGroupName=self.group)["events"]
            lines = [json.loads(event["message"]) for event in events]
            return lines if end in [line["type"] for line in lines] else None

        return wait.until(f"the log to have {end}", found)


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
@pytest.mark.parametrize("data", [True, False])
def test_failures_are_logged_with_what_the_fail_state_was_given(
    clients: Clients, kind: StateMachineTypeType, data: bool
) -> None:
    branch = {"StartAt": "Quit", "States": {"Quit": FAILS}}
    parallel = {"Type": "Parallel", "Branches": [branch], "End": True}
    both = {"StartAt": "Both", "States": {"Both": parallel}}
    machine = logging(clients, kind, both, level="ERROR", includeExecutionData=data)

    started = machine.start('{"name": "Broken"}')

    logged = {line["type"]: line for line in machine.lines("ExecutionFailed")}
    assert "ParallelStateEntered" not in logged
    entered = logged["FailStateEntered"]
    assert entered["execution_arn"] == started
    given = {"input": '{"name": "Broken"}', "inputDetails": {"truncated": False}}
    assert entered["details"] == {"name": "Quit", **(given if data else {})}


def test_an_express_execution_is_logged_from_its_start_to_its_end(clients: Clients) -> None:
    functions.deploy(clients, "doubles", "def handler(event, _):\n    return event['n'] * 2\n")
    resource = "arn:aws:lambda:us-east-1:000000000000:function:doubles"
    task = {"Type": "Task", "Resource": resource, "Parameters": {"n.$": "$.number"}, "End": True}
    machine = logging(clients, "EXPRESS", {"StartAt": "A", "States": {"A": task}})

    first = machine.start('{"number": 4}', name="twice")

    lines = machine.lines("ExecutionSucceeded")
    assert [(line["id"], line["type"], line["previous_event_id"]) for line in lines] == [
        ("1", "ExecutionStarted", "0"),
        ("2", "TaskStateEntered", "0"),
        ("3", "LambdaFunctionScheduled", "2"),
        ("4", "LambdaFunctionStarted", "3"),
        ("5", "LambdaFunctionSucceeded", "4"),
        ("6", "TaskStateExited", "5"),
        ("7", "ExecutionSucceeded", "6"),
    ]
    assert json.loads(lines[2]["details"]["input"]) == {"n": 4}
    assert lines[2]["details"]["resource"] == resource
    assert lines[4]["details"]["output"] == "8"
    assert {line["execution_arn"] for line in lines} == {first}

    # An ARN of AWS: the state machine, the name, and an id of this execution alone.
    place = machine.machine.replace(":stateMachine:", ":express:")
    assert re.fullmatch(rf"{place}:twice:[0-9a-f-]{{36}}", first)
    assert machine.start(name="twice").startswith(f"{place}:twice:")
    with pytest.raises(ClientError, match="InvalidArn"):
        clients.stepfunctions.describe_execution(executionArn=first)


@pytest.mark.parametrize("kind", ["STANDARD", "EXPRESS"])
def test_an_execution_ends_when_its_time_is_up(
    clients: Clients, kind: StateMachineTypeType
) -> None:
    waits = {"StartAt": "Wait", "TimeoutSeconds": 1, "States": {"Wait": WAITS}}
    machine = logging(clients, kind, waits, level="FATAL")

    arn = machine.start()

    assert [line["type"] for line in machine.lines("ExecutionTimedOut")] == ["ExecutionTimedOut"]
    if kind == "STANDARD":
        status = clients.stepfunctions.describe_execution(executionArn=arn)["status"]
        assert status == "TIMED_OUT"


def test_log_events_come_in_pages_that_fit_a_pattern(clients: Clients) -> None:
    clients.logs.create_log_group(logGroupName="/pages")
    clients.logs.create_log_stream(logGroupName="/pages", logStreamName="a")
    clients.logs.put_log_events(
        logGroupName="/pages",
        logStreamName="a",
        logEvents=[
            {"timestamp": number, "message": json.dumps({"n": number % 2, "x": "x" * 900})}
            for number in range(1, 3001)
        ],
    )

    pages = list(
        clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName="/pages", filterPattern="{ $.n = 1 }", startTime=11, endTime=2990
        )
    )

    assert len(pages) == 3, "of a megabyte each"
    found = [event["timestamp"] for page in pages for event in page["events"]]
    assert found == list(range(11, 2991, 2))
