"""The conversion: checks the limits, chooses a decoder and encodes the PNG."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, NamedTuple

from PIL import Image

from image_converter.conversion import allocator, jpeg_metadata, libtiff_decoder, png_encoder
from image_converter.conversion.complaints import Complaints
from image_converter.conversion.jpeg_metadata import Colours, Density
from image_converter.conversion.jpeg_parser import Header, read_header
from image_converter.conversion.jpeg_scans import Scans, check_scans
from image_converter.conversion.model import (
    Compression,
    Conversion,
    Conversions,
    Encoded,
    Icc,
    Limits,
)
from image_converter.conversion.png_encoder import PngMetadata
from image_converter.conversion.rows import TRANSPOSED_ORIENTATIONS, ImageRows, Rows, to_image
from image_converter.errors import ImageTooLarge, UnsupportedImage
from image_converter.renditions import Rendition

_SOURCE_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_JPEG_START = b"\xff\xd8\xff"

allocator.keep_freed_memory()


class _CheckedJpeg(NamedTuple):
    """A JPEG that passed every check short of decoding it."""

    header: Header
    scans: Scans
    complaints: Complaints
    colours: Colours
    orientation: int
    density: Density | None
    icc_profile: bytes
    exif: Image.Exif

    @property
    def size(self) -> tuple[int, int]:
        """Width and height with the orientation applied."""
        width, height = self.header.width, self.header.height
        return (height, width) if self.orientation in TRANSPOSED_ORIENTATIONS else (width, height)


def convert(
    jpeg: bytes,
    png: BinaryIO,
    limits: Limits,
    compression: Compression = "fast",
    *,
    parallel: bool = False,
) -> Conversion:
    """Writes the pixels of a JPEG, upright and in gray or RGB, as a PNG.

    The limits are checked before anything is decoded. Damage within the data only shows during
    decoding: what was written to `png` until then is not a PNG and has to be thrown away.

    Args:
        jpeg: the file. Of several images in it (MPO, motion photos) the first is converted.
        png: where the PNG goes, from its current position on.
        limits: what is refused.
        compression: "fast", or "smallest" for some 8 percent fewer bytes in twenty times the time.
        parallel: whether to use two processors, which takes a little more processor time in all.
            Lambda has a second processor above 1,769 MB of memory, whatever `os.cpu_count` says.

    Raises:
        DamagedImage: the JPEG is truncated or corrupt; never half an image.
        ImageTooLarge: it exceeds a limit.
        UnsupportedImage: not a JPEG, or a kind of JPEG that is not converted.
    """
    source = _check(jpeg, limits)
    start = png.tell()
    with _decode(source) as (rows, icc):
        metadata = PngMetadata(source.icc_profile if icc == "kept" else b"", source.density)
        png_encoder.write(rows, png, metadata, compression, parallel=parallel)
        return Conversion(
            width=rows.width,
            height=rows.height,
            mode=rows.mode,
            size=png.tell() - start,
            source_mode=_SOURCE_MODES[len(source.header.components)],
            progressive=source.header.progressive,
            orientation=source.orientation,
            icc=icc,
            trailing_bytes=len(jpeg) - source.scans.end,
            skipped_bytes=source.scans.skipped + source.complaints.skipped,
        )


def convert_all(
    jpeg: bytes, targets: Sequence[tuple[Rendition, BinaryIO]], limits: Limits
) -> Conversions:
    """Writes all renditions of a JPEG from one decoding.

    As in `convert`, damage may show late: what was written until then has to be thrown away.

    Args:
        jpeg: the file.
        targets: what to make, and where each goes, from its current position on.
        limits: what is refused.

    Raises:
        DamagedImage, ImageTooLarge, UnsupportedImage: as `convert`.
        InvalidSettings: this Pillow does not write a format.
    """
    if len(targets) == 1 and targets[0][0].is_article_png:
        rendition, file = targets[0]
        made = convert(jpeg, file, limits, rendition.compression)
        return Conversions(
            (Encoded(made.width, made.height, made.size),), made.trailing_bytes, made.skipped_bytes
        )
    source = _check(jpeg, limits)
    from image_converter.conversion import renditions  # noqa: PLC0415 - not for the PNG alone

    work = renditions.plan([rendition for rendition, _ in targets], source.size, source.orientation)
    renditions.refuse_too_large(work, limits)
    files = [file for _, file in targets]
    starts = [file.tell() for file in files]
    kept = jpeg_metadata.copyright_exif(source.exif)
    with _decode(source, work.shrink) as (rows, icc):
        metadata = PngMetadata(source.icc_profile if icc == "kept" else b"", source.density)
        reduced = renditions.read(rows, work, files, metadata, kept)
        skipped = source.scans.skipped + source.complaints.skipped
    del rows  # and with them, the decoder's memory, which the encoders need
    renditions.encode(reduced, work, files, metadata.icc_profile, kept)
    encoded = tuple(
        Encoded(*planned.size, file.tell() - start)
        for planned, file, start in zip(work.plans, files, starts, strict=True)
    )
    return Conversions(encoded, len(jpeg) - source.scans.end, skipped)


def _check(jpeg: bytes, limits: Limits) -> _CheckedJpeg:
    """Reads everything but the pixels, after checking the limits."""
    if len(jpeg) > limits.max_bytes:
        raise ImageTooLarge(f"The file is {len(jpeg):,} bytes; the limit is {limits.max_bytes:,}.")
    if not jpeg.startswith(_JPEG_START):
        raise UnsupportedImage("The file is not a JPEG: it does not start with FF D8 FF.")
    header = read_header(jpeg)
    if header.width * header.height > limits.max_pixels:
        raise ImageTooLarge(
            f"The JPEG has {header.width:,} x {header.height:,} pixels;"
            f" the limit is {limits.max_pixels:,}."
        )
    scans = check_scans(jpeg, header)
    exif = jpeg_metadata.read_exif(jpeg, header)
    orientation = jpeg_metadata.orientation(exif)
    density = jpeg_metadata.density(jpeg, header, exif)
    if density and orientation in TRANSPOSED_ORIENTATIONS:
        density = density.swapped()
    return _CheckedJpeg(
        header=header,
        scans=scans,
        complaints=Complaints(jpeg, scans),
        colours=jpeg_metadata.colours(jpeg, header),
        orientation=orientation,
        density=density,
        icc_profile=jpeg_metadata.icc_profile(jpeg, header),
        exif=exif,
    )


@contextmanager
def _decode(source: _CheckedJpeg, shrink: int = 1) -> Iterator[tuple[Rows, Icc]]:
    """Yields the image's upright rows and what becomes of its colour profile.

    `shrink` is that of `libjpeg_decoder`.
    """
    if source.orientation == 1 and source.colours not in ("cmyk", "ycck"):
        with _open(source, shrink) as rows:
            yield rows, _icc(source, rows.mode)
        return
    with _open(source, shrink) as rows:
        image = to_image(rows)
    if image.mode == "CMYK":
        from image_converter.conversion import cmyk  # noqa: PLC0415 - rare, and slow to import

        to_rgb, applied = cmyk.to_rgb(source.icc_profile)
        icc: Icc = "applied" if applied else "dropped"
        upright = ImageRows(image, source.orientation, to_rgb, "RGB")
        yield upright, icc if source.icc_profile else "none"
    else:
        yield ImageRows(image, source.orientation), _icc(source, image.mode)


def _open(source: _CheckedJpeg, shrink: int) -> AbstractContextManager[Rows]:
    """Opens the image with the decoder that supports it; both are strict."""
    header, scans, complaints, colours = source[:4]
    if shrink == 1 and libtiff_decoder.supports(header, scans, colours):
        return libtiff_decoder.JpegRows(header, scans, colours, complaints)
    from image_converter.conversion import libjpeg_decoder  # noqa: PLC0415 - rare, so not at the cold start

    return libjpeg_decoder.JpegRows(header, scans, colours, complaints, shrink)


def _icc(source: _CheckedJpeg, mode: str) -> Icc:
    if not source.icc_profile:
        return "none"
    return "kept" if jpeg_metadata.is_valid_profile(source.icc_profile, mode) else "dropped"
