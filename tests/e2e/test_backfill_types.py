"""A backfill and a reprocess, whichever type the pipeline's state machine has."""

import pytest

from image_converter import keys
from scripts.lib import storage
from tests.conftest import Deployment, of_both_types
from tests.support import images, json_output, notifications, pipeline

pytestmark = [
    pytest.mark.e2e,
    of_both_types,
    pytest.mark.usefixtures("deployed_type", "in_the_environment"),
]

Capture = pytest.CaptureFixture[str]


def _versions(deployment: Deployment, prefix: str) -> dict[str, int]:
    """Return how many versions each object of these images in the destination bucket has."""
    found = storage.versions(deployment.clients, deployment.outputs["destination_bucket"])
    return {key: len(versions) for key, versions in found.items() if key.startswith(prefix)}


def test_what_was_there_before_is_converted_and_made_again(
    deployment: Deployment, deployed_type: str, capsys: Capture
) -> None:
    clients, outputs = deployment.clients, deployment.outputs
    prefix = f"backfill-{deployed_type.lower()}/"
    contents = {f"{prefix}{number} é+.jpg": images.jpeg(seed=number) for number in range(4)}
    damaged = f"{prefix}half.jpg"
    with notifications.off(clients, outputs["source_bucket"]):
        given = {**contents, damaged: images.jpeg()[:-200]}
        sent = {key: pipeline.upload(deployment, key, body) for key, body in given.items()}

    result = json_output.answer(capsys, "backfill", prefix, "--wait", expected=4)["result"]

    assert (result["objects"], result["executionsStarted"]) == (len(given), len(given))
    assert [failure["key"] for failure in result["failures"]] == [damaged]
    assert pipeline.source_keys(deployment) & given.keys() == {damaged}
    for key, content in contents.items():
        record = storage.record(clients, outputs["table_name"], key)
        assert record is not None
        assert record["sourceVersionId"] == sent[key]
        assert pipeline.destination(deployment, key) == content
        png = pipeline.destination(deployment, keys.png_key(key))
        assert images.pixels(png) == images.pixels(content)

    before = _versions(deployment, prefix)
    with pipeline.making(deployment, pipeline.PNG_AND_THUMBNAIL):
        result = json_output.answer(capsys, "reprocess", prefix, "--wait")["result"]

    assert (result["objects"], result["executionsStarted"]) == (len(contents), len(contents))
    assert result["failures"] == []
    thumbs = {f"{key.removesuffix('.jpg')}-thumb.webp": 1 for key in contents}
    assert _versions(deployment, prefix) == {**before, **thumbs}, "nothing is made twice"
    executions = json_output.answer(capsys, "status", next(iter(contents)))["executions"]
    assert [execution["origin"] for execution in executions] == ["reprocess", "upload"]
