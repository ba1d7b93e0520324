"""Between the requests that update a function, nothing is handled; afterwards everything is."""

import json
from collections.abc import Callable, Iterator

import pytest

from image_converter.layer import MODULE
from scripts.lib.executions.model import SUCCEEDED
from tests.conftest import Deployment
from tests.support import door, functions, images, pipeline

pytestmark = pytest.mark.e2e


@pytest.fixture
def newer_layer(deployment: Deployment) -> Iterator[Callable[[str], None]]:
    """Gives a function a layer with another stamp, and in the end each its own again."""
    aws = deployment.clients.functions
    layer = functions.zipped({f"python/{MODULE}.py": 'STAMP = "0123456789abcdef"\n'})
    newer = aws.publish_layer_version(
        LayerName="newer", Content={"ZipFile": layer}, CompatibleRuntimes=[]
    )
    own: dict[str, list[str]] = {}

    def change(name: str, layers: list[str]) -> None:
        aws.update_function_configuration(FunctionName=name, Layers=layers)
        aws.get_waiter("function_updated_v2").wait(FunctionName=name)

    def give(function: str) -> None:
        name = deployment.outputs["function_names"][function]
        layers = aws.get_function_configuration(FunctionName=name)["Layers"]
        own[name] = [layer["Arn"] for layer in layers]
        # The first that has a module is the one that Python imports.
        change(name, [newer["LayerVersionArn"], *own[name]])

    yield give
    for name, layers in own.items():
        change(name, layers)
    aws.delete_layer_version(LayerName="newer", VersionNumber=newer["Version"])


def test_an_upload_by_http_is_refused_and_nothing_stored(
    deployment: Deployment, newer_layer: Callable[[str], None]
) -> None:
    before = pipeline.source_keys(deployment)
    newer_layer("upload")

    status, answer = door.send(deployment, "POST", images.jpeg(), "name=updating.jpg")

    assert (status, "again" in answer["message"]) == (503, True)
    assert pipeline.source_keys(deployment) == before


def test_a_task_fails_by_name_and_its_image_stays(
    deployment: Deployment, newer_layer: Callable[[str], None]
) -> None:
    newer_layer("delete_file")
    execution = pipeline.execution_of(
        deployment, pipeline.upload(deployment, "updating.jpg", images.jpeg())
    )

    assert (execution.status, execution.error) == ("FAILED", "LayerMismatch")
    assert "updating.jpg" in pipeline.source_keys(deployment)


def test_it_works_again_with_the_layer_of_its_build(deployment: Deployment) -> None:
    content = images.jpeg(seed=11)
    execution = pipeline.execution_of(
        deployment, pipeline.upload(deployment, "updating.jpg", content)
    )

    assert execution.status == SUCCEEDED, execution.sentence
    assert "updating.jpg" not in pipeline.source_keys(deployment)


def test_the_functions_answer_is_the_errors_name(
    deployment: Deployment, newer_layer: Callable[[str], None]
) -> None:
    newer_layer("trigger")

    answer = deployment.clients.functions.invoke(
        FunctionName=deployment.outputs["function_names"]["trigger"], Payload=b'{"Records": []}'
    )

    assert answer["FunctionError"]
    assert json.loads(answer["Payload"].read())["errorType"] == "LayerMismatch"
