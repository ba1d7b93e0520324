"""ResizeImage: make the renditions of a JPEG, by default a PNG of its size (the article's name)."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from image_converter import (
    clients,
    destination,
    events,
    layer,
    locations,
    log,
    outcomes,
    renditions,
    settings,
    sources,
    tracing,
)
from image_converter.conversion import Limits, convert_all
from image_converter.destination import Condition, Metadata, Place, Slot, Written
from image_converter.errors import ImageTooLarge
from image_converter.events import Event
from image_converter.locations import Location
from image_converter.renditions import Rendition
from image_converter.settings import ResizeSettings
from image_converter.sources import Source

if TYPE_CHECKING:
    from botocore.response import StreamingBody

_SIZES = ("width", "height", "bytes")

clients.warm_up(clients.s3)


class _Output(NamedTuple):
    """A rendition and its place in the destination bucket.

    Attributes:
        key: the key that it should have, without the prefix.
        slot: where it may go: with the object that is there, if S3 was asked.
        written: the object, if an earlier attempt is known to have made it with the same settings.
    """

    rendition: Rendition
    key: str
    slot: Slot
    written: Written | None


@outcomes.log_outcome
def handler(event: Event, context: object) -> Location:
    """Make all renditions of the record's JPEG, and return where they are.

    A repeated attempt makes the default PNG again and finds it there; of other renditions it makes
    only those that are missing or have other settings.

    Args:
        event: an S3 event record.
        context: Lambda's context; not used.

    Returns:
        the location of the first rendition, with `renditions` if there are further ones.

    Raises:
        DamagedImage, ImageTooLarge, UnsupportedImage: the image can never be converted.
        InvalidRecord, SourceArchived, SourceNotFound, SourceChanged, KeyTooLong: see
            `image_converter.errors`.
    """
    layer.check()
    config = settings.load(ResizeSettings)
    wanted = renditions.parse(config.renditions, config.png_compression)
    made_with = renditions.settings_hash(wanted)
    record = events.parse_record(event)
    place = Place(config.destination_bucket, config.destination_prefix)
    keys = [rendition.key_for(record.key) for rendition in wanted]
    source, body = sources.open_body(record)
    with body:
        destination.refuse_unknown_origin(place, source)
        outputs = _outputs(
            place,
            list(zip(wanted, keys, strict=True)),
            source,
            is_default=made_with == renditions.DEFAULT_SETTINGS,
        )
        missing = [output for output in outputs if output.written is None]
        made = iter(_convert(config, place, missing, source, body) if missing else ())
    written = [output.written or next(made) for output in outputs]
    first, made_first = written[0], _sizes(written[0])
    log.info(
        "converted",
        key=record.key,
        pngKey=first.key,
        repeated=all(output.repeated for output in written),
        secondsSinceUpload=events.seconds_since_upload(record),
        **made_first,
        **({"renditions": [output.key for output in written[1:]]} if written[1:] else {}),
    )
    tracing.annotate(megapixels=made_first["width"] * made_first["height"] / 1e6)
    location, *further = (
        _location(config.destination_bucket, output.rendition, stored, source)
        for output, stored in zip(outputs, written, strict=True)
    )
    if further:
        location["renditions"] = [
            {**rendition, "name": output.rendition.name, "format": output.rendition.format}
            for output, rendition in zip(outputs[1:], further, strict=True)
        ]
    if made_with != renditions.DEFAULT_SETTINGS:
        location["settings"] = made_with
    return locations.shortened_resized(location, record)


def _outputs(
    place: Place, wanted: Sequence[tuple[Rendition, str]], source: Source, *, is_default: bool
) -> list[_Output]:
    """Return the wanted renditions, with what an earlier attempt has made of them.

    S3 refuses to write over what is there, so to ask S3 first only saves the conversion, and costs
    a request for each image. The default PNG is hardly ever made twice, so S3 is not asked for it.
    The settings of renditions change, so S3 is asked for the first of them, and for the others only
    if the first is there.
    """
    (first, key), *further = wanted
    is_reprocess = source.record.copy is not None
    place_first = _assume_missing if is_default and not is_reprocess else _find
    outputs = [place_first(place, first, key, source)]
    is_repeated = is_reprocess or outputs[0].written is not None
    place_further = _find if is_repeated else _assume_missing
    outputs.extend(place_further(place, rendition, key, source) for rendition, key in further)
    return outputs


def _assume_missing(place: Place, rendition: Rendition, key: str, source: Source) -> _Output:
    return _Output(rendition, key, destination.free_slot(place, key, source), None)


def _find(place: Place, rendition: Rendition, key: str, source: Source) -> _Output:
    slot = destination.find_slot(place, key, source)
    written = destination.already_written(place, slot, source, rendition.settings_metadata)
    return _Output(rendition, key, slot, written)


def _sizes(written: Written) -> dict[str, int]:
    return {name: int(written.metadata[f"image-{name}"]) for name in _SIZES}


def _location(bucket: str, rendition: Rendition, written: Written, source: Source) -> Location:
    sizes = _sizes(written)
    return destination.location(
        bucket,
        written,
        source,
        contentType=rendition.content_type,
        size=sizes["bytes"],
        width=sizes["width"],
        height=sizes["height"],
    )


def _convert(
    config: ResizeSettings,
    place: Place,
    outputs: Sequence[_Output],
    source: Source,
    body: "StreamingBody",
) -> list[Written]:
    """Convert the JPEG once and, only if all of it is sound, write what was made."""
    if source.size > config.max_image_bytes:
        where = f"s3://{source.record.bucket}/{source.record.key}"
        raise ImageTooLarge(
            f"{where!r} has {source.size:,} bytes and this function's memory allows "
            f"{config.max_image_bytes:,}: give resize_image more memory"
        )
    limits = Limits(max_bytes=config.max_image_bytes, max_pixels=config.max_image_pixels)
    files = [io.BytesIO() for _ in outputs]
    targets = [(output.rendition, file) for output, file in zip(outputs, files, strict=True)]
    made = convert_all(body.read(), targets, limits)
    if made.skipped_bytes or made.trailing_bytes:
        log.info(
            "bytes outside the image skipped",
            key=source.record.key,
            skippedBytes=made.skipped_bytes,
            trailingBytes=made.trailing_bytes,
        )
    written = []
    for output, file, (width, height, size) in zip(outputs, files, made.encoded, strict=True):
        metadata = {
            **output.rendition.settings_metadata,
            "image-width": str(width),
            "image-height": str(height),
            "image-bytes": str(size),
        }
        written.append(_write(place, output, file, source, metadata))
    return written


def _write(
    place: Place, output: _Output, file: io.BytesIO, source: Source, metadata: Metadata
) -> Written:
    headers: dict[str, Any] = {"ContentType": output.rendition.content_type}
    if output.rendition.cache_control:
        headers["CacheControl"] = output.rendition.cache_control

    def put(key: str, metadata: Metadata, condition: Condition) -> Any:
        file.seek(0)
        return clients.s3().put_object(
            Bucket=place.bucket, Key=key, Body=file, Metadata=metadata, **headers, **condition
        )

    settings_metadata = output.rendition.settings_metadata
    return destination.write(
        place, output.key, source, metadata, put, output.slot, settings_metadata
    )
