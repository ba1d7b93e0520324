"""All renditions of an image: its rows are read once, for a PNG of all of it and for the rest."""

from collections.abc import Sequence
from typing import BinaryIO

from image_converter.conversion import encoders, limits, reduction
from image_converter.conversion.model import Encoded, Limits
from image_converter.conversion.png_encoder import PngMetadata, write_png, write_smallest
from image_converter.conversion.reduction import Plan, Reduction
from image_converter.conversion.rows import Rows
from image_converter.errors import ImageTooLarge
from image_converter.renditions import Rendition

Target = tuple[Rendition, BinaryIO]


def refuse_too_large(
    renditions: Sequence[Rendition], size: tuple[int, int], allowed: Limits
) -> None:
    """Refuses what takes more memory than there is, or has more pixels a side than its format.

    Args:
        renditions: what is to be made.
        size: width and height of the upright image.
        allowed: the limits of an image of which one PNG is made; they stand for the memory.

    Raises:
        ImageTooLarge: as above.
    """
    plans = [reduction.plan(rendition, *size) for rendition in renditions]
    for rendition, plan in zip(renditions, plans, strict=True):
        most = encoders.MAX_SIDES.get(rendition.format, max(plan.size))
        if max(plan.size) > most:
            raise ImageTooLarge(
                f"Rendition '{rendition.name}' would have {plan.size[0]:,} x {plan.size[1]:,}"
                f" pixels; {most:,} a side is the most that {rendition.format} can have."
            )
    streamed = _streamed(renditions, plans, size)
    reduced = [number for number in range(len(plans)) if number != streamed]
    needed = limits.bytes_for_renditions(
        size[0] * size[1],
        reduction.factor([plans[number] for number in reduced]) if reduced else 1,
        [
            (renditions[number].format, plans[number].size[0] * plans[number].size[1])
            for number in reduced
        ],
    )
    if needed > limits.bytes_for_pixels(allowed):
        raise ImageTooLarge(
            f"The JPEG has {size[0]:,} x {size[1]:,} pixels, and its renditions would take"
            f" {needed:,} bytes of memory; {limits.bytes_for_pixels(allowed):,} is the limit here."
        )


def write(
    rows: Rows, targets: Sequence[Target], metadata: PngMetadata, copyright_exif: bytes
) -> tuple[Encoded, ...]:
    """Writes all renditions.

    Args:
        rows: the image; read once.
        targets: what to make, and where each goes.
        metadata: what a PNG of the whole image says; the others get its colour profile.
        copyright_exif: EXIF data for renditions that keep the copyright.

    Returns:
        what was written, in the order of the targets.

    Raises:
        DamagedImage: the image cannot be decoded as a whole.
    """
    renditions = [rendition for rendition, _ in targets]
    size = (rows.width, rows.height)
    plans = [reduction.plan(rendition, *size) for rendition in renditions]
    streamed = _streamed(renditions, plans, size)
    exifs = [copyright_exif if each.metadata == "copyright" else b"" for each in renditions]
    starts = [file.tell() for _, file in targets]
    others = [number for number in range(len(targets)) if number != streamed]
    reduced = None
    if others:
        factor = reduction.factor([plans[number] for number in others])
        rows = reduced = Reduction(rows, factor)
    if streamed is not None:
        rendition, file = targets[streamed]
        writer = write_smallest if rendition.compression == "smallest" else write_png
        writer(rows, file, metadata._replace(exif=exifs[streamed]))
    elif reduced:
        reduced.read_all()
    for number in others:
        assert reduced is not None  # noqa: S101 - there are others
        image = reduced.resized(plans[number])
        encoders.encode(
            image, targets[number][0], metadata.icc_profile, exifs[number], targets[number][1]
        )
    return tuple(
        Encoded(*plan.size, file.tell() - start)
        for plan, (_, file), start in zip(plans, targets, starts, strict=True)
    )


def _streamed(
    renditions: Sequence[Rendition], plans: Sequence[Plan], size: tuple[int, int]
) -> int | None:
    """Returns which rendition is written row by row: the first PNG of the whole image."""
    whole = Plan((0, 0, *size), size)
    for number, (rendition, plan) in enumerate(zip(renditions, plans, strict=True)):
        if rendition.format == "png" and plan == whole:
            return number
    return None
