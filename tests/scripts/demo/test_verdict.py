"""The demonstration's checks fail where they should."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image as Pillow

from scripts.demo import verdict
from scripts.demo.verdict import Image, Output
from scripts.lib.executions.definition import Machine
from scripts.lib.executions.model import Execution
from tests.support import images

JPEG = images.jpeg()


def _png(jpeg: bytes) -> bytes:
    return images.saved(Pillow.open(io.BytesIO(jpeg)), "PNG")


def _execution(output: dict[str, Any] | None, status: str = "SUCCEEDED") -> Execution:
    return Execution(
        arn="arn",
        status=status,
        input="{}",
        output=json.dumps(output) if output else None,
        error="" if output else "DamagedImage",
        cause="" if output else '{"errorMessage": "it is cut off"}',
        started=datetime(2024, 1, 1, tzinfo=UTC),
        ended=datetime(2024, 1, 1, 0, 0, 1, tzinfo=UTC),
        machine=Machine("", {}),
        states={},
        events=[],
    )


CONVERTED = {
    "fileType": "jpg",
    "images": [
        {"original": {"key": "a.jpg"}},
        {"resized": {"key": "a.png", "renditions": [{"key": "a-thumb.webp"}]}},
    ],
}
DELETED = {"fileType": "txt"}


def _image(content: bytes, execution: Execution | None) -> Image:
    return Image("a.jpg", content, "version", execution)


@pytest.mark.parametrize(
    ("image", "fault"),
    [
        (_image(JPEG, _execution(CONVERTED)), None),
        (_image(b"text", _execution(DELETED)), None),
        (_image(JPEG, None), "no execution"),
        (_image(JPEG, _execution(None, "FAILED")), "failed: DamagedImage: it is cut off"),
        (_image(JPEG, _execution(DELETED)), "identified as txt and deleted"),
        (_image(b"text", _execution(CONVERTED)), "is not a JPEG, but was converted"),
    ],
)
def test_outcomes(image: Image, fault: str | None) -> None:
    faults = list(verdict.outcome_faults([image]))

    assert len(faults) == (fault is not None)
    if fault:
        assert fault in faults[0]


def _webp(content: bytes, side: int = verdict.THUMBNAIL_SIDE) -> bytes:
    image = Pillow.open(io.BytesIO(content))
    image.thumbnail((side, side))
    return images.saved(image, "WEBP")


def _converted(
    original: bytes = JPEG, png: bytes = _png(JPEG), thumbnail: bytes = _webp(JPEG)
) -> Image:
    image = _image(JPEG, _execution(CONVERTED))
    image.outputs = [
        Output("a.jpg", original),
        Output("a.png", png),
        Output("a-thumb.webp", thumbnail),
    ]
    return image


def test_outputs_of_the_default_settings_are_the_original_and_the_png() -> None:
    output = {"fileType": "jpg", "images": [{"original": {"key": "a"}}, {"resized": {"key": "b"}}]}
    image = _image(JPEG, _execution(output))

    assert [location["key"] for location in image.locations] == ["a", "b"]


def test_whole_original_passes_and_a_changed_one_does_not() -> None:
    assert list(verdict.original_faults([_converted()])) == []
    assert list(verdict.original_faults([_converted(original=JPEG + b"\0")]))


@pytest.mark.parametrize(
    ("png", "fault"),
    [
        (_png(JPEG), None),
        (JPEG, "is not a PNG"),
        (_png(images.jpeg(seed=1)), "does not have the pixels"),
        (_png(images.jpeg(10, 10)), "(10, 10)"),
    ],
)
def test_pixels(png: bytes, fault: str | None) -> None:
    faults = list(verdict.pixel_faults([_converted(png=png)]))

    assert len(faults) == (fault is not None)
    if fault:
        assert fault in faults[0]


@pytest.mark.parametrize(
    ("thumbnail", "fault"),
    [
        (_webp(JPEG), None),
        (_webp(JPEG, 8), "is WEBP of (8, 5) pixels, not WEBP of (24, 16)"),
        (_png(JPEG), "is PNG of (24, 16)"),
    ],
)
def test_thumbnails(thumbnail: bytes, fault: str | None) -> None:
    faults = list(verdict.thumbnail_faults([_converted(thumbnail=thumbnail)]))

    assert len(faults) == (fault is not None)
    if fault:
        assert fault in faults[0]
