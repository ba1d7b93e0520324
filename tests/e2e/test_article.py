"""The article's input goes in, the article's output comes out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from image_converter.locations import converted_images
from scripts.lib.executions.model import SUCCEEDED, Execution
from tests.conftest import Deployment, of_both_types
from tests.support import fake_cloud, images, pipeline

pytestmark = [pytest.mark.e2e, of_both_types, pytest.mark.usefixtures("deployed_type")]


def _articles_input(deployment: Deployment, key: str, version_id: str) -> Any:
    """Return the article's input, about a version in our source bucket."""
    bucket = deployment.outputs["source_bucket"]
    stored = deployment.clients.s3.head_object(Bucket=bucket, Key=key, VersionId=version_id)
    event = fake_cloud.recorded("article_input")
    event["s3"]["bucket"] = {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"}
    event["s3"]["object"] |= {
        "key": key,
        "eTag": stored["ETag"].strip('"'),
        "size": stored["ContentLength"],
    }
    return event


def _articles_output(deployment: Deployment) -> Any:
    """Return the article's output, about our buckets."""
    expected = fake_cloud.recorded("article_output")
    destination = deployment.outputs["destination_bucket"]
    for image in expected["images"]:
        next(iter(image.values()))["bucket"] = destination
    del expected["writeStatus"]["details"]["$metadata"]["requestId"]  # each run has its own
    expected["deletionStatus"] |= {
        "sourceBucket": deployment.outputs["source_bucket"],
        "destinationBucket": destination,
    }
    return expected


def _covers(actual: Any, expected: Any) -> bool:
    """Return whether everything that the expected value has is in the actual one, and equal."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and _covers(actual[name], value) for name, value in expected.items()
        )
    if isinstance(expected, list):
        return len(actual) == len(expected) and all(map(_covers, actual, expected))
    return bool(actual == expected)


def test_upload_gives_the_articles_output(deployment: Deployment) -> None:
    execution = pipeline.execution_of(
        deployment, pipeline.upload(deployment, "1.jpg", images.jpeg())
    )

    assert execution.status == SUCCEEDED, execution.sentence
    assert _covers(execution.result, _articles_output(deployment)), execution.result


@contextmanager
def _no_notifications(deployment: Deployment) -> Iterator[None]:
    """Keep notifications in the queue, so that the one execution is the one started by hand."""
    functions = deployment.clients.functions
    mappings = functions.list_event_source_mappings(
        FunctionName=deployment.outputs["function_names"]["trigger"]
    )["EventSourceMappings"]
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    yield
    for mapping in mappings:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def test_articles_input_gives_the_articles_output(deployment: Deployment) -> None:
    key = "2.jpg"
    with _no_notifications(deployment):
        version_id = pipeline.upload(deployment, key, images.jpeg(seed=1))
        execution = pipeline.start(deployment, _articles_input(deployment, key, version_id))

    assert execution.status == SUCCEEDED, execution.sentence
    text = json.dumps(_articles_output(deployment)).replace("1.jpg", key).replace("1.png", "2.png")
    assert _covers(execution.result, json.loads(text)), execution.result

    # The notification, once it gets through, finds everything done.
    notified = pipeline.execution_of(deployment, version_id)
    assert notified.status == SUCCEEDED, notified.sentence
    assert _images(notified) == _images(execution)


def _images(execution: Execution) -> object:
    """Return the images' locations with what the input already says of them."""
    state = json.loads(execution.visits[0].input or "{}")
    return converted_images({**state, "results": execution.result})


def test_history_reads_from_state_to_state(deployment: Deployment) -> None:
    execution = pipeline.execution_of(
        deployment, pipeline.upload(deployment, "history.jpg", images.jpeg(seed=1))
    )

    states = [visit.state for visit in execution.visits]
    assert states[:3] == ["GetFileType", "CheckFileType", "ProcessFile"]
    assert set(states[3:5]) == {"CopyToDestination", "ResizeImage"}
    assert states[5:] == ["WriteToDynamoDb", "DeleteSourceFile"]
    ids = [event.id for event in execution.events]
    assert ids == list(range(1, len(ids) + 1))
    assert all(event.previous < event.id for event in execution.events[1:])


def test_record_describes_what_the_buckets_hold(deployment: Deployment) -> None:
    key = "record.jpg"
    version_id = pipeline.upload(deployment, key, images.jpeg(seed=2))
    assert pipeline.execution_of(deployment, version_id).status == SUCCEEDED

    item = deployment.clients.dynamodb.get_item(
        TableName=deployment.outputs["table_name"], Key={"imageName": {"S": key}}
    )["Item"]
    assert item["sourceVersionId"] == {"S": version_id}
    for place, name in enumerate(("original", "resized")):
        noted = item["images"]["L"][place]["M"][name]["M"]
        stored = deployment.clients.s3.head_object(
            Bucket=noted["bucket"]["S"],
            Key=noted["key"]["S"],
            VersionId=noted["versionId"]["S"],
        )
        assert stored["ContentLength"] == int(noted["size"]["N"])
