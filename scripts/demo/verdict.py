"""What became of each image, and whether that is what the pipeline promises."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from PIL import Image as Pillow

from image_converter import locations
from scripts.lib import pixels
from scripts.lib.aws import Clients
from scripts.lib.executions.model import SUCCEEDED, Execution

THUMBNAIL_SIDE = 320
RENDITIONS = [
    {"name": "png", "format": "png"},
    {
        "name": "thumb",
        "format": "webp",
        "max_width": THUMBNAIL_SIDE,
        "max_height": THUMBNAIL_SIDE,
    },
]
_JPEG_START = b"\xff\xd8\xff"


class Output(NamedTuple):
    """An object in the destination bucket."""

    key: str
    content: bytes


@dataclass
class Image:
    """A file that was uploaded, and what is known of it.

    Attributes:
        key: its key in the source bucket.
        content: its bytes.
        version_id: the version that the upload made.
        execution: the execution that handled it, once there is one.
        outputs: its original, its PNG and, with `RENDITIONS`, its thumbnail, once fetched.
    """

    key: str
    content: bytes = field(repr=False)
    version_id: str
    execution: Execution | None = None
    outputs: list[Output] = field(default_factory=list, repr=False)

    @property
    def is_jpeg(self) -> bool:
        """Whether its bytes say so."""
        return self.content.startswith(_JPEG_START)

    @property
    def file_type(self) -> str | None:
        """The type that the pipeline identified."""
        return self.execution.result.get("fileType") if self.execution else None

    @property
    def locations(self) -> list[Mapping[str, Any]]:
        """Where the outputs are, by the execution's own words; empty if it made none."""
        result = self.execution.result if self.execution else {}
        if not result.get("images"):
            return []
        png = locations.resized_of(result)
        return [locations.original_of(result), png, *png.get("renditions", ())]


def fetch(clients: Clients, bucket: str, images: Iterable[Image]) -> None:
    """Read what was made of each image from the destination bucket."""
    for image in images:
        image.outputs = [
            Output(key, clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
            for key in (location["key"] for location in image.locations)
        ]


def outcome_faults(images: Iterable[Image]) -> Iterator[str]:
    """Yield a sentence for each image that was not handled as it should have been."""
    for image in images:
        execution = image.execution
        if execution is None:
            yield f"{image.key}: no execution was started"
        elif execution.status != SUCCEEDED:
            yield f"{image.key}: its execution {execution.status.lower()}: {execution.sentence}"
        elif image.is_jpeg and not image.locations:
            yield f"{image.key} is a JPEG, but was identified as {image.file_type} and deleted"
        elif image.locations and not image.is_jpeg:
            yield f"{image.key} is not a JPEG, but was converted"


def original_faults(converted: Iterable[Image]) -> Iterator[str]:
    """Yield a sentence for each original that did not arrive whole."""
    for image in converted:
        original = image.outputs[0]
        if original.content != image.content:
            yield f"{original.key} in the destination bucket is not the file that was uploaded"


def pixel_faults(converted: Iterable[Image]) -> Iterator[str]:
    """Yield a sentence for each PNG whose pixels differ from its JPEG's, decoded again here."""
    for image in converted:
        png = image.outputs[1]
        if fault := pixels.difference(image.content, png.content):
            yield f"{png.key} {fault}"


def thumbnail_faults(converted: Iterable[Image]) -> Iterator[str]:
    """Yield a sentence for each thumbnail that is not one of its PNG."""
    for image in converted:
        for key, content in image.outputs[2:]:
            thumbnail = Pillow.open(io.BytesIO(content))
            expected = Pillow.open(io.BytesIO(image.outputs[1].content))
            scale = min(1, THUMBNAIL_SIDE / max(expected.size))
            size = tuple(max(1, round(side * scale)) for side in expected.size)
            if (thumbnail.format, thumbnail.size) != ("WEBP", size):
                yield (
                    f"{key} is {thumbnail.format} of {thumbnail.size} pixels, not WEBP of {size}"
                )


def source_faults(clients: Clients, bucket: str) -> Iterator[str]:
    """Yield a sentence for each object that is left in the source bucket."""
    for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            yield f"{item['Key']} is still in the source bucket"
