"""Three renditions of all kinds of images, from the layer that is deployed; then one changes."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from scripts.commands import cli
from scripts.lib import pixels
from scripts.lib.executions.model import Execution
from tests.conftest import Deployment, use
from tests.support import images, pipeline
from tests.support.jpeg import profiles

pytestmark = [pytest.mark.e2e, pytest.mark.terraform, pytest.mark.changes_deployment]

THUMB = {
    "name": "thumb",
    "format": "webp",
    "max_width": 32,
    "max_height": 32,
    "cache_control": "max-age=60",
}
RENDITIONS = [
    {"name": "png", "format": "png"},
    THUMB,
    {"name": "square", "format": "avif", "max_width": 16, "max_height": 16, "fit": "cover"},
]


def _rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    return images.jpeg(64, 48, exif=exif)


PROFILE = profiles.display_p3()
IMAGES = {
    "plain": images.jpeg(64, 48),
    "cmyk": images.jpeg(64, 48, mode="CMYK"),
    "profiled-cmyk": images.jpeg(64, 48, mode="CMYK", icc_profile=profiles.cmyk()),
    "rotated": _rotated(),
    "profiled": images.jpeg(64, 48, icc_profile=PROFILE),
    "gray": images.jpeg(64, 48, mode="L"),
    "progressive": images.jpeg(64, 48, progressive=True),
    "smaller": images.jpeg(9, 7),
    "column": images.jpeg(1, 300),
    "row": images.jpeg(300, 1),
}


@pytest.fixture(scope="module")
def rendering(deployment: Deployment) -> Deployment:
    """The shared stack, changed to make three renditions."""
    deployment.change(renditions=RENDITIONS)
    return deployment


def _outputs(execution: Execution) -> list[dict[str, Any]]:
    assert execution.status == "SUCCEEDED", execution.sentence
    resized = execution.result["images"][1]["resized"]
    return [resized, *resized["renditions"]]


def _size_in_box(size: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def test_three_renditions_of_ten_images(
    rendering: Deployment,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use(rendering.aws, monkeypatch)
    folder = tmp_path / "renditions"
    folder.mkdir()
    for name, content in IMAGES.items():
        (folder / f"{name}.jpg").write_bytes(content)
    out = tmp_path / "out"
    prefix = ["--prefix", "renditions/"]
    assert cli.run(["upload", str(folder), *prefix, "--wait", "--out", str(out)]) == 0
    assert "renditions/cmyk.png and 2 renditions" in capsys.readouterr().out
    for name, content in IMAGES.items():
        png = (out / f"renditions/{name}.png").read_bytes()
        assert not pixels.difference(content, png), name
        size = Image.open(io.BytesIO(png)).size
        thumb = Image.open(out / f"renditions/{name}-thumb.webp")
        square = Image.open(out / f"renditions/{name}-square.avif")
        assert (thumb.format, thumb.size) == ("WEBP", _size_in_box(size, 32)), name
        side = min(16, *size)
        assert (square.format, square.size) == ("AVIF", (side, side)), name
        for made in (thumb, square):
            assert made.getexif() == {}, name
            kept = PROFILE if name == "profiled" else None
            assert made.info.get("icc_profile") == kept, name
    assert cli.run(["status", "renditions/rotated.jpg"]) == 0
    said = capsys.readouterr().out
    assert "renditions/rotated-thumb.webp" in said
    assert "24 x 32" in said

    bucket = rendering.outputs["destination_bucket"]
    before = {
        key: rendering.clients.s3.head_object(Bucket=bucket, Key=key)["VersionId"]
        for name in IMAGES
        for key in _keys(name)
    }
    changed = {**THUMB, "quality": 30}
    rendering.change(renditions=[RENDITIONS[0], changed, RENDITIONS[2]])
    source = rendering.outputs["source_bucket"]
    for name in IMAGES:
        listed = rendering.clients.s3.list_object_versions(
            Bucket=source, Prefix=f"renditions/{name}.jpg"
        )
        named = {"key": f"renditions/{name}.jpg", "versionId": listed["Versions"][0]["VersionId"]}
        again = pipeline.start(rendering, {"s3": {"bucket": {"name": source}, "object": named}})
        changed_keys = {
            output["key"]
            for output in _outputs(again)
            if before[output["key"]] != output["versionId"]
        }
        assert changed_keys == {f"renditions/{name}-thumb.webp"}
        stored = rendering.clients.s3.head_object(Bucket=bucket, Key=changed_keys.pop())
        assert (stored["ContentType"], stored["CacheControl"]) == ("image/webp", "max-age=60")


def _keys(name: str) -> list[str]:
    return [f"renditions/{name}{end}" for end in (".png", "-thumb.webp", "-square.avif")]
