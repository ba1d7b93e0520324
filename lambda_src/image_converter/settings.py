"""The functions' environment as types: read once per invocation, refused with the variable's name.

A field's name in upper case is its environment variable. These types and the others that every
cold start makes are named tuples: a frozen dataclass takes seven times as long to define, and has
nothing more that is used here.
"""

import os
import typing
from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeVar

from image_converter.compression import Compression
from image_converter.errors import InvalidSettings

Disposal = Literal["delete", "keep"]  # what becomes of an object in the source bucket


class UploadSettings(NamedTuple):
    """Settings of `upload`; the renditions are those of `resize_image`, for their keys' length."""

    source_bucket: str
    max_upload_bytes: int
    max_form_bytes: int
    form_seconds: int
    renditions: str = ""


class TriggerSettings(NamedTuple):
    """Settings of `trigger`."""

    state_machine_arn: str


class BackfillSettings(NamedTuple):
    """Settings of `trigger` that only the messages of a backfill need.

    The renditions are those of `resize_image`, and decide whether an image is outdated.
    """

    table_name: str
    destination_bucket: str
    renditions: str = ""
    png_compression: Compression = "fast"


class DestinationSettings(NamedTuple):
    """Settings of `copy_file`; all keys in the destination bucket begin with the prefix."""

    destination_bucket: str
    destination_prefix: str = ""


class DeleteSettings(NamedTuple):
    """Settings of `delete_file`: `source_after` is for JPEGs, `other_types` for other files."""

    destination_bucket: str
    source_after: Disposal = "delete"
    other_types: Disposal = "delete"


class ResizeSettings(NamedTuple):
    """Settings of `resize_image`; Terraform derives the limits from the function's memory.

    `image_converter.renditions` reads what is to be made; without it, that is the article's PNG.
    """

    destination_bucket: str
    max_image_bytes: int
    max_image_pixels: int
    png_compression: Compression = "fast"
    destination_prefix: str = ""
    renditions: str = ""


class TableSettings(NamedTuple):
    """Settings of `write_to_dynamodb`; without a bus it sends no events."""

    table_name: str
    event_bus: str = ""
    event_source: str = ""


class EventSettings(NamedTuple):
    """Settings of `report_failure`."""

    event_bus: str
    event_source: str


S = TypeVar(
    "S",
    UploadSettings,
    TriggerSettings,
    BackfillSettings,
    DestinationSettings,
    DeleteSettings,
    ResizeSettings,
    TableSettings,
    EventSettings,
)


def load(settings: type[S], environment: Mapping[str, str] = os.environ) -> S:
    """Return the settings of that type from the environment.

    Raises:
        InvalidSettings: a variable is missing or empty, is not a positive whole number, or is not
            one of its choices.
    """
    kinds = typing.get_type_hints(settings)
    values: dict[str, object] = {}
    for name in settings._fields:
        variable = name.upper()
        text = environment.get(variable, "")
        if text:
            values[name] = _parse(variable, text, kinds[name])
        elif name not in settings._field_defaults:
            raise InvalidSettings(f"the environment variable {variable} is not set")
    return settings(**values)  # type: ignore[arg-type]


def region() -> str:
    """Return the region that the function runs in; Lambda always sets AWS_REGION."""
    return os.environ["AWS_REGION"]


def _parse(variable: str, text: str, kind: object) -> object:
    if kind is int:
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise InvalidSettings(f"{variable} must be a positive whole number, not '{text}'")
        return int(text)
    choices = typing.get_args(kind)
    if choices and text not in choices:
        raise InvalidSettings(f"{variable} must be one of {', '.join(choices)}, not '{text}'")
    return text
