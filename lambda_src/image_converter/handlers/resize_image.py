"""ResizeImage: convert the JPEG to a PNG (the name is the article's; the size stays)."""

import io
from typing import TYPE_CHECKING, Any

from image_converter import (
    clients,
    destination,
    events,
    keys,
    layer,
    log,
    outcomes,
    settings,
    sources,
    tracing,
)
from image_converter.conversion import Limits, convert
from image_converter.destination import Condition, Metadata, Place, Slot, Written
from image_converter.errors import ImageTooLarge
from image_converter.events import Event, Location
from image_converter.settings import ResizeSettings
from image_converter.sources import Source

if TYPE_CHECKING:
    from botocore.response import StreamingBody

CONTENT_TYPE = "image/png"

clients.warm_up(clients.s3)


@outcomes.log_outcome
def handler(event: Event, context: object) -> Location:
    """Convert the record's JPEG and return where the PNG is.

    Args:
        event: an S3 event record.
        context: Lambda's context; not used.

    Raises:
        DamagedImage, ImageTooLarge, UnsupportedImage: this image can never be converted.
        InvalidRecord, SourceNotFound, SourceChanged, KeyTooLong: see `image_converter.errors`.
    """
    layer.check()
    config = settings.load(ResizeSettings)
    record = events.parse_record(event)
    place = Place(config.destination_bucket, config.destination_prefix)
    png_key = keys.png_key(record.key)
    source, body = sources.open_body(record)
    settings_metadata: Metadata = {"png-compression": config.png_compression}
    with body:
        # One request answers both: whether there is anything to convert, and where the PNG may go.
        slot = destination.find_slot(place, png_key, source)
        written = destination.already_written(place, slot, source, settings_metadata) or _convert(
            config, place, png_key, source, body, settings_metadata, slot
        )
    made = {name: int(written.metadata[f"image-{name}"]) for name in ("width", "height", "bytes")}
    log.info(
        "converted",
        key=record.key,
        pngKey=written.key,
        repeated=written.repeated,
        secondsSinceUpload=events.seconds_since_upload(record),
        **made,
    )
    tracing.annotate(megapixels=made["width"] * made["height"] / 1e6)
    return destination.location(
        config.destination_bucket,
        written,
        source,
        contentType=CONTENT_TYPE,
        size=made["bytes"],
        width=made["width"],
        height=made["height"],
    )


def _convert(
    config: ResizeSettings,
    place: Place,
    png_key: str,
    source: Source,
    body: "StreamingBody",
    settings_metadata: Metadata,
    slot: Slot,
) -> Written:
    if source.size > config.max_image_bytes:
        where = f"s3://{source.record.bucket}/{source.record.key}"
        raise ImageTooLarge(
            f"{where!r} has {source.size:,} bytes and this function's memory allows "
            f"{config.max_image_bytes:,}: give resize_image more memory"
        )
    limits = Limits(max_bytes=config.max_image_bytes, max_pixels=config.max_image_pixels)
    png = io.BytesIO()
    made = convert(body.read(), png, limits, config.png_compression)
    if made.skipped_bytes or made.trailing_bytes:
        log.info(
            "bytes outside the image skipped",
            key=source.record.key,
            skippedBytes=made.skipped_bytes,
            trailingBytes=made.trailing_bytes,
        )
    metadata = {
        **settings_metadata,
        "image-width": str(made.width),
        "image-height": str(made.height),
        "image-bytes": str(png.tell()),
    }

    def put(key: str, metadata: Metadata, condition: Condition) -> Any:
        png.seek(0)
        return clients.s3().put_object(
            Bucket=place.bucket,
            Key=key,
            Body=png,
            ContentType=CONTENT_TYPE,
            Metadata=metadata,
            **condition,
        )

    return destination.write(place, png_key, source, metadata, put, slot)
