"""What became of each image, and whether that is what the pipeline promises."""

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from PIL import Image as Pillow

from scripts.lib import pixels
from scripts.lib.aws import Clients
from scripts.lib.executions import durations
from scripts.lib.executions.model import SUCCEEDED, Execution
from scripts.lib.executions.run import Run

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


@dataclass
class Image:
    """A file that was uploaded, and what is known of it.

    Attributes:
        key: its key in the source bucket.
        content: its bytes.
        version_id: the version that the upload made.
        execution: the execution that handled it, once there is one.
        size: width and height in pixels of its PNG.
        png_bytes: the size of its PNG in bytes.
    """

    key: str
    content: bytes = field(repr=False)
    version_id: str
    execution: Execution | None = None
    size: tuple[int, int] | None = None
    png_bytes: int | None = None

    @property
    def is_jpeg(self) -> bool:
        """Whether its bytes say so."""
        return self.content.startswith(_JPEG_START)

    @property
    def file_type(self) -> str | None:
        """The type that the pipeline has found."""
        return self.execution.result.get("fileType") if self.execution else None

    @property
    def original_key(self) -> str | None:
        """The key of the original in the destination bucket."""
        return self._image_key(0, "original")

    @property
    def png_key(self) -> str | None:
        """The key of the PNG in the destination bucket."""
        return self._image_key(1, "resized")

    @property
    def thumbnail_key(self) -> str | None:
        """The key of the thumbnail in the destination bucket."""
        images = self.execution.result.get("images") if self.execution else None
        key: str | None = images[1]["resized"]["renditions"][0]["key"] if images else None
        return key

    @property
    def seconds(self) -> dict[str, float]:
        """How long each state took."""
        runs = [Run(self.execution)] if self.execution else []
        return {time.state: time.ms / 1000 for time in durations.by_state(runs)}

    def _image_key(self, place: int, name: str) -> str | None:
        images = self.execution.result.get("images") if self.execution else None
        return images[place][name]["key"] if images else None


@dataclass(frozen=True)
class Fetched:
    """What the destination bucket holds of an image.

    Attributes:
        image: the image.
        original: the bytes of its original.
        png: the bytes of its PNG.
        thumbnail: the bytes of its WebP.
    """

    image: Image
    original: bytes = field(repr=False)
    png: bytes = field(repr=False)
    thumbnail: bytes = field(repr=False)


def fetch(clients: Clients, bucket: str, images: Iterable[Image]) -> list[Fetched]:
    """Return what was made of all converted images, and note the PNGs' sizes."""
    fetched = []
    for image in images:
        if image.original_key and image.png_key and image.thumbnail_key:
            original, png, thumbnail = (
                clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
                for key in (image.original_key, image.png_key, image.thumbnail_key)
            )
            image.png_bytes, image.size = len(png), Pillow.open(io.BytesIO(png)).size
            fetched.append(Fetched(image, original, png, thumbnail))
    return fetched


def outcome_faults(images: Iterable[Image]) -> Iterator[str]:
    """Yield a sentence for each image that was not handled as it should have been."""
    for image in images:
        execution = image.execution
        if execution is None:
            yield f"{image.key}: no execution was started"
        elif execution.status != SUCCEEDED:
            yield f"{image.key}: its execution {execution.status.lower()}: {execution.sentence}"
        elif image.is_jpeg and not image.png_key:
            yield f"{image.key} is a JPEG, but was identified as {image.file_type} and deleted"
        elif image.png_key and not image.is_jpeg:
            yield f"{image.key} is not a JPEG, but was converted"


def original_faults(fetched: Iterable[Fetched]) -> Iterator[str]:
    """Yield a sentence for each original that did not arrive whole."""
    for result in fetched:
        if _sha256(result.original) != _sha256(result.image.content):
            yield (
                f"{result.image.original_key} in the destination bucket is not the file that "
                "was uploaded"
            )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pixel_faults(fetched: Iterable[Fetched]) -> Iterator[str]:
    """Yield a sentence for each PNG whose pixels differ from its JPEG's, decoded again here."""
    for result in fetched:
        if fault := pixels.difference(result.image.content, result.png):
            yield f"{result.image.png_key} {fault}"


def thumbnail_faults(fetched: Iterable[Fetched]) -> Iterator[str]:
    """Yield a sentence for each thumbnail that is not one of its PNG."""
    for result in fetched:
        thumbnail = Pillow.open(io.BytesIO(result.thumbnail))
        expected = Pillow.open(io.BytesIO(result.png))
        scale = min(1, THUMBNAIL_SIDE / max(expected.size))
        size = tuple(max(1, round(side * scale)) for side in expected.size)
        if (thumbnail.format, thumbnail.size) != ("WEBP", size):
            yield (
                f"{result.image.thumbnail_key} is {thumbnail.format} of {thumbnail.size} pixels, "
                f"not WEBP of {size}"
            )


def source_faults(clients: Clients, bucket: str) -> Iterator[str]:
    """Yield a sentence for each object that is left in the source bucket."""
    for page in clients.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            yield f"{item['Key']} is still in the source bucket"
