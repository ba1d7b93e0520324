"""Test images, made here: no binary is kept in the repository."""

import io
from typing import Any

from PIL import Image


def picture(width: int, height: int, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Return an image whose pixels follow from the seed."""
    samples = width * height * Image.getmodebands(mode)
    return Image.frombytes(
        mode, (width, height), bytes((x * 7 + seed * 31) % 256 for x in range(samples))
    )


def jpeg(
    width: int = 24, height: int = 16, seed: int = 0, mode: str = "RGB", **options: Any
) -> bytes:
    """Return a JPEG of `picture`; the options are those of Pillow's encoder."""
    encoded = io.BytesIO()
    picture(width, height, seed, mode).save(encoded, "JPEG", **{"quality": 90, **options})
    return encoded.getvalue()


def pixels(encoded: bytes) -> tuple[tuple[int, int], bytes]:
    """Return the size and the RGB bytes of an encoded image."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    return image.size, image.tobytes()
