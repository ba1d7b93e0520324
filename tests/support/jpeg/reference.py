"""The second opinion: another binding and build of a JPEG decoder, a PNG decoder in pure Python."""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
import png as pypng
import simplejpeg

Pixels = npt.NDArray[np.uint8]

_UPRIGHT: dict[int, Any] = {
    1: lambda pixels: pixels,
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}


def decode_jpeg(encoded: bytes, orientation: int = 1, *, strict: bool = True) -> Pixels:
    """Return the pixels, upright: rows of columns of one, three or (CMYK, as stored) four samples.

    Raises:
        ValueError: the decoder has a complaint; if it is strict, a warning is enough.
    """
    colours = simplejpeg.decode_jpeg_header(encoded, strict=strict)[2]
    space = {"Gray": "GRAY", "CMYK": "CMYK", "YCCK": "CMYK"}.get(colours, "RGB")
    pixels = simplejpeg.decode_jpeg(encoded, colorspace=space, strict=strict)
    return upright(pixels, orientation)


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return the pixels of an image turned by its EXIF orientation."""
    turned: Pixels = np.ascontiguousarray(_UPRIGHT[orientation](pixels))
    return turned


def cmyk_to_rgb(inverted: Pixels) -> Pixels:
    """Return RGB by the plain formula, for samples that are stored inverted as Adobe has it."""
    samples = inverted.astype(float)
    rgb: Pixels = np.round(samples[..., :3] * samples[..., 3:] / 255).astype(np.uint8)
    return rgb


def _undo_filter_up(_unit: int, row: bytearray, above: bytearray, result: bytearray) -> None:
    """Add the row above, modulo 256, as pypng does byte by byte."""
    result[:] = (np.frombuffer(row, np.uint8) + np.frombuffer(above, np.uint8)).tobytes()


pypng.undo_filter_up = _undo_filter_up


def decode_png(encoded: bytes) -> Pixels:
    width, height, rows, header = pypng.Reader(file=io.BytesIO(encoded)).read()
    samples = np.frombuffer(b"".join(map(bytes, rows)), np.uint8)
    return samples.reshape(height, width, header["planes"])
