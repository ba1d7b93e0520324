"""The conversion: what is refused, who decodes, who encodes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from image_converter.conversion import allocator, libtiff, metadata
from image_converter.conversion.libtiff import JpegRows
from image_converter.conversion.metadata import Colours, Density
from image_converter.conversion.model import Compression, Conversion, Icc, Limits
from image_converter.conversion.png import Facts, write_png, write_smallest
from image_converter.conversion.rows import ON_ITS_SIDE, ImageRows, Rows, to_image
from image_converter.conversion.structure import Header, Scans, check_scans, read_header
from image_converter.errors import ImageTooLarge, UnsupportedImage

_SOURCE_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
_JPEG_START = b"\xff\xd8\xff"

allocator.keep_freed_memory()


class _Source(NamedTuple):
    """A JPEG that passed every check short of decoding it."""

    jpeg: bytes
    scans: Scans
    header: Header
    colours: Colours
    orientation: int
    density: Density | None
    icc_profile: bytes


def convert(
    jpeg: bytes,
    png: BinaryIO,
    limits: Limits,
    compression: Compression = "fast",
    *,
    parallel: bool = False,
) -> Conversion:
    """Writes the pixels of a JPEG, upright and in gray or RGB, as a PNG.

    Nothing is decoded before the limits hold. Damage within the data shows only as it is decoded:
    what was written to `png` until then is no PNG and has to be thrown away.

    Args:
        jpeg: the file. Of several images in it (MPO, motion photos) the first is converted.
        png: where the PNG goes, from its current position on.
        limits: what is refused.
        compression: "fast", or "smallest" for some 8 percent fewer bytes in twenty times the time.
        parallel: whether to use two processors, which takes a little more of their time in all.
            Lambda has a second one above 1,769 MB of memory, whatever `os.cpu_count` says.

    Raises:
        DamagedImage: the JPEG is truncated or corrupt; never half an image.
        ImageTooLarge: it passes one of the limits.
        UnsupportedImage: no JPEG, or one of a kind that is not converted.
    """
    source = _check(jpeg, limits)
    start = png.tell()
    with _decoded(source) as (rows, icc):
        profile = source.icc_profile if icc == "kept" else b""
        facts = Facts(profile, source.density)
        if compression == "smallest":
            write_smallest(rows, png, facts)
        else:
            write_png(rows, png, facts, parallel=parallel)
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
        )


def _check(jpeg: bytes, limits: Limits) -> _Source:
    """Reads everything but the pixels, the limits before all that takes time or memory."""
    if len(jpeg) > limits.max_bytes:
        raise ImageTooLarge(
            f"The file has {len(jpeg):,} bytes; {limits.max_bytes:,} is the limit here."
        )
    if not jpeg.startswith(_JPEG_START):
        raise UnsupportedImage("The file is no JPEG: it does not start with FF D8 FF.")
    header = read_header(jpeg)
    if header.width * header.height > limits.max_pixels:
        raise ImageTooLarge(
            f"The JPEG has {header.width:,} x {header.height:,} pixels;"
            f" {limits.max_pixels:,} is the limit here."
        )
    scans = check_scans(jpeg, header)
    exif = metadata.read_exif(jpeg, header)
    orientation = metadata.orientation(exif)
    density = metadata.density(jpeg, header, exif)
    if density and orientation in ON_ITS_SIDE:
        density = (density[1], density[0], density[2])
    return _Source(
        jpeg=jpeg,
        scans=scans,
        header=header,
        colours=metadata.colours(jpeg, header),
        orientation=orientation,
        density=density,
        icc_profile=metadata.icc_profile(jpeg, header),
    )


@contextmanager
def _decoded(source: _Source) -> Iterator[tuple[Rows, Icc]]:
    """Opens the image for reading upright rows, and says what becomes of its colour profile."""
    if source.colours in ("cmyk", "ycck"):
        yield _from_cmyk(source)
        return
    strict = libtiff.reads(source.header, source.colours)
    if strict and source.orientation == 1:
        with _strictly(source) as rows:
            yield rows, _icc(source, rows.mode)
        return
    if strict:
        with _strictly(source) as rows:
            image = to_image(rows)
    else:
        from image_converter.conversion import pillow  # noqa: PLC0415 - rare, and slow to import

        image = pillow.decode_strictly(source.jpeg, source.scans)
    yield ImageRows(image, source.orientation), _icc(source, image.mode)


def _strictly(source: _Source) -> JpegRows:
    return JpegRows(source.jpeg, source.scans.end, source.header, source.colours)


def _from_cmyk(source: _Source) -> tuple[Rows, Icc]:
    """Decodes with Pillow, as libtiff does not convert CMYK; it only has a strict look at it."""
    from image_converter.conversion import colour, pillow  # noqa: PLC0415 - rare, slow to import

    if libtiff.reads(source.header, source.colours):
        with _strictly(source) as rows:
            rows.skim()
        image = pillow.decode(source.jpeg, source.scans)
    else:
        image = pillow.decode_strictly(source.jpeg, source.scans)
    convert_strip, applied = colour.from_cmyk(source.icc_profile)
    rgb = ImageRows(image, source.orientation, convert_strip, "RGB")
    if not source.icc_profile:
        return rgb, "none"
    return rgb, "applied" if applied else "dropped"


def _icc(source: _Source, mode: str) -> Icc:
    if not source.icc_profile:
        return "none"
    return "kept" if metadata.usable(source.icc_profile, mode) else "dropped"
