"""Ways to spoil a file, each drawn from a seeded random generator."""

import struct
from collections.abc import Callable, Sequence
from random import Random

_MARKERS = (0x00, 0x01, 0xC0, 0xC1, 0xC2, 0xC4, 0xD0, 0xD3, 0xD7, 0xD8, 0xD9, 0xDA, 0xDB, 0xDD)
_LONGEST = 200
_MOST = 4


def mutate(files: Sequence[bytes], random: Random) -> bytes:
    """Return one of the files, spoiled in one to four ways."""
    content = bytearray(random.choice(files))
    for _ in range(random.choice((1, 1, 1, 2, _MOST))):
        random.choice(_MUTATIONS)(content, files, random)
    return bytes(content)


def _span(content: bytearray, random: Random) -> slice:
    start = random.randrange(len(content) + 1)
    return slice(start, start + random.randint(1, random.choice((1, 4, _LONGEST))))


def _flip_bits(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    for _ in range(random.choice((1, 1, 3, 10))):
        if content:
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)


def _set_byte(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    if content:
        content[random.randrange(len(content))] = random.choice((0, 0xFF, random.randrange(256)))


def _zero(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    span = _span(content, random)
    content[span] = bytes(len(content[span]))


def _randomize(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    span = _span(content, random)
    content[span] = random.randbytes(len(content[span]))


def _delete(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    del content[_span(content, random)]


def _repeat(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    span = _span(content, random)
    content[span.start : span.start] = content[span]


def _insert(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    span = _span(content, random)
    content[span.start : span.start] = random.randbytes(span.stop - span.start)


def _move(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    span = _span(content, random)
    moved = content[span]
    del content[span]
    at = random.randrange(len(content) + 1)
    content[at:at] = moved


def _splice(content: bytearray, files: Sequence[bytes], random: Random) -> None:
    donor = random.choice(files)
    at = random.randrange(len(donor) + 1)
    content[_span(content, random)] = donor[at : at + _LONGEST]


def _truncate(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    del content[random.randrange(len(content) + 1) :]


def _truncate_and_end(content: bytearray, files: Sequence[bytes], random: Random) -> None:
    _truncate(content, files, random)
    content += b"\xff\xd9"


def _shorten_and_end(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    """The most treacherous cut: only some bytes are missing."""
    del content[max(0, len(content) - 2 - random.randint(1, 20)) :]
    content += b"\xff\xd9"


def _put_marker(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    at = random.randrange(len(content) + 1)
    content[at : at + 2] = bytes((0xFF, random.choice(_MARKERS)))


def _change_size(content: bytearray, _files: Sequence[bytes], random: Random) -> None:
    for marker in (b"\xff\xc0", b"\xff\xc2"):
        at = content.find(marker)
        if at >= 0:
            low = random.choice((1, 8, 64, 1000, 0xFFFF))
            size = struct.pack(">HH", random.randint(0, low), random.randint(0, low))
            content[at + 5 : at + 9] = size


_MUTATIONS: tuple[Callable[[bytearray, Sequence[bytes], Random], None], ...] = (
    _flip_bits,
    _flip_bits,
    _set_byte,
    _zero,
    _randomize,
    _delete,
    _repeat,
    _insert,
    _move,
    _splice,
    _truncate,
    _truncate_and_end,
    _shorten_and_end,
    _put_marker,
    _change_size,
)
