"""The process that converts: one line of JSON on stdout for each file, in order."""

import io
import json
import logging
import re
import resource
import sys
import warnings
from random import Random

import numpy as np
from PIL import Image

from image_converter import renditions
from image_converter.conversion import Conversion, Limits, convert, convert_all, reduction
from image_converter.conversion import renditions as conversion_renditions
from image_converter.conversion.jpeg_parser import read_header
from image_converter.conversion.jpeg_scans import check_scans
from image_converter.errors import ConversionError, ImageTooLarge
from tests.durability.fuzz.mutations import mutate
from tests.support.jpeg import reference
from tests.support.jpeg.corpus import CASES, LIMITS

RENDITIONS = renditions.parse(
    json.dumps(
        [
            {"name": "png", "format": "png", "max_width": 33},
            {"name": "jpeg", "format": "jpeg", "max_width": 47, "metadata": "copyright"},
            {"name": "webp", "format": "webp", "max_width": 20, "max_height": 9, "fit": "cover"},
            {"name": "avif", "format": "avif", "max_width": 300, "max_height": 30},
        ]
    )
)
_ENOUGH = Limits(LIMITS.max_bytes, 100 * LIMITS.max_pixels)
_MEMORY = 3 * 1024**3
_METADATA_ONLY = "converted, the other decoder minds its metadata"
_OUTSIDE_ONLY = "converted, the other decoder minds bytes outside the image's data"
_OTHER_PIXELS = "WRONG: other pixels than the other decoder's"
# What the other decoder says about metadata does not concern the image.
_ICC = 0xE2
# JFIF's version, density and thumbnail, about which the other decoder complains, too.
_JFIF, _PLAIN_JFIF = re.compile(rb"(?<=JFIF\0).{9}", re.DOTALL), b"\1\1\0\0\1\0\1\0\0"
_METADATA = ("ICC", "Adobe", "JFIF")


def files() -> list[bytes]:
    """Return what the mutations start from: the corpus, with its good images more often."""
    corpus = [(case, case.make()) for case in CASES]
    good = [content for case, content in corpus if case.error is None]
    return [content for _, content in corpus] + good * 3


def mutated(corpus: list[bytes], seed: int, index: int) -> bytes:
    """Return the file with this number."""
    return mutate(corpus, Random(f"{seed}/{index}"))  # noqa: S311 - no secret


def judge(content: bytes) -> str:
    """Convert a file and compare with the second decoder.

    Returns:
        "converted", an error's name, or what is wrong, after "WRONG".
    """
    png = io.BytesIO()
    try:
        conversion = convert(content, png, LIMITS)
    except ImageTooLarge as error:
        return type(error).__name__
    except ConversionError as error:
        return _compare_renditions(content, type(error).__name__, None)
    except Exception as error:  # noqa: BLE001 - that there are none is what is tested
        return f"WRONG: {type(error).__name__}: {error}"
    outcome = _compare(content, png.getvalue(), conversion)
    return (
        outcome
        if outcome.startswith("WRONG")
        else _compare_renditions(content, outcome, conversion)
    )


def _compare_renditions(content: bytes, outcome: str, conversion: Conversion | None) -> str:
    """Make a rendition of each format, too: they must succeed or fail as the PNG did."""
    files = [io.BytesIO() for _ in RENDITIONS]
    try:
        convert_all(content, list(zip(RENDITIONS, files, strict=True)), _ENOUGH)
    except ConversionError as error:
        return outcome if type(error).__name__ == outcome else f"WRONG: renditions: {error}"
    except Exception as error:  # noqa: BLE001 - as above
        return f"WRONG: renditions: {type(error).__name__}: {error}"
    if conversion is None:
        return f"WRONG: {outcome} for the PNG, and renditions of it"
    for rendition, file in zip(RENDITIONS, files, strict=True):
        size = reduction.plan(rendition, conversion.width, conversion.height).size
        with Image.open(file) as written:
            written.load()
            if (written.format, written.size) != (rendition.format.upper(), size):
                return f"WRONG: {rendition.name} is {written.format} of {written.size}"
    return outcome


def _compare(content: bytes, png: bytes, conversion: Conversion) -> str:
    written = reference.decode_png(png)
    try:
        expected, outcome = reference.decode_jpeg(content, conversion.orientation), "converted"
    except ValueError as error:
        if any(word in str(error) for word in _METADATA):
            expected, outcome = _decode_repaired(content, conversion, strict=False), _METADATA_ONLY
        else:
            try:
                expected, outcome = _decode_repaired(content, conversion), _OUTSIDE_ONLY
            except ValueError:
                return f"WRONG: converted, but the other decoder says: {error}"
    if conversion.icc == "applied":
        same = written.shape[:2] == expected.shape[:2]
    elif conversion.source_mode == "CMYK":
        same = np.array_equal(written, reference.cmyk_to_rgb(expected))
    else:
        same = np.array_equal(written, expected)
    return outcome if same else _OTHER_PIXELS


def _decode_repaired(
    content: bytes, conversion: Conversion, *, strict: bool = True
) -> reference.Pixels:
    """Return the pixels of the image without its profile and the bytes outside its data.

    A filler of zeros within a scan stays, so that the decoder has to be lenient with it.

    Raises:
        ValueError: the other decoder does not take that either.
    """
    header = read_header(content)
    scans = check_scans(content, header)
    start, *pieces = scans.image
    # Which colours the components stand for is in the application segments.
    kept = (
        content[segment.start - 4 : segment.end]
        for segment in header.metadata
        if segment.marker != _ICC
    )
    metadata = (_JFIF.sub(_PLAIN_JFIF, segment) for segment in kept)
    repaired = b"".join([start, *metadata, *pieces])
    has_filler = conversion.skipped_bytes > scans.skipped
    return reference.decode_jpeg(repaired, conversion.orientation, strict=strict and not has_filler)


def main(seed: int, first: int, last: int) -> None:
    """Judge the files from one number to another."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    conversion_renditions._WORTH_SHRINKING = 0  # decode all in a fraction of their size
    logging.disable()
    warnings.simplefilter("ignore")
    corpus = files()
    for index in range(first, last):
        outcome = judge(mutated(corpus, seed, index))
        print(json.dumps([index, outcome]), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
