"""The default processor: the arm64 package under qemu does what the one for this machine does."""

import json
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scripts.lib.aws import Clients
from scripts.lib.paths import PACKAGE_LOCAL as PACKAGE
from scripts.lib.paths import REPOSITORY
from scripts.local_aws import LocalAws
from tests.support import images, resources
from tests.support.jpeg import reference
from tests.support.jpeg.corpus import CASES, LIMITS, Case

BUILD = REPOSITORY / "build" / "arm64"
ROOT = BUILD / "python" / "root"
PROGRAM = Path(__file__).parent / "packaged.py"
QEMU = "qemu-aarch64"
COMPRESSIONS = ("fast", "smallest")

pytestmark = [
    pytest.mark.arm64,
    pytest.mark.skipif(
        not (shutil.which(QEMU) and ROOT.exists() and (BUILD / "package").exists()),
        reason="`make test-arm64` gets what this needs, on Debian 12",
    ),
    pytest.mark.skipif(
        platform.machine() == "aarch64", reason="on arm64 all other tests run on it already"
    ),
]


@dataclass(frozen=True)
class Side:
    """A package, and what runs it."""

    machine: str
    command: Sequence[str]
    package: Path

    def run(self, task: str, source: Path, out: Path, env: Mapping[str, str] | None = None) -> Any:
        """Run packaged.py and return its result."""
        unpacked = out / "package"
        for name in ("functions", "layer"):
            with zipfile.ZipFile(self.package / f"{name}.zip") as archive:
                archive.extractall(unpacked / name)
        code = [str(unpacked / "functions"), str(unpacked / "layer" / "python")]
        done = subprocess.run(
            [*self.command, "-S", "-B", str(PROGRAM), task, *code, str(source), str(out)],
            env={"PYTHONHASHSEED": "0", **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        result = json.loads((out / "result.json").read_text(encoding="utf-8"))
        assert result["machine"] == self.machine
        assert all(str(unpacked) in place for place in result["modules"].values()), result[
            "modules"
        ]
        return result["result"]


# Graviton2 is what Lambda's arm64 functions run on at least; qemu refuses what it does not know.
ARM64 = Side(
    "aarch64",
    (QEMU, "-cpu", "neoverse-n1", "-L", str(ROOT), str(ROOT / "usr" / "bin" / "python3.11")),
    BUILD / "package",
)
HERE = Side(platform.machine(), (sys.executable,), PACKAGE)


@dataclass(frozen=True)
class Converted:
    """What became of the corpus on both sides, and the folder with each side's PNGs."""

    results: dict[str, dict[str, Any]]
    folders: dict[str, Path]

    def pair(self, case: Case, compression: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the outcomes of an image: on arm64, and here."""
        name = f"{CASES.index(case):03}-{compression}"
        arm64, here = (self.results[side.machine][name] for side in (ARM64, HERE))
        return arm64, here

    def pngs(self, case: Case, compression: str) -> tuple[bytes, bytes]:
        """Return the PNGs of an image: from arm64, and from here."""
        name = f"{CASES.index(case):03}-{compression}.png"
        arm64, here = (self.folders[side.machine] / name for side in (ARM64, HERE))
        return arm64.read_bytes(), here.read_bytes()


@pytest.fixture(scope="session")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    cases = tmp_path_factory.mktemp("cases")
    (cases / "limits.json").write_text(json.dumps(LIMITS._asdict()), encoding="utf-8")
    for number, case in enumerate(CASES):
        (cases / f"{number:03}.jpg").write_bytes(case.make())
    sides = (ARM64, HERE)
    folders = {side.machine: tmp_path_factory.mktemp(side.machine) for side in sides}
    with ThreadPoolExecutor() as threads:
        done = threads.map(
            lambda s: (s.machine, s.run("convert", cases, folders[s.machine])), sides
        )
        return Converted(dict(done), folders)


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_outcome_message_and_pixels_are_the_same(
    converted: Converted, case: Case, compression: str
) -> None:
    arm64, here = converted.pair(case, compression)

    assert arm64.get("error") == (case.error.__name__ if case.error else None)
    # A PNG's bytes, and so its size, may differ: ISA-L compresses as the processor is good at it.
    assert {**arm64, "size": None} == {**here, "size": None}
    if case.error is None:
        theirs, ours = map(reference.decode_png, converted.pngs(case, compression))
        assert np.array_equal(theirs, ours)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with LocalAws(tmp_path_factory.mktemp("aws")) as aws:
        yield aws


def test_a_handler_starts_cold_and_converts(aws: LocalAws, tmp_path: Path) -> None:
    s3 = Clients(aws.env).s3
    for bucket in ("source", "destination"):
        resources.bucket(s3, bucket)
    photo = images.jpeg(200, 100)
    version = s3.put_object(Bucket="source", Key="a b.jpg", Body=photo)["VersionId"]
    item = {"key": "a b.jpg", "versionId": version}
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"s3": {"bucket": {"name": "source"}, "object": item}}))
    settings = {
        "DESTINATION_BUCKET": "destination",
        "MAX_IMAGE_BYTES": "1000000",
        "MAX_IMAGE_PIXELS": "1000000",
    }

    env = {name: value for name, value in aws.env.items() if name.startswith("AWS_")}
    out = tmp_path / "out"
    out.mkdir()
    result = ARM64.run("handle", event, out, {**env, **settings})

    assert (result["key"], result["width"], result["height"]) == ("a b.png", 200, 100)
    png = s3.get_object(Bucket="destination", Key="a b.png")["Body"].read()
    assert images.pixels(png) == images.pixels(photo)
