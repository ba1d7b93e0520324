"""Takes JPEGs apart and puts them together wrongly."""

import re
import struct
from collections.abc import Iterator

SOS, PROFILE, COM = 0xDA, 0xE2, 0xFE
START, END = b"\xff\xd8", b"\xff\xd9"

_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7]")


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def segments(jpeg: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker of each segment and where it starts, those between scans included."""
    offset = len(START)
    while jpeg[offset : offset + 2] not in (END, b""):
        marker = jpeg[offset + 1]
        yield marker, offset
        offset += 2 + int.from_bytes(jpeg[offset + 2 : offset + 4])
        if marker == SOS:
            offset = _NEXT_MARKER.search(jpeg + END, offset).start()  # type: ignore[union-attr]


def find(jpeg: bytes, *markers: int, nth: int = 0) -> int:
    """Return where the nth segment with one of these markers starts."""
    return [offset for marker, offset in segments(jpeg) if marker in markers][nth]


def frame(jpeg: bytes) -> int:
    """Return where the frame header starts."""
    return find(jpeg, *range(0xC0, 0xC4), *range(0xC9, 0xCC))


def data(jpeg: bytes, nth: int = 0) -> int:
    """Return where the data of the nth scan start."""
    offset = find(jpeg, SOS, nth=nth)
    return offset + 2 + int.from_bytes(jpeg[offset + 2 : offset + 4])


def insert(jpeg: bytes, *segments: bytes) -> bytes:
    """Put segments in front of all others."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def patch(jpeg: bytes, offset: int, new: bytes) -> bytes:
    return jpeg[:offset] + new + jpeg[offset + len(new) :]


def resize(jpeg: bytes, width: int, height: int) -> bytes:
    """Make the frame header declare another size."""
    return patch(jpeg, frame(jpeg) + 5, struct.pack(">HH", height, width))


def without(jpeg: bytes, marker: int, nth: int = 0) -> bytes:
    """Leave a segment out."""
    start = find(jpeg, marker, nth=nth)
    return jpeg[:start] + jpeg[start + 2 + int.from_bytes(jpeg[start + 2 : start + 4]) :]


def without_all(jpeg: bytes, marker: int) -> bytes:
    """Leave all segments with this marker out."""
    for _ in [kind for kind, _ in segments(jpeg) if kind == marker]:
        jpeg = without(jpeg, marker)
    return jpeg


def cut(jpeg: bytes, share: float, nth: int = 0) -> bytes:
    """Keep a JPEG up to this share of the data of its nth scan."""
    start = data(jpeg, nth)
    end = _NEXT_MARKER.search(jpeg + END, start).start()  # type: ignore[union-attr]
    return jpeg[: start + round((end - start) * share)]


def icc(profile: bytes, parts: int = 1) -> tuple[bytes, ...]:
    """Return a colour profile as segments."""
    size = -(-len(profile) // parts)
    return tuple(
        segment(
            0xE2,
            b"ICC_PROFILE\0" + bytes((part + 1, parts)) + profile[part * size : (part + 1) * size],
        )
        for part in range(parts)
    )
