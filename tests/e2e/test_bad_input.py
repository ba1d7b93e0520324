"""Each bad input ends in a status that says failed, a sentence that says why, and nothing lost."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.lib.executions.model import Execution
from tests.conftest import Deployment, of_both_types
from tests.support import images, pipeline

pytestmark = [pytest.mark.e2e, of_both_types, pytest.mark.usefixtures("deployed_type")]


def _record(bucket: str, key: str, **more: str) -> dict[str, Any]:
    return {"s3": {"bucket": {"name": bucket}, "object": {"key": key, **more}}}


def _calls(execution: Execution) -> int:
    """Return how many times a function was called."""
    kinds = [event.type for event in execution.events]
    return kinds.count("LambdaFunctionScheduled")


def test_damaged_jpeg_fails_by_name_and_stays(deployment: Deployment) -> None:
    key = "damaged.jpg"
    whole = images.jpeg(200, 200)
    version_id = pipeline.upload(deployment, key, whole[: len(whole) // 2])

    execution = pipeline.execution_of(deployment, version_id)

    assert execution.status == "FAILED"
    assert execution.error == "DamagedImage"
    assert "JPEG" in execution.sentence
    assert key in pipeline.source_keys(deployment)
    assert "damaged.png" not in pipeline.destination_keys(deployment)


def test_object_gone_before_its_turn(deployment: Deployment) -> None:
    execution = pipeline.start(deployment, _record(deployment.outputs["source_bucket"], "gone.jpg"))

    assert (execution.status, execution.error) == ("FAILED", "SourceNotFound")
    assert "gone.jpg" in execution.sentence
    assert _calls(execution) == 1  # it can never succeed, so it is tried once


def test_another_version_than_the_record_names(deployment: Deployment) -> None:
    key = "changed.jpg"
    version_id = pipeline.upload(deployment, key, images.jpeg())
    pipeline.execution_of(deployment, version_id)
    record = _record(deployment.outputs["source_bucket"], key, versionId=version_id, eTag="0" * 32)

    execution = pipeline.start(deployment, record)

    assert (execution.status, execution.error) == ("FAILED", "SourceChanged")


@pytest.mark.parametrize("key", ["photo.jpg", "a b.jpg"])
def test_bucket_that_does_not_exist(deployment: Deployment, key: str) -> None:
    execution = pipeline.start(deployment, _record("no-such-bucket-anywhere", key))

    assert (execution.status, execution.error) == ("FAILED", "SourceNotFound")
    assert "no-such-bucket-anywhere" in execution.sentence


@pytest.mark.parametrize(
    "given", [{}, {"s3": {}}, {"s3": {"bucket": {"name": "b"}}}, {"s3": None}, []]
)
def test_input_that_is_not_a_record(deployment: Deployment, given: Any) -> None:
    execution = pipeline.start(deployment, given)

    assert (execution.status, execution.error) == ("FAILED", "InvalidRecord")
    assert "s3" in execution.sentence


def test_input_that_is_not_json(deployment: Deployment) -> None:
    with pytest.raises(ClientError, match="InvalidExecutionInput"):
        deployment.clients.stepfunctions.start_execution(
            stateMachineArn=deployment.outputs["state_machine_arn"], input="{not json"
        )


def test_name_of_an_execution_is_used_once(deployment: Deployment, deployed_type: str) -> None:
    """The same start twice is one execution; a closed execution's name is taken."""
    if deployed_type == "EXPRESS":
        pytest.skip("AWS accepts a name of EXPRESS again and again")
    stepfunctions = deployment.clients.stepfunctions
    start = {
        "stateMachineArn": deployment.outputs["state_machine_arn"],
        "name": "once",
        "input": json.dumps(_record(deployment.outputs["source_bucket"], "gone.jpg")),
    }
    first = stepfunctions.start_execution(**start)
    second = stepfunctions.start_execution(**start)
    assert second["executionArn"] == first["executionArn"]

    pipeline.ended(deployment, first["executionArn"])
    with pytest.raises(stepfunctions.exceptions.ExecutionAlreadyExists):
        stepfunctions.start_execution(**start)
