"""Images that were there before: counted, converted, followed; then made again as settings change.

The tests follow each other. `BACKFILL_OBJECTS=1500` runs them with more objects than 60; the
figures that they print then are in docs/backfill.md.
"""

import io
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from image_converter import keys, renditions
from scripts.commands import cli
from scripts.lib import deployed, storage, wait
from scripts.lib.aws import Clients
from scripts.lib.backfill.candidates import FOLDERS, OTHER_KEYS
from scripts.lib.backfill.runs import Progress, Run
from scripts.lib.paths import PACKAGE_LOCAL, REPOSITORY
from tests.conftest import Deployment, use
from tests.support import images, json_output, notifications, pipeline

pytestmark = [pytest.mark.e2e, pytest.mark.terraform, pytest.mark.changes_deployment]

Capture = pytest.CaptureFixture[str]
Note = Callable[[str, object], None]

OBJECTS = int(os.environ.get("BACKFILL_OBJECTS", "60"))
PREFIX = "backfill-test/"
YEARS = [f"{PREFIX}{year}/" for year in (2018, 2019, 2020)]
CHANGED: dict[str, Any] = {
    "source_after": "keep",
    "other_types": "keep",
    "source_filter": {"suffixes": [".jpg", ".txt"]},
}
PATIENCE_SECONDS = 600


@dataclass
class Source:
    """The source bucket with what is in it.

    Attributes:
        converted, old: JPEGs by their keys: those that uploads have converted, and those that
            nothing knows.
        texts, others: objects that are not images; `source_filter` excludes the others.
    """

    stack: Deployment
    converted: dict[str, bytes] = field(default_factory=dict)
    old: dict[str, bytes] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    others: dict[str, bytes] = field(default_factory=dict)
    damaged: dict[str, bytes] = field(default_factory=dict)

    @property
    def clients(self) -> Clients:
        return self.stack.clients

    @property
    def bucket(self) -> str:
        return str(self.stack.outputs["source_bucket"])

    def put(self, contents: dict[str, bytes]) -> None:
        for key, content in contents.items():
            self.clients.s3.put_object(Bucket=self.bucket, Key=key, Body=content)

    def run(self, name: str) -> Run:
        return Run(self.clients, deployed.find(self.clients, deployed.DEFAULT_NAME), name)

    def sent(self, name: str) -> Progress:
        """Wait until a run has sent everything; return how far it is."""

        def sent() -> Progress | None:
            progress = self.run(name).progress()
            return progress if progress.status == "SUCCEEDED" else None

        return wait.until("everything to be sent", sent, PATIENCE_SECONDS)

    def made(self) -> dict[str, list[str]]:
        """Return the versions of each object that the destination bucket has of these images."""
        return self._versions(self.stack.outputs["destination_bucket"])

    def uploaded(self) -> dict[str, list[str]]:
        """Return the versions of each of these objects in the source bucket, deleted ones too."""
        return self._versions(self.bucket)

    def _versions(self, bucket: str) -> dict[str, list[str]]:
        return {
            key: [version["VersionId"] for version in versions]
            for key, versions in storage.versions(self.clients, bucket).items()
            if key.startswith(PREFIX)
        }

    def records(self) -> dict[str, Any]:
        scanned = storage.records(self.clients, self.stack.outputs["table_name"], PREFIX)
        return {record["imageName"]: record for record in scanned}

    def set_code(self, archive: bytes) -> None:
        for name in pipeline.DECIDING:
            self.clients.functions.update_function_code(
                FunctionName=f"image-converter-{name}", ZipFile=archive
            )


def _jpegs(numbers: range) -> dict[str, bytes]:
    return {f"{YEARS[n % 3]}{n:04} é+.jpg": images.jpeg(24, 16, seed=n) for n in numbers}


@pytest.fixture(scope="module")
def source(deployment: Deployment) -> Iterator[Source]:
    """The shared stack with a backfill, and a bucket that is full."""
    deployment.change(**CHANGED)
    # S3's test messages about the changed filter: where they meet a function that is being updated,
    # which the local AWS kills, they would come again after minutes.
    deployment.clients.sqs.purge_queue(QueueUrl=deployment.outputs["queue_url"])
    few = max(OBJECTS // 20, 2)
    found = Source(deployment)
    found.converted = _jpegs(range(few))
    found.old = _jpegs(range(few, OBJECTS - 2 * few))
    found.texts = {f"{YEARS[n % 3]}{n}.txt": b"words" for n in range(few)}
    found.others = {f"{YEARS[n % 3]}{n}.heic": b"\0\0\0\x18ftypheic" for n in range(few)}
    found.damaged = {f"{YEARS[0]}half.jpg": images.jpeg()[:-200]}
    found.put(found.converted)
    with notifications.off(found.clients, found.bucket):
        found.put(found.old | found.texts | found.others | found.damaged)
        found.put(dict.fromkeys(YEARS, b""))
    wait.until(
        "uploads to be converted",
        lambda: found.records().keys() == found.converted.keys(),
        PATIENCE_SECONDS,
    )
    yield found
    # Later tests apply without looking at what became of the stack.
    found.set_code((PACKAGE_LOCAL / "functions.zip").read_bytes())
    pipeline.set_renditions(deployment, "")


@pytest.fixture(autouse=True)
def _environment(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    use(source.stack.aws, monkeypatch)


def test_the_dry_run_counts_and_starts_nothing(
    source: Source, capsys: Capture, record_property: Note
) -> None:
    began = time.monotonic()
    estimate = json_output.answer(capsys, "backfill", PREFIX, "--dry-run")["estimate"]
    record_property("covered", f"listed {OBJECTS / (time.monotonic() - began):.0f} a second")
    would_be_sent = source.old | source.texts | source.damaged
    assert estimate["images"] == len(would_be_sent)
    assert estimate["bytes"] == sum(map(len, would_be_sent.values()))
    assert estimate["namedOtherwise"] == len(source.texts)
    assert estimate["converted"] == len(source.converted)
    assert estimate["dropped"] == {FOLDERS: len(YEARS), OTHER_KEYS: len(source.others)}
    assert estimate["workflowType"] == "STANDARD"
    assert estimate["dollars"] == pytest.approx(len(would_be_sent) * 200e-6, abs=0.01)
    assert estimate["limit"] == "trigger_maximum_concurrency"

    assert cli.run(["backfill", PREFIX, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert f"{len(would_be_sent):,} images" in said
    assert (
        f"{len(source.texts)} of them are not named like JPEGs; what is not a JPEG is kept" in said
    )
    assert source.records().keys() == source.converted.keys()


def test_everything_is_converted_once_whoever_closes_the_terminal(
    source: Source, capsys: Capture, record_property: Note
) -> None:
    with pipeline.paused(source.stack):
        name = json_output.answer(capsys, "backfill", PREFIX)["run"]
        progress = source.sent(name)
        took = (progress.at - progress.began).total_seconds()
        record_property("covered", f"sent {progress.listed / took:.0f} a second")
        assert cli.run(["backfill", "--run", name]) == 5
        assert "The stack is paused" in capsys.readouterr().err
        replaced, deleted, *_ = source.old
        source.old[replaced] = images.jpeg(32, 20, seed=7)
        source.put({replaced: source.old[replaced]})
        source.clients.s3.delete_object(Bucket=source.bucket, Key=deleted)
        del source.old[deleted]
    began = time.monotonic()
    _close_the_terminal("backfill", "--run", name)
    result = json_output.answer(capsys, "backfill", "--run", name, expected=4)["result"]
    handled = source.old | source.texts | source.damaged
    rate = len(handled) / (time.monotonic() - began)
    record_property("covered", f"converted {rate:.1f} a second")

    assert result["executionsStarted"] == len(handled)
    assert result["dropped"] == len(YEARS) + len(source.others)
    ((failure),) = result["failures"]
    assert failure["key"] == next(iter(source.damaged))
    assert failure["why"].startswith("DamagedImage: ")
    records = source.records()
    assert records.keys() == source.converted.keys() | source.old.keys()
    for key, content in source.old.items():
        head = source.clients.s3.head_object(Bucket=source.bucket, Key=key)
        assert records[key]["sourceVersionId"] == head["VersionId"]
        assert pipeline.destination(source.stack, key) == content
        png = pipeline.destination(source.stack, keys.png_key(key))
        assert images.pixels(png) == images.pixels(content)
    assert {len(versions) for versions in source.made().values()} == {1}, "nothing is made twice"


def _close_the_terminal(*arguments: str) -> None:
    """Run a command until it has printed something, and end it as a terminal does that closes."""
    terminal = subprocess.Popen(
        [sys.executable, "-u", "-m", "scripts.commands.cli", *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": f"lambda_src{os.pathsep}."},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert terminal.stdout is not None
    assert "listed" in terminal.stdout.readline()
    terminal.send_signal(signal.SIGHUP)
    assert terminal.wait(60) == -signal.SIGHUP


def test_a_second_run_changes_nothing_and_says_so(source: Source, capsys: Capture) -> None:
    before = source.made()
    assert cli.run(["backfill", PREFIX, "--wait"]) == 0
    said = capsys.readouterr().out
    assert "No execution was started.\n" in said
    handled = len(source.texts | source.damaged)
    assert f"{handled} objects had an execution already" in said
    assert source.made() == before
    estimate = json_output.answer(capsys, "backfill", PREFIX, "--dry-run")["estimate"]
    assert estimate["converted"] == len(source.converted | source.old)
    assert estimate["images"] == len(source.texts | source.damaged)


def test_a_new_rendition_is_all_that_a_reprocess_makes(source: Source, capsys: Capture) -> None:
    assert cli.run(["reprocess", PREFIX, "--wait"]) == 0
    assert "Nothing is outdated." in capsys.readouterr().out
    pipeline.set_renditions(source.stack, pipeline.PNG_AND_THUMBNAIL)
    before, uploads = source.made(), source.uploaded()
    everything = source.converted | source.old
    estimate = json_output.answer(capsys, "reprocess", PREFIX, "--dry-run")["estimate"]
    assert (estimate["images"], estimate["bytes"]) == (
        len(everything),
        sum(map(len, everything.values())),
    )
    newer, *others = source.old
    with pipeline.paused(source.stack):
        name = json_output.answer(capsys, "reprocess", PREFIX)["run"]
        assert source.sent(name).listed == len(everything)
        source.old[newer] = images.jpeg(40, 24, seed=9)
        source.put({newer: source.old[newer]})
    result = json_output.answer(capsys, "backfill", "--run", name)["result"]
    assert result["failures"] == []

    after = source.made()
    added = {key: len(versions) - len(before.get(key, [])) for key, versions in after.items()}
    for key in [*source.converted, *others]:
        assert [added[made] for made in _keys(key)] == [0, 0, 1], key
    records = source.records()
    head = source.clients.s3.head_object(Bucket=source.bucket, Key=newer)
    assert records[newer]["sourceVersionId"] == head["VersionId"], "the newer upload wins"
    assert pipeline.destination(source.stack, newer) == source.old[newer]
    for made in _keys(newer)[1:]:
        size, _ = images.pixels(pipeline.destination(source.stack, made))
        assert size[0] * 24 == pytest.approx(size[1] * 40, abs=24), "it is of the newer upload"
    now = source.uploaded()
    assert {**now, newer: now[newer][1:]} == uploads, "the source bucket is untouched"
    assert cli.run(["reprocess", PREFIX, "--wait"]) == 0
    assert "Nothing is outdated." in capsys.readouterr().out


def _keys(key: str) -> list[str]:
    """Return the keys of the copy and of the renditions."""
    return [key, keys.png_key(key), key.removesuffix(".jpg") + "-thumb.webp"]


def test_another_converter_makes_everything_again(
    source: Source, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = renditions.CONVERTER_VERSION + 1
    source.set_code(_another_version(number))
    monkeypatch.setattr(renditions, "CONVERTER_VERSION", number)
    before = source.made()
    assert cli.run(["reprocess", YEARS[0], "--wait"]) == 0, capsys.readouterr()
    after = source.made()
    for key in source.converted | source.old:
        added = [len(after[made]) - len(before[made]) for made in _keys(key)]
        assert added == ([0, 1, 1] if key.startswith(YEARS[0]) else [0, 0, 0]), key


def _another_version(number: int) -> bytes:
    """Return the functions' package, of another version of the converter."""
    changed, module = io.BytesIO(), "image_converter/renditions.py"
    with (
        zipfile.ZipFile(PACKAGE_LOCAL / "functions.zip") as package,
        zipfile.ZipFile(changed, "w") as target,
    ):
        for name in package.namelist():
            content = package.read(name)
            if name == module:
                old = f"CONVERTER_VERSION = {renditions.CONVERTER_VERSION}"
                assert old in content.decode()
                content = content.decode().replace(old, f"CONVERTER_VERSION = {number}").encode()
            if not name.startswith("image_converter/__pycache__/renditions."):
                target.writestr(name, content)
    return changed.getvalue()
