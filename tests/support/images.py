"""Test images, made here: no binary is kept in the repository."""

import hashlib
import io
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import Image

from image_converter.conversion import Limits, convert

_AMPLE = Limits(max_bytes=10**12, max_pixels=10**12)


def picture(width: int, height: int, seed: int = 0, mode: str = "RGB") -> Image.Image:
    """Return an image whose pixels follow from the seed."""
    samples = width * height * Image.getmodebands(mode)
    repeated = bytes((x * 7 + seed * 31) % 256 for x in range(256))
    content = (repeated * (samples // 256 + 1))[:samples]
    return Image.frombytes(mode, (width, height), content)


def jpeg(
    width: int = 24, height: int = 16, seed: int = 0, mode: str = "RGB", **options: Any
) -> bytes:
    """Return a JPEG of `picture`; the options are those of Pillow's encoder."""
    return saved(picture(width, height, seed, mode), "JPEG", **{"quality": 90, **options})


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return an image as a file; the options are those of Pillow's encoder."""
    encoded = io.BytesIO()
    image.save(encoded, kind, **options)
    return encoded.getvalue()


def exif(tags: Mapping[int, object]) -> bytes:
    """Return EXIF with these tags."""
    made = Image.Exif()
    for tag, value in tags.items():
        made[tag] = value
    return made.tobytes()


def turned(orientation: int) -> bytes:
    """Return EXIF with this orientation alone."""
    return exif({0x0112: orientation})


def png(encoded: bytes, limits: Limits = _AMPLE, *, parallel: bool = False) -> bytes:
    """Return the PNG that a JPEG is converted to, by one processor or two."""
    made = io.BytesIO()
    convert(encoded, made, limits, parallel=parallel)
    return made.getvalue()


def chunks(encoded: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the content of each of a PNG's chunks."""
    offset = 8
    while offset < len(encoded):
        length, name = struct.unpack_from(">I4s", encoded, offset)
        yield name, encoded[offset + 8 : offset + 8 + length]
        offset += 12 + length


def digests(encoded: bytes) -> list[tuple[bytes, str]]:
    """Return the SHA-256 of a PNG's pixels and of each chunk besides, to compare PNGs by.

    Their bytes may differ: now and then ISA-L writes a literal where it mostly writes a match.
    """
    contents = [(name, content) for name, content in chunks(encoded) if name != b"IDAT"]
    contents.append((b"IDAT", Image.open(io.BytesIO(encoded)).tobytes()))
    return [(name, hashlib.sha256(content).hexdigest()) for name, content in contents]


def pixels(encoded: bytes) -> tuple[tuple[int, int], bytes]:
    """Return the size and the RGB bytes of an encoded image."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    return image.size, image.tobytes()
