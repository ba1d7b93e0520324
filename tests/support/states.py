"""The state of an execution as its later functions get it."""

from typing import Any

from image_converter.handlers import copy_file, resize_image
from tests.support.fake_cloud import Record


def converted(record: Record) -> dict[str, Any]:
    """Return the state after ProcessFile: the record is really copied and converted."""
    original, resized = copy_file.handler(record, None), resize_image.handler(record, None)
    images = [{"original": original}, {"resized": resized}]
    return {**record, "results": {"fileType": "jpg", "images": images}}


def unconverted(record: Record, file_type: str | None = "txt") -> dict[str, Any]:
    """Return the state of a file that is not a JPEG."""
    return {**record, "results": {"fileType": file_type}}
