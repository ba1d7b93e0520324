"""A TIFF around a JPEG: a header, a directory of ten entries, the JPEG as the one strip."""

import os
import struct
import tempfile

from image_converter.conversion.jpeg_metadata import Colours
from image_converter.conversion.jpeg_parser import Header
from image_converter.conversion.jpeg_scans import Scans

_SHORT, _LONG = 3, 4
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS = 256, 257, 258, 259, 262, 273
_SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR, _SUBSAMPLING = 277, 278, 279, 284, 530
_AS_JPEG, _CONTIGUOUS = 7, 1
_PHOTOMETRICS = {"gray": 1, "rgb": 2, "ycc": 6}

_START = struct.Struct("<2sHIH")  # byte order, magic number, where the directory is, its entries
_ENTRY = struct.Struct("<HHII")  # tag, type, count, value
_END = struct.Struct("<I")  # where the next directory is


def wrap(header: Header, scans: Scans, colours: Colours) -> int:
    """Writes a TIFF around a JPEG to a file in memory.

    The JPEG has no application data and comments: they would make libtiff think that the strip is
    too long for its image, and make libjpeg complain about colour profiles.

    Args:
        header: the JPEG's header.
        scans: its scans.
        colours: its colours: gray, RGB or YCbCr.

    Returns:
        a descriptor of the TIFF, positioned at its start; the caller closes it.
    """
    try:
        file = os.memfd_create("jpeg")
    except (AttributeError, OSError):  # not on Linux, or not allowed
        with tempfile.TemporaryFile(buffering=0) as temporary:
            file = os.dup(temporary.fileno())
    with open(file, "wb", closefd=False) as stream:
        stream.write(_head(sum(map(len, scans.image)), header, colours))
        stream.writelines(scans.image)
        stream.seek(0)
    return file


def _head(length: int, header: Header, colours: Colours) -> bytes:
    """Returns the TIFF that stands before a JPEG of so many bytes: a header and one directory."""
    first = header.components[0]
    entries = [
        (_WIDTH, _LONG, 1, header.width),
        (_HEIGHT, _LONG, 1, header.height),
        (_BITS, _SHORT, 1, 8),
        (_COMPRESSION, _SHORT, 1, _AS_JPEG),
        (_PHOTOMETRIC, _SHORT, 1, _PHOTOMETRICS[colours]),
        (_SAMPLES, _SHORT, 1, len(header.components)),
        (_ROWS_PER_STRIP, _LONG, 1, header.height),
        (_STRIP_BYTES, _LONG, 1, length),
        (_PLANAR, _SHORT, 1, _CONTIGUOUS),
    ]
    if colours == "ycc":
        entries.append((_SUBSAMPLING, _SHORT, 2, first.horizontal | first.vertical << 16))
    size = _START.size + (len(entries) + 1) * _ENTRY.size + _END.size
    entries.append((_STRIP_OFFSETS, _LONG, 1, size))
    directory = b"".join(_ENTRY.pack(*entry) for entry in sorted(entries))
    return _START.pack(b"II", 42, 8, len(entries)) + directory + _END.pack(0)
