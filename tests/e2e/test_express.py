"""The state machine as EXPRESS: same images, same outcomes, found without a list of executions."""

import io
import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from image_converter import keys
from scripts.commands import cli
from scripts.commands.watch import Watch
from scripts.console.live import Live
from scripts.lib import deployed, text, wait
from scripts.lib.executions import uploads
from scripts.lib.executions.model import name_of
from tests.conftest import Deployment
from tests.support import images, pipeline

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.terraform,
    pytest.mark.changes_deployment,
    pytest.mark.usefixtures("in_the_environment"),
]

STATES = (
    "GetFileType",
    "CheckFileType",
    "CopyToDestination",
    "ResizeImage",
    "WriteToDynamoDb",
    "DeleteSourceFile",
)
ENDS = {"converted", "converted after a retry"}  # a busy machine may need one
Capture = pytest.CaptureFixture[str]

WHOLE = {"express/beach.jpg": 1, "express/at the sea.JPEG": 2, "express/no-suffix": 3}


@pytest.fixture(scope="module")
def express(deployment: Deployment) -> deployed.Deployment:
    """The shared stack, changed to EXPRESS as its owner would do it."""
    deployment.change(workflow_type="EXPRESS")
    return deployed.find(deployment.clients, deployed.DEFAULT_NAME)


def test_each_file_becomes_what_it_should(
    deployment: Deployment, express: deployed.Deployment, tmp_path: Path, capsys: Capture
) -> None:
    assert express.express
    contents = {key: images.jpeg(60, 40, seed=seed) for key, seed in WHOLE.items()} | {
        "express/drawn.png": images.saved(Image.new("RGB", (8, 8)), "PNG"),
        "express/notes.txt": b"text",
        "express/half.jpg": images.jpeg(60, 40)[:-200],
    }
    for key, content in contents.items():
        path = tmp_path / "files" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    out = tmp_path / "pngs"
    assert cli.run(["upload", str(tmp_path / "files"), "--out", str(out)]) == 4, "one is damaged"

    said = capsys.readouterr().out
    # How long it took is shown where the log has it by then.
    assert re.search(r"✕ express/half\.jpg  failed  ([\d.]+ m?s  )?DamagedImage: ", said)
    assert "✓ express/notes.txt  not a JPEG" in said
    assert "✓ express/drawn.png  not a JPEG" in said
    for key in WHOLE:
        assert f"✓ {key}  converted" in said
        assert pipeline.destination(deployment, key) == contents[key], "the original is whole"
        png = pipeline.destination(deployment, keys.png_key(key))
        assert images.pixels(png) == images.pixels(contents[key])
        assert (out / keys.png_key(key)).read_bytes() == png
    assert pipeline.source_keys(deployment) & contents.keys() == {"express/half.jpg"}

    for key, outcome in {
        "express/beach.jpg": "✓ converted",
        "express/half.jpg": "✕ failed: DamagedImage",
        "express/notes.txt": "✓ not a JPEG",
    }.items():
        assert cli.run(["status", key]) == (4 if "failed" in outcome else 0)
        assert outcome in capsys.readouterr().out


def test_started_by_hand_and_started_twice(
    deployment: Deployment, express: deployed.Deployment
) -> None:
    """AWS refuses no second EXPRESS execution of a name; it finds everything done."""
    key, content = "express/twice.jpg", images.jpeg(60, 40, seed=4)
    version = pipeline.upload(deployment, key, content)
    wait.until("the PNG", lambda: key not in pipeline.source_keys(deployment))
    versions = _destination_versions(deployment, "express/twice")
    record = {
        "s3": {
            "bucket": {"name": express.source_bucket},
            "object": {"key": key, "versionId": version},
        }
    }
    started = [
        deployment.clients.stepfunctions.start_execution(
            stateMachineArn=express.state_machine_arn, name="again", input=json.dumps(record)
        )["executionArn"]
        for _ in range(2)
    ]
    assert started[0] != started[1]

    def both_have_deleted() -> bool:
        pages = deployment.clients.logs.get_paginator("filter_log_events").paginate(
            logGroupName=deployment.outputs["log_groups"]["delete_file"]
        )
        lines = [text.json_object(event["message"]) for page in pages for event in page["events"]]
        return [line.get("key") for line in lines].count(key) == 3

    wait.until("all three executions to end", both_have_deleted)
    assert _destination_versions(deployment, "express/twice") == versions, (
        "nothing is written again"
    )


def _destination_versions(deployment: Deployment, prefix: str) -> set[str]:
    listed = deployment.clients.s3.list_object_versions(
        Bucket=deployment.outputs["destination_bucket"], Prefix=prefix
    )
    return {version["VersionId"] for version in listed["Versions"]}


def test_the_live_page_shows_states_and_retries(
    deployment: Deployment, express: deployed.Deployment
) -> None:
    live = Live(deployment.clients, express)
    whole = images.jpeg(60, 40, seed=9)
    followed = []
    for key, content in (("express/live.jpg", whole), ("express/live-half.jpg", whole[:-200])):
        sent = uploads.send(deployment.clients, express, key, io.BytesIO(content), "image/jpeg")
        followed.append(live.add(key, sent))

    def all_have_ended() -> bool:
        live.poll()
        return not live.is_busy and all(item.is_current for item in followed)

    wait.until("both to end", all_have_ended)
    good, bad = followed
    assert good.execution is not None
    assert bad.execution is not None
    assert (good.group, good.execution.kind) == ("done", "converted")
    assert good.execution.states["WriteToDynamoDb"].outcome == "succeeded"
    assert [picture.role for picture in live.pictures_of(good)] == ["Original", "PNG"]
    assert (bad.group, bad.execution.error) == ("failed", "DamagedImage")

    assert "express/live-half.jpg" in live.retry(bad)

    def is_started_again() -> bool:
        live.poll()
        return name_of(bad.arn).endswith("-redo1")

    wait.until("it to be started again", is_started_again)


def test_watch_shows_fifty_uploads_as_it_does_of_standard(
    deployment: Deployment, express: deployed.Deployment, tmp_path: Path
) -> None:
    for number in range(50):
        (tmp_path / f"{number}.jpg").write_bytes(images.jpeg(30, 20, seed=number))
    watch = Watch(deployment.clients, express)
    seen: list[dict[str, Any]] = []

    def all_have_ended() -> bool:
        seen.extend(followed.as_json() for followed in watch.poll())
        return sum(followed.key.startswith("fifty/") for followed in watch.ended) == 50

    arguments = ["upload", *map(str, tmp_path.glob("*.jpg")), "--prefix", "fifty/"]
    uploading = threading.Thread(target=lambda: cli.run(arguments))
    uploading.start()
    wait.until("all to end", all_have_ended, 240)
    uploading.join()

    lines = [line for line in seen if line["key"].startswith("fifty/")]
    last = {line["key"]: line["place"] for line in lines}
    assert last.keys() == {f"fifty/{number}.jpg" for number in range(50)}
    assert set(last.values()) <= ENDS
    places = (place for line in lines for place in line["place"].split(" and "))
    on_the_way = {place.partition(" (try ")[0] for place in places}
    assert on_the_way & {"GetFileType", "CopyToDestination", "ResizeImage"}, "as it goes on"
    assert on_the_way <= {*STATES, *ENDS, "starting"}


def test_cost_is_calculated_from_an_execution(
    deployment: Deployment, express: deployed.Deployment, capsys: Capture
) -> None:
    version = pipeline.upload(deployment, "express/cost.jpg", images.jpeg(60, 40, seed=10))
    execution = pipeline.execution_of(deployment, version)
    assert execution.is_express
    assert execution.arn.startswith(
        express.state_machine_arn.replace(":stateMachine:", ":express:")
    )

    assert cli.run(["cost", "--execution", execution.arn, "--json"]) == 0

    lines = json.loads(capsys.readouterr().out)["bills"]["EXPRESS"]["lines"]
    assert lines["EXPRESS executions"] == 1.0
    assert lines["Logs of executions"] > 0
