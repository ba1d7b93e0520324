"""A stack that keeps everything in the source bucket, and looks at what its filter lets through."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from image_converter import keys
from scripts.commands import cli
from scripts.lib import deployed, storage
from scripts.lib.executions.redrive import Redrive
from tests.conftest import Deployment
from tests.support import images, permissions, pipeline
from tests.support.listener import listening

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.terraform,
    pytest.mark.changes_deployment,
    pytest.mark.usefixtures("in_the_environment"),
]

Capture = pytest.CaptureFixture[str]

HEIC = b"\0\0\0\x18ftypheic" + bytes(100)
FILTER = {"prefixes": ["keep/", "keep-express/"], "suffixes": [".jpg", ".heic"]}
KEEPING: dict[str, Any] = {
    "source_after": "keep",
    "other_types": "keep",
    "source_filter": FILTER,
}
OUTSIDE = {"other/beach.jpg": images.jpeg(60, 40, seed=10), "keep/notes.txt": b"words"}


@pytest.fixture(scope="module")
def keeping(deployment: Deployment) -> Deployment:
    """The shared stack, changed to keep everything and to filter."""
    deployment.change(**KEEPING)
    return deployment


@pytest.fixture(scope="module")
def keeping_express(keeping: Deployment) -> deployed.Deployment:
    """The same stack as EXPRESS and with events, from here to the end of the module."""
    keeping.change(**KEEPING, workflow_type="EXPRESS", events={"bus": "default"})
    return deployed.find(keeping.clients, deployed.DEFAULT_NAME)


def _write(folder: Path, contents: dict[str, bytes]) -> str:
    for key, content in contents.items():
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return str(folder)


def test_a_jpeg_is_converted_and_everything_stays(
    keeping: Deployment, tmp_path: Path, capsys: Capture
) -> None:
    versions = [pipeline.upload(keeping, key, content) for key, content in OUTSIDE.items()]
    contents = {"keep/beach.jpg": images.jpeg(60, 40, seed=11), "keep/camera.heic": HEIC}
    outside = {"keep/notes.md": b"words"}
    files = _write(tmp_path / "files", contents | outside)
    assert cli.run(["upload", files, "--wait"]) == 4, "one will not be handled"
    said = capsys.readouterr().out
    assert "○ keep/notes.md  not handled  The stack's source_filter only accepts keep/*.jpg" in said
    assert cli.run(["status", "keep/notes.md"]) == 0
    assert "○ not handled: The stack's source_filter only" in capsys.readouterr().out
    assert "✓ keep/beach.jpg  converted" in said
    assert "the source was kept (source_after is keep)" in said
    assert "a heic file: the source was kept (other_types is keep) and nothing converted" in said

    for key, content in (contents | OUTSIDE).items():
        assert pipeline.source(keeping, key) == content
    png = pipeline.destination(keeping, keys.png_key("keep/beach.jpg"))
    assert images.pixels(png) == images.pixels(contents["keep/beach.jpg"])
    assert pipeline.destination(keeping, "keep/beach.jpg") == contents["keep/beach.jpg"]

    # They were uploaded before what has been handled by now, and nothing was started for them.
    inputs = "".join(_inputs(keeping))
    assert not [version for version in versions if version in inputs]
    dead_letters = keeping.outputs["dead_letter_queue_url"]
    assert storage.message_count(keeping.clients, dead_letters) == 0

    assert cli.run(["status", "keep/beach.jpg"]) == 0
    said = capsys.readouterr().out
    assert "in the source" in said
    assert "The source was kept (source_after is keep)." in said
    assert "cleaned up" not in said


def _inputs(deployment: Deployment) -> Iterator[str]:
    """Yield the input of every execution."""
    for run in pipeline.executions(deployment).listed():
        described = deployment.clients.stepfunctions.describe_execution(
            executionArn=run["executionArn"]
        )
        yield described["input"]


def test_what_is_kept_is_not_started_again(keeping: Deployment) -> None:
    def executions() -> list[str]:
        return sorted(run["executionArn"] for run in pipeline.executions(keeping).listed())

    before = executions()
    stack = deployed.find(keeping.clients, deployed.DEFAULT_NAME)
    redrive = Redrive(keeping.clients, stack, settled_after=timedelta(0))
    assert not [
        result.subject
        for result in pipeline.all_results(redrive)
        if result.key in (*OUTSIDE, "keep/beach.jpg")
    ]
    assert executions() == before


def test_the_function_may_neither_delete_nor_look(keeping: Deployment) -> None:
    name = keeping.outputs["function_names"]["delete_file"]
    role = permissions.role_name(keeping.clients, name)
    allowed = permissions.pairs(permissions.read(keeping.clients, role))
    assert not [action for action, _ in allowed if action.startswith("s3:")]


def test_of_express_the_end_is_known_though_nothing_is_deleted(
    keeping: Deployment, keeping_express: deployed.Deployment, tmp_path: Path, capsys: Capture
) -> None:
    assert keeping_express.express
    contents = {"keep-express/sea.jpg": images.jpeg(60, 40, seed=12), "keep-express/a.heic": HEIC}
    assert cli.run(["upload", _write(tmp_path / "files", contents), "--wait"]) == 0
    said = capsys.readouterr().out
    assert "✓ keep-express/sea.jpg  converted" in said
    assert "the source was kept (source_after is keep)" in said
    assert "✓ keep-express/a.heic  not a JPEG" in said
    assert "the source was kept (other_types is keep)" in said
    for key, content in contents.items():
        assert pipeline.source(keeping, key) == content

    assert cli.run(["status", "keep-express/a.heic"]) == 0
    assert "the source was kept (other_types is keep)" in capsys.readouterr().out
    redrive = Redrive(keeping.clients, keeping_express, settled_after=timedelta(0))
    results = pipeline.all_results(redrive)
    assert results == [], "it is known what was kept and what nothing handles"


def test_events_of_express_say_what_was_converted_and_what_was_not(
    keeping: Deployment, keeping_express: deployed.Deployment
) -> None:
    good, damaged = "keep-express/good.jpg", "keep-express/half.jpg"
    with listening(keeping.clients, keeping_express.name) as listener:
        version = pipeline.upload(keeping, good, images.jpeg(60, 40, seed=13))
        pipeline.upload(keeping, damaged, images.jpeg(60, 40)[:-200])
        converted = listener.event("Image Converted", good)
        failed = listener.event("Image Not Converted", damaged)
    assert converted["object"]["version-id"] == version
    assert converted["outputs"][0]["key"] == "keep-express/good.png"
    assert failed["error"]["name"] == "DamagedImage"
    assert failed["execution"] != converted["execution"]
