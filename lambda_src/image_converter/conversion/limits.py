"""How much memory a conversion takes, and the limits that follow for a function's memory.

Measured as the increase of a process's peak, at 24 megapixels, on x86-64, in bytes per pixel, with
the child process that decodes CMYK and rarer samplings:

    baseline, upright                    0.6   rows are decoded and encoded as they come
    baseline, turned by EXIF             4.4   the image as it is stored, at four bytes a pixel
    progressive, upright                 3.6 to 6.6, by colour resolution: libjpeg's coefficients
    progressive, turned by EXIF          7 to 10.4
    CMYK                                 4.2
    CMYK, progressive                   12     the coefficients of four colours, and the image
    any, "smallest"                      8 more at most, but never over the line above

An image narrower or lower than a block takes as much as a whole block: up to 17 MB more. A PNG that
is kept in memory takes up to 3.4 bytes a pixel more, but not while the coefficients of the larger
figures are there, so that 12 bytes a pixel cover it, too.

All other renditions are made from one reduced image; they are resampled and encoded in turn, and
their files are kept until all are made. The encoders' peaks, for noise in the best quality, are in
`ENCODER_BYTES_PER_PIXEL`; a photograph takes 3 bytes a pixel for JPEG, 6 for WebP.

`tests/durability/conversion/test_memory.py` measures again.
"""

from collections.abc import Sequence

from image_converter.conversion.model import Limits
from image_converter.renditions import Format

BYTES_PER_PIXEL = 12
"""Peak of the worst kind of JPEG."""

COPIES = 3
"""How often the bytes of the JPEG are in memory at most: the caller's and the decoders' copies."""

OVERHEAD_BYTES = 192 * 1024**2
"""What Python, its libraries and the AWS SDK take before the first image."""

ENCODER_BYTES_PER_PIXEL: dict[Format, int] = {"png": 5, "jpeg": 6, "webp": 34, "avif": 48}
"""Peak of an encoder, without the image that it encodes."""

ENCODER_BYTES = 16 * 1024**2
"""What encoders take for even the smallest image."""

IMAGE_BYTES_PER_PIXEL = 4
"""An image in memory, and an upper bound for its file."""

_SHARE_OF_FILE = 16


def for_memory(memory_bytes: int) -> Limits:
    """Returns what can be converted within a function's memory, whatever the kind of JPEG.

    The file may have a sixteenth of the memory; the rest is for the pixels.
    """
    max_bytes = memory_bytes // _SHARE_OF_FILE
    for_pixels = memory_bytes - OVERHEAD_BYTES - COPIES * max_bytes
    return Limits(max_bytes=max_bytes, max_pixels=max(0, for_pixels // BYTES_PER_PIXEL))


def bytes_for_pixels(limits: Limits) -> int:
    """Returns the memory for pixels on which the limits are based."""
    return limits.max_pixels * BYTES_PER_PIXEL


def bytes_for_renditions(
    pixels: int, reduced_by: int, outputs: Sequence[tuple[Format, int]], *, with_png: bool = False
) -> int:
    """Returns the memory that several renditions take at most, the file of the JPEG not included.

    Args:
        pixels: of the JPEG.
        reduced_by: the factor of the reduced image, from which the outputs are made.
        outputs: format and number of pixels of each rendition.
        with_png: whether there is a PNG of the whole image, too.
    """
    if not outputs:
        return pixels * BYTES_PER_PIXEL
    reduced = IMAGE_BYTES_PER_PIXEL * -(-pixels // reduced_by**2)
    decoding = pixels * BYTES_PER_PIXEL + reduced
    files = sum(IMAGE_BYTES_PER_PIXEL * output for _, output in outputs)
    if with_png:
        files += IMAGE_BYTES_PER_PIXEL * pixels
    # Resampling takes at most as much as the reduced image, and ends before the output is encoded.
    encoding = max(
        IMAGE_BYTES_PER_PIXEL * output + max(reduced, ENCODER_BYTES_PER_PIXEL[kind] * output)
        for kind, output in outputs
    )
    return max(decoding, reduced + files + encoding) + ENCODER_BYTES
