"""How near the project comes to AWS's limits: measured, or computed from what Terraform makes."""

import json
import math
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from image_converter import keys
from scripts.lib.paths import REPOSITORY
from tests.aws_contract.limits import LIMITS
from tests.aws_contract.mocked_stacks import ACCOUNT, PLACES, Stack
from tests.support import fake_cloud, images
from tests.support.asl import interpreter, machine, rendering
from tests.support.fake_cloud import Cloud
from tests.support.moto_aws import mock_aws

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
MAX_KEY_BYTES = 1024
MAX_VERSION_BYTES = 1024
# JSON needs at most six characters (\\u0001) for a byte of a key.
JSON_PER_BYTE = 6
# https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html
MAX_CAUSE_BYTES = 32_768 * 4
MAX_ERROR_BYTES = 256 * 4


def check(name: str, value: float) -> None:
    """Compare with the limit and with what limits.py states, which is rounded up a little."""
    limit = LIMITS[name]
    assert value <= limit.allowed, f"{name}: {value} {limit.unit}"
    assert value <= limit.largest, f"{name}: {value} {limit.unit}, limits.py states less"
    assert limit.largest <= max(value * 1.35, value + 10), f"{name}: {value} {limit.unit} only"


def longest(texts: Iterable[str]) -> int:
    return max(len(text) for text in texts)


def values(stacks: dict[str, Stack], kind: str, attribute: str) -> list[Any]:
    """Return an attribute of every resource of a type, in every place."""
    return [
        resource[attribute]
        for stack in stacks.values()
        for resource in stack.of_type(kind).values()
    ]


# ---- Names and ARNs ----------------------------------------------------------------------------

NAMES = {
    "name of a bucket": ("aws_s3_bucket", "bucket"),
    "name of a function": ("aws_lambda_function", "function_name"),
    "name of a role": ("aws_iam_role", "name"),
    "name of a state machine": ("aws_sfn_state_machine", "name"),
    "name of a queue": ("aws_sqs_queue", "name"),
}


@pytest.mark.terraform
@pytest.mark.parametrize("limit", NAMES)
def test_names(limit: str, stacks: dict[str, Stack]) -> None:
    check(limit, longest(values(stacks, *NAMES[limit])))


def test_name_of_an_execution() -> None:
    check("name of an execution", len(keys.execution_name("b", "x" * MAX_KEY_BYTES, "v" * 1024)))


@pytest.mark.terraform
@pytest.mark.parametrize("place", PLACES)
def test_arns_are_of_the_partition_the_region_and_the_account(
    place: str, stacks: dict[str, Stack]
) -> None:
    wanted = PLACES[place]
    arns = [(address, arn) for address, text in stacks[place].strings() for arn in _arns(text)]
    assert arns
    for address, arn in arns:
        _, partition, service, region, account, *_ = arn.split(":", 5)
        assert partition == wanted.partition, f"{arn} in {address}"
        assert region in ("", wanted.region), f"{arn} in {address}"
        if service != "apigateway":  # which names a service there
            assert account in ("", ACCOUNT), f"{arn} in {address}"


def _arns(text: str) -> list[str]:
    return [word for word in text.replace('"', " ").split() if word.startswith("arn:")]


@pytest.mark.terraform
@pytest.mark.parametrize("place", PLACES)
def test_domain_names_are_of_the_partition(place: str, stacks: dict[str, Stack]) -> None:
    """Only principals of services end in amazonaws.com in every partition."""
    wanted = PLACES[place]
    for address, text in stacks[place].strings():
        for service in ("s3", "sqs", "dynamodb"):
            via = f"{service}.{wanted.region}."
            assert text.count(via) == text.count(f"{via}{wanted.suffix}"), address


@pytest.mark.terraform
def test_logs_that_services_deliver_have_the_prefix_for_that(stacks: dict[str, Stack]) -> None:
    """https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html."""
    for stack in stacks.values():
        groups = [g["name"] for g in stack.of_type("aws_cloudwatch_log_group").values()]
        assert all(name.startswith(("/aws/lambda/", "/aws/vendedlogs/")) for name in groups)
        machines = len(stack.of_type("aws_sfn_state_machine"))
        assert sum(name.startswith("/aws/vendedlogs/") for name in groups) == 1 + machines


# ---- Sizes of what is configured ---------------------------------------------------------------


@pytest.mark.terraform
def test_policies(stacks: dict[str, Stack]) -> None:
    """IAM counts no white space."""
    check("policy of a role", longest(values(stacks, "aws_iam_role_policy", "policy")))
    check("trust policy of a role", longest(values(stacks, "aws_iam_role", "assume_role_policy")))


@pytest.mark.terraform
def test_environments(stacks: dict[str, Stack]) -> None:
    environments = values(stacks, "aws_lambda_function", "environment")
    check(
        "environment of a function",
        max(
            sum(len(name) + len(value) for name, value in e["variables"].items())
            for [e] in environments
        ),
    )


@pytest.mark.terraform
def test_definition(stacks: dict[str, Stack]) -> None:
    definitions = values(stacks, "aws_sfn_state_machine", "definition")
    check("definition of a state machine", longest(definitions))


@pytest.mark.package
@pytest.mark.parametrize("package", ["package", "package-local"])
def test_sizes_of_the_packages(package: str) -> None:
    zips = [REPOSITORY / "build" / package / name for name in ("functions.zip", "layer.zip")]
    unzipped = 0
    for file in zips:
        with zipfile.ZipFile(file) as archive:
            unzipped += sum(info.file_size for info in archive.infolist())
    assert unzipped <= LIMITS["functions and layer, unzipped"].largest
    zipped = max(file.stat().st_size for file in zips)
    assert zipped <= LIMITS["functions or layer, zipped"].largest


def test_request_to_the_upload_function() -> None:
    """The image in base64, the headers that API Gateway lets through, and the rest of the event."""
    event = fake_cloud.recorded("http_api_v2")
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
    headers = 10_240
    default = 4_500_000  # of the variable max_upload_bytes; test_defaults holds it to be true
    body = 4 * math.ceil(default / 3)
    check("request to the upload function", len(json.dumps(event)) + headers + body)
    largest = 4_700_000  # what the variable takes at the most
    assert len(json.dumps(event)) + headers + 4 * math.ceil(largest / 3) <= 6_291_456


@pytest.mark.terraform
def test_the_default_of_max_upload_bytes(stacks: dict[str, Stack]) -> None:
    upload = _function(stacks["virginia"], "upload")
    assert upload["environment"][0]["variables"]["MAX_UPLOAD_BYTES"] == "4500000"


# ---- Times -------------------------------------------------------------------------------------


def _function(stack: Stack, name: str) -> dict[str, Any]:
    return stack.resources[f'module.function["{name}"].aws_lambda_function.this']


@pytest.mark.terraform
def test_timeouts_of_functions(stacks: dict[str, Stack]) -> None:
    check("duration of a function", max(values(stacks, "aws_lambda_function", "timeout")))
    uploads = [_function(stack, "upload")["timeout"] for stack in stacks.values()]
    check("duration of the upload's integration", max(uploads))


@pytest.mark.terraform
def test_the_queue_waits_six_times_as_long_as_its_function(stacks: dict[str, Stack]) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    for stack in stacks.values():
        queue = stack.resources["module.ingest.aws_sqs_queue.this"]
        mapping = stack.resources["module.ingest.aws_lambda_event_source_mapping.this"]
        window = mapping["maximum_batching_window_in_seconds"]
        wanted = 6 * _function(stack, "trigger")["timeout"] + window
        assert queue["visibility_timeout_seconds"] >= wanted
        # AWS advises at least five, since throttling counts as a receive.
        assert json.loads(queue["redrive_policy"])["maxReceiveCount"] >= 5


@pytest.mark.terraform
def test_a_task_waits_longer_than_its_function_may_run(stacks: dict[str, Stack]) -> None:
    for stack in stacks.values():
        states = _states(_definition(stack))
        for function, state in FUNCTION_OF_STATE.items():
            assert states[state]["TimeoutSeconds"] > _function(stack, function)["timeout"], state


FUNCTION_OF_STATE = {
    "get_file_type": "GetFileType",
    "copy_file": "CopyToDestination",
    "resize_image": "ResizeImage",
    "write_to_dynamodb": "WriteToDynamoDb",
    "delete_file": "DeleteSourceFile",
}


def _definition(stack: Stack) -> dict[str, Any]:
    definition: dict[str, Any] = json.loads(
        stack.resources["module.state_machine.aws_sfn_state_machine.this"]["definition"]
    )
    return definition


def _states(definition: dict[str, Any]) -> dict[str, Any]:
    """Return the states of a machine with those of its branches."""
    states = dict(definition["States"])
    for state in definition["States"].values():
        for branch in state.get("Branches", []):
            states |= _states(branch)
    return states


@pytest.mark.terraform
def test_an_execution_has_time_for_every_retry_after_a_timeout(stacks: dict[str, Stack]) -> None:
    """Copy and conversion run side by side, so the longer one counts."""
    definition = _definition(stacks["virginia"])
    states = _states(definition)
    needed = {name: _longest_run(states[name]) for name in FUNCTION_OF_STATE.values()}
    side_by_side = max(needed.pop("CopyToDestination"), needed.pop("ResizeImage"))
    assert side_by_side + sum(needed.values()) < definition["TimeoutSeconds"]


def _longest_run(task: dict[str, Any]) -> float:
    """Return the seconds of a Task that times out until it is given up."""
    [retrier] = [r for r in task["Retry"] if "States.Timeout" in r["ErrorEquals"]]
    waits = [
        retrier["IntervalSeconds"] * retrier["BackoffRate"] ** number
        for number in range(retrier["MaxAttempts"])
    ]
    return float(task["TimeoutSeconds"] * (1 + retrier["MaxAttempts"]) + sum(waits))


# ---- What an execution holds -------------------------------------------------------------------


def test_state_and_record_of_the_longest_key(cloud: Cloud) -> None:
    """Measured for a key of 1,024 bytes, then widened to what JSON could make of such a key."""
    key = "k" * (MAX_KEY_BYTES - 4) + ".jpg"
    result = machine.run(cloud.upload(key, images.jpeg()))
    assert result.status == "SUCCEEDED", result.cause
    texts = [text for event in result.events for text in _documents(event)]
    check("state of an execution", max(map(_widened, texts)) + MAX_CAUSE_BYTES + MAX_ERROR_BYTES)
    item = cloud.item(key)
    assert item is not None
    check("record in the table", _widened(json.dumps(item)))
    check("key of a record", len(key))


def test_a_batch_of_the_longest_keys() -> None:
    """Ten originals that are to be made again, of whose keys JSON makes as much as it can."""
    key = "\x01" * MAX_KEY_BYTES
    item = {
        "Bucket": "destination",
        "Key": key,
        "VersionId": "v" * MAX_VERSION_BYTES,
        "Reprocess": {"imageName": key, "settings": "s" * 64},
    }
    with mock_aws():
        sqs: SQSClient = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="image-converter")["QueueUrl"]
        definition = rendering.backfill_child(queue_url=url)
        result = interpreter.run(definition, {"Items": [item] * 10}, {})
        assert result.output == {"sent": 10, "dropped": 0}, result.cause
        received = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    texts = [text for event in result.events for text in _documents(event)]
    check("state of a backfill's child", max(len(text.encode()) for text in texts))
    check("messages in one request", sum(len(message["Body"].encode()) for message in received))


def _documents(event: dict[str, Any]) -> Iterable[str]:
    """Yield the inputs and outputs that a history event carries."""
    for details in event.values():
        if isinstance(details, dict):
            for name in ("input", "output"):
                if name in details:
                    yield details[name]


def _widened(document: str) -> int:
    """Return the document's size, were every key and version id as long as they may be."""
    long_keys = document.count("k" * (MAX_KEY_BYTES - 4))
    versions = document.lower().count("version")
    return (
        len(document.encode())
        + long_keys * (JSON_PER_BYTE - 1) * MAX_KEY_BYTES
        + versions * MAX_VERSION_BYTES
    )


@pytest.mark.terraform
def test_history_with_every_retry(stacks: dict[str, Stack], cloud: Cloud) -> None:
    """Three events for each attempt, two for each state, and those of the whole."""
    states = _states(_definition(stacks["virginia"]))
    tasks = [state for state in states.values() if state["Type"] == "Task"]
    once = _events(states, [1] * len(tasks))
    result = machine.run(cloud.upload("1.jpg", images.jpeg()))
    assert once >= len(result.events)
    most = [1 + sum(retrier["MaxAttempts"] for retrier in task["Retry"]) for task in tasks]
    check("history of an execution", _events(states, most))


def _events(states: dict[str, Any], attempts: list[int]) -> int:
    parallel = 2  # ParallelStateStarted, ParallelStateSucceeded
    execution = 2  # ExecutionStarted, ExecutionSucceeded
    return execution + parallel + 2 * len(states) + 3 * sum(attempts)


# ---- Rates -------------------------------------------------------------------------------------


@pytest.mark.terraform
def test_keys_are_asked_for_rarely(stacks: dict[str, Stack]) -> None:
    """Bucket keys and reused data keys: no request to KMS for each object and message.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html
    https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
    """
    for stack in stacks.values():
        for rules in stack.of_type("aws_s3_bucket_server_side_encryption_configuration").values():
            [rule] = rules["rule"]
            [default] = rule["apply_server_side_encryption_by_default"]
            assert rule["bucket_key_enabled"] or default["sse_algorithm"] == "AES256"
        for queue in stack.of_type("aws_sqs_queue").values():
            assert queue["kms_data_key_reuse_period_seconds"] >= 300


@pytest.mark.terraform
def test_a_flood_of_images_is_slowed_in_the_queue(stacks: dict[str, Stack]) -> None:
    """StartExecution refills at 150 a second in most regions, and a call takes 20 ms at the least.

    So ten batches at a time could start 500 a second at most. What is throttled beyond
    the SDK's three attempts stays in the queue, and is not lost: a message comes five times, each
    after the visibility timeout, before it becomes a dead letter, from where it can be redriven.
    https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
    """
    fastest_call = 0.02
    for stack in stacks.values():
        mapping = stack.resources["module.ingest.aws_lambda_event_source_mapping.this"]
        [scaling] = mapping["scaling_config"]
        assert scaling["maximum_concurrency"] / fastest_call <= 500
        assert mapping["function_response_types"] == ["ReportBatchItemFailures"]


def test_every_limit_is_checked() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    for name in LIMITS:
        assert f'"{name}"' in text, name


def test_a_passed_limit_and_a_wrong_statement_are_found() -> None:
    for value in (81, 74, 20):
        with pytest.raises(AssertionError, match="name of an execution"):
            check("name of an execution", value)
