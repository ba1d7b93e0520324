"""Where the images are, as an execution's state says it: shortened to be logged, full to be used.

Step Functions logs the state in many events of each execution, and each byte of it is paid for. So
a location in the state leaves out what a reader knows without it: the source version that the
execution's input names, the usual content type and, in `resized`, the time that `original` has.
`shortened_original` and `shortened_resized` leave it out, `converted_images` fills it in again.
"""

from collections.abc import Mapping
from typing import Any, TypedDict, cast

from image_converter import events
from image_converter.errors import InvalidRecord
from image_converter.events import Event, Record

JPEG_TYPE, PNG_TYPE = "image/jpeg", "image/png"

# What a location says of the version that the image was made from.
SOURCE_FIELDS = ("sourceVersionId", "sourceETag", "sourceLastModified")


class Location(TypedDict, total=False):
    """An object in the destination bucket, as the state and the table's record carry it.

    `resized` has `renditions` where there are further ones, each with its `name` and `format`, and
    `settings` where they are not the default: what `renditions.settings_hash` returns for them.
    """

    region: str
    bucket: str
    key: str
    versionId: str
    eTag: str
    size: int
    contentType: str
    width: int
    height: int
    name: str
    format: str
    renditions: "list[Location]"
    settings: str
    sourceVersionId: str
    sourceETag: str
    sourceLastModified: str


def original_of(results: Mapping[str, Any]) -> Location:
    """Return where the original is, as a record of the table or an execution's output has it."""
    location: Location = results["images"][0]["original"]
    return location


def resized_of(results: Mapping[str, Any]) -> Location:
    """Return where the first rendition is, by default a PNG, as `original_of` does the original."""
    location: Location = results["images"][1]["resized"]
    return location


def source_fields(image: Location) -> dict[str, object]:
    """Return what a location says of its source version, as `Source.state_fields` does."""
    return {name: image.get(name) for name in SOURCE_FIELDS}


def shortened_original(original: Location, record: Record) -> Location:
    """Return the original's location for the state of an execution whose input is the record."""
    return _without(original, _implied_of_original(record))


def shortened_resized(resized: Location, record: Record) -> Location:
    """Return the first rendition's location for the state of an execution with that record.

    Further renditions keep their content type, whichever it is.
    """
    implied = _implied_of_resized(record, resized)
    shortened = _without(resized, implied)
    if "renditions" in shortened:
        implied.pop("contentType")
        shortened["renditions"] = [
            _without(rendition, implied) for rendition in shortened["renditions"]
        ]
    return shortened


def converted_images(event: Event) -> tuple[Location, Location] | None:
    """Return the full locations of the original and the PNG in an execution's state, if it has any.

    Raises:
        InvalidRecord: `results.images` lacks a location, or the state does not say of which source
            version one is.
    """
    results = event.get("results") or {}
    if results.get("images") is None:
        return None
    try:
        record = events.parse_record(event)
        original = _with(original_of(results), _implied_of_original(record))
        resized = _with(resized_of(results), _implied_of_resized(record, original))
        absent = set(SOURCE_FIELDS) - (original.keys() & resized.keys())
    except (LookupError, TypeError, AttributeError) as error:
        raise InvalidRecord(
            f"results.images must be [{{'original': ...}}, {{'resized': ...}}]: {error}"
        ) from error
    if absent:
        raise InvalidRecord(
            f"both images in results.images must have {', '.join(sorted(absent))}: they say which "
            "version was handled"
        )
    return original, resized


def required_images(event: Event) -> tuple[Location, Location]:
    """Return the full locations of the original and the PNG in an execution's state.

    Raises:
        InvalidRecord: as `converted_images`; or the state has no `results.images`.
    """
    images = converted_images(event)
    if images is None:
        key = events.parse_record(event).key
        raise InvalidRecord(f"the state of {key!r} has no results.images to write down")
    return images


def _implied_of_original(record: Record) -> dict[str, str]:
    """Return the fields that the original's location in the state leaves out.

    What is read is exactly what the record names, so what it names of the version needs no
    repetition.
    """
    version_id = events.real_version_id(record.version_id)
    implied = {"sourceVersionId": version_id, "sourceETag": record.etag, "contentType": JPEG_TYPE}
    return {name: value for name, value in implied.items() if value}


def _implied_of_resized(record: Record, image: Location) -> dict[str, str]:
    """Return the fields that the first rendition's location in the state leaves out.

    When a version was created follows from its id, so where the record names the id, the original's
    location says it for both. `image` is either of the two.
    """
    implied = {**_implied_of_original(record), "contentType": PNG_TYPE}
    if "sourceVersionId" in implied and "sourceLastModified" in image:
        implied["sourceLastModified"] = image["sourceLastModified"]
    return implied


def _without(image: Location, implied: Mapping[str, str]) -> Location:
    kept = {name: value for name, value in image.items() if implied.get(name) != value}
    return cast(Location, kept)


def _with(image: Location, implied: Mapping[str, str]) -> Location:
    full = cast(Location, {**implied, **image})
    if "renditions" in full:
        full["renditions"] = [_with(rendition, implied) for rendition in full["renditions"]]
    return full
