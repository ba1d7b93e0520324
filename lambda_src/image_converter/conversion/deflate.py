"""Deflate, by ISA-L if the package isal is installed, else by zlib."""

import importlib
import logging
import zlib
from typing import Any

_LOGGER = logging.getLogger(__name__)
_LEVEL = 1

HEAD = b"\x78\x01"
"""The start of a zlib stream (RFC 1950): deflate, a window of up to 32 KB, a fast level."""

LAST = b"\x03\x00"
"""An empty deflate block (RFC 1951), marked as the last one."""


class Deflate:
    """Compresses the parts of a zlib stream separately, so that each may have its own window."""

    def __init__(self) -> None:
        """Finds the library, and logs a warning if it is the slow one."""
        try:
            self._library: Any = importlib.import_module("isal.isal_zlib")
            self._strategy = zlib.Z_DEFAULT_STRATEGY
        except ImportError:
            _LOGGER.warning(
                "The package isal is missing: PNGs are compressed at a quarter of the speed."
            )
            self._library, self._strategy = zlib, zlib.Z_RLE

    def part(self, data: bytes, window: int) -> list[bytes]:
        """Compresses a part into pieces that end at a whole byte and refer to nothing before them.

        The pieces of the same part may differ: in one of some ten thousand conversions of the same
        image, ISA-L wrote a literal where it wrote a match otherwise. They stand for the same data.

        Args:
            data: the part.
            window: a match lies at most two to the power of this many bytes back, 9 to 15.
        """
        part = self._library.compressobj(_LEVEL, wbits=-window, strategy=self._strategy)
        return [part.compress(data), part.flush(zlib.Z_SYNC_FLUSH)]

    def adler32(self, data: bytes, value: int = 1) -> int:
        """Continues the checksum that ends a zlib stream."""
        checksum: int = self._library.adler32(data, value)
        return checksum

    def crc32(self, data: bytes, value: int = 0) -> int:
        """Continues the checksum that ends a PNG's chunk."""
        checksum: int = self._library.crc32(data, value)
        return checksum
