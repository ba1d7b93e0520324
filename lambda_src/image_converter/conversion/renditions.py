"""All renditions of an image: its rows are read once, for its whole PNG and for smaller ones."""

from collections.abc import Sequence
from typing import BinaryIO, NamedTuple

from image_converter.conversion import encoders, limits, png_encoder, reduction
from image_converter.conversion.model import Limits
from image_converter.conversion.png_encoder import PngMetadata
from image_converter.conversion.reduction import Plan, Reduced, Reduction
from image_converter.conversion.rows import FROM_THE_BOTTOM, FROM_THE_RIGHT, Rows
from image_converter.errors import ImageTooLarge
from image_converter.renditions import Rendition

# With fewer pixels, the process that decodes in a fraction of the size costs more than it saves.
_WORTH_SHRINKING = 1_000_000


class Work(NamedTuple):
    """How the renditions of an image are made.

    Attributes:
        renditions: what is to be made.
        size: width and height of the upright image.
        plans: the part and the size of each rendition.
        whole: the index of the first PNG of the whole image, which is written row by row, if any.
        from_reduced: the indices of all other renditions, which are made from a reduced image.
        shrink: 1, 2, 4 or 8: the fraction of its size in which the image is decoded.
        factor: by which the rows that come from the decoder are reduced for them.
        origin: where the image begins in its rows, in pixels of its own; see `Reduction`.
    """

    renditions: tuple[Rendition, ...]
    size: tuple[int, int]
    plans: tuple[Plan, ...]
    whole: int | None
    from_reduced: tuple[int, ...]
    shrink: int
    factor: int
    origin: tuple[int, int]


def plan(renditions: Sequence[Rendition], size: tuple[int, int], orientation: int = 1) -> Work:
    """Returns how to make the renditions of an image.

    Args:
        renditions: what is to be made.
        size: its width and height, upright.
        orientation: the EXIF orientation by which it is turned.
    """
    plans = tuple(reduction.plan(rendition, *size) for rendition in renditions)
    uncut = Plan((0, 0, *size), size)
    whole = next(
        (
            number
            for number, (rendition, planned) in enumerate(zip(renditions, plans, strict=True))
            if rendition.format == "png" and planned == uncut
        ),
        None,
    )
    from_reduced = tuple(number for number in range(len(plans)) if number != whole)
    factor = reduction.factor([plans[number] for number in from_reduced]) if from_reduced else 1
    shrink = 1
    if whole is None and size[0] * size[1] >= _WORTH_SHRINKING:
        shrink = max(fraction for fraction in (1, 2, 4, 8) if fraction <= factor)
    origin = (
        -size[0] % shrink if orientation in FROM_THE_RIGHT else 0,
        -size[1] % shrink if orientation in FROM_THE_BOTTOM else 0,
    )
    return Work(
        tuple(renditions), size, plans, whole, from_reduced, shrink, factor // shrink, origin
    )


def refuse_too_large(work: Work, allowed: Limits) -> None:
    """Refuses what takes more memory than there is, or has more pixels a side than its format.

    Args:
        work: what is to be made.
        allowed: the limits for a JPEG of which only a PNG is made; the memory follows from them.

    Raises:
        ImageTooLarge: as above.
    """
    width, height = work.size
    for rendition, planned in zip(work.renditions, work.plans, strict=True):
        longest = max(planned.size)
        allowed_side = encoders.MAX_SIDES.get(rendition.format, longest)
        if longest > allowed_side:
            raise ImageTooLarge(
                f"Rendition '{rendition.name}' would have"
                f" {planned.size[0]:,} x {planned.size[1]:,} pixels;"
                f" {allowed_side:,} a side is the most that {rendition.format} can have."
            )
    outputs = [
        (work.renditions[number].format, work.plans[number].size[0] * work.plans[number].size[1])
        for number in work.from_reduced
    ]
    needed = limits.bytes_for_renditions(
        width * height, work.factor * work.shrink, outputs, with_png=work.whole is not None
    )
    if needed > limits.bytes_for_pixels(allowed):
        raise ImageTooLarge(
            f"The JPEG has {width:,} x {height:,} pixels, and its renditions would take"
            f" {needed:,} bytes of memory; the limit is {limits.bytes_for_pixels(allowed):,}."
        )


def read(
    rows: Rows, work: Work, files: Sequence[BinaryIO], metadata: PngMetadata, copyright_exif: bytes
) -> Reduced:
    """Reads an image once: writes the PNG of all of it, if there is to be one, and reduces it.

    Args:
        rows: the image, decoded in the fraction of its size that is planned.
        work: what to make.
        files: where each rendition goes.
        metadata: what a PNG of the whole image says.
        copyright_exif: EXIF data for renditions that keep the copyright.

    Returns:
        the image that `encode` makes the other renditions from.

    Raises:
        DamagedImage: the image cannot be decoded as a whole.
    """
    reducing = Reduction(rows, work.factor, work.shrink, work.origin)
    if work.whole is None:
        reducing.read_all()
    else:
        rendition = work.renditions[work.whole]
        kept = metadata._replace(exif=_kept(copyright_exif, rendition))
        all_rows = reducing if work.from_reduced else rows
        png_encoder.write(all_rows, files[work.whole], kept, rendition.compression)
    return reducing.finished()


def encode(
    reduced: Reduced,
    work: Work,
    files: Sequence[BinaryIO],
    icc_profile: bytes,
    copyright_exif: bytes,
) -> None:
    """Writes the renditions that `read` has not written; the arguments are as there."""
    for number in work.from_reduced:
        rendition = work.renditions[number]
        exif = _kept(copyright_exif, rendition)
        image = reduced.resized(work.plans[number])
        encoders.encode(image, rendition, icc_profile, exif, files[number])


def _kept(copyright_exif: bytes, rendition: Rendition) -> bytes:
    return copyright_exif if rendition.metadata == "copyright" else b""
