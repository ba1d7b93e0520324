"""Test images, made here: no binary is kept in the repository."""

import io

from PIL import Image


def jpeg(width: int = 24, height: int = 16, seed: int = 0) -> bytes:
    """Return a JPEG whose pixels follow from the seed."""
    pixels = bytes((x * 7 + seed * 31) % 256 for x in range(width * height * 3))
    encoded = io.BytesIO()
    Image.frombytes("RGB", (width, height), pixels).save(encoded, "JPEG", quality=90)
    return encoded.getvalue()


def pixels(encoded: bytes) -> tuple[tuple[int, int], bytes]:
    """Return the size and the RGB bytes of an encoded image."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    return image.size, image.tobytes()
