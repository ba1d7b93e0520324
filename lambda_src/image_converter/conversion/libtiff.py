"""Decodes a JPEG row by row and strictly, through the libtiff that Pillow brings along.

Pillow decodes a JPEG whole, at four bytes a pixel, and keeps libjpeg's warnings to itself: what is
missing from the data ("premature end of data segment") comes out gray, without an error. A TIFF may
hold its pixels as a JPEG, so libtiff is a second way to the very same libjpeg, through a public and
stable API that hands out one row at a time and each of libjpeg's warnings. The TIFF around the JPEG
is made here: a header of ten entries, and the JPEG as its one strip.
"""

import ctypes
import logging
import os
import struct
import tempfile
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import PIL

from image_converter.conversion.metadata import Colours
from image_converter.conversion.structure import METADATA, Header
from image_converter.errors import DamagedImage

_LOGGER = logging.getLogger(__name__)

# Or libtiff refuses what takes libjpeg over 100 MB, as a large progressive JPEG does.
os.environ.setdefault("LIBTIFF_ALLOW_LARGE_LIBJPEG_MEM_ALLOC", "1")

_SHORT, _LONG = 3, 4
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, _STRIP_OFFSETS = 256, 257, 258, 259, 262, 273
_SAMPLES, _ROWS_PER_STRIP, _STRIP_BYTES, _PLANAR, _SUBSAMPLING = 277, 278, 279, 284, 530
_AS_JPEG, _CONTIGUOUS, _JPEG_COLOUR_MODE, _TO_RGB = 7, 1, 65538, 1
_PHOTOMETRICS = {"gray": 1, "rgb": 2, "cmyk": 5, "ycck": 5, "ycc": 6}
_SUBSAMPLINGS = (1, 2, 4)
_MODES = {"gray": "L", "rgb": "RGB", "ycc": "RGB", "cmyk": "CMYK", "ycck": "CMYK"}

# Where Pillow's wheels have it, seen from the package: on Linux, on a Mac.
_PLACES = ("../pillow.libs/libtiff-*", ".dylibs/libtiff*")

_TIFF_START = struct.Struct(
    "<2sHIH"
)  # byte order, magic number, where the directory is, its entries
_TIFF_ENTRY = struct.Struct("<HHII")  # tag, type, count, value
_TIFF_END = struct.Struct("<I")  # where the next directory is

_HANDLER = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,  # the TIFF
    ctypes.c_void_p,  # our own data: none
    ctypes.c_char_p,  # what reports
    ctypes.c_char_p,  # printf's format
    ctypes.c_void_p,  # its va_list
)


@cache
def _library() -> ctypes.PyDLL | None:
    """Loads libtiff, which Pillow has loaded already, from where Pillow's wheels have it."""
    package = Path(PIL.__file__).parent
    for pattern in _PLACES:
        for path in package.glob(pattern):
            # PyDLL keeps the interpreter's lock: giving it up for each row would cost more.
            library = ctypes.PyDLL(str(path))
            if hasattr(library, "TIFFFdOpenExt"):  # since 4.5
                return _declare(library)
    _LOGGER.warning(
        "This Pillow brings no libtiff since 4.5: JPEGs are decoded whole, and twice, and corrupt"
        " data is not always seen."
    )
    return None


def _declare(library: ctypes.PyDLL) -> ctypes.PyDLL:
    pointer, string = ctypes.c_void_p, ctypes.c_char_p
    library.TIFFOpenOptionsAlloc.restype = pointer
    library.TIFFOpenOptionsFree.argtypes = [pointer]
    library.TIFFOpenOptionsSetWarningHandlerExtR.argtypes = [pointer, _HANDLER, pointer]
    library.TIFFOpenOptionsSetErrorHandlerExtR.argtypes = [pointer, _HANDLER, pointer]
    library.TIFFFdOpenExt.argtypes = [ctypes.c_int, string, string, pointer]
    library.TIFFFdOpenExt.restype = pointer
    library.TIFFSetField.argtypes = [pointer, ctypes.c_uint32, ctypes.c_int]
    library.TIFFReadScanline.argtypes = [pointer, pointer, ctypes.c_uint32, ctypes.c_uint16]
    library.TIFFClose.argtypes = [pointer]
    return library


def reads(header: Header, colours: Colours) -> bool:
    """Whether libtiff is there and reads a JPEG of these colours and sampling factors.

    It wants all components sampled alike, only that YCbCr's brightness may have more samples.
    """
    first, *others = header.components
    if any((other.horizontal, other.vertical) != (1, 1) for other in others):
        return False
    factors = (first.horizontal, first.vertical)
    if colours == "ycc":
        fits = all(factor in _SUBSAMPLINGS for factor in factors)
    else:
        fits = colours == "gray" or factors == (1, 1)
    return fits and _library() is not None


class JpegRows:
    """The rows of a JPEG as it is stored, decoded as they are read.

    A context manager. CMYK and YCCK come out as the samples that are in the file, all else as gray
    or RGB.
    """

    def __init__(self, jpeg: bytes, end: int, header: Header, colours: Colours) -> None:
        """Opens a JPEG.

        Args:
            jpeg: the file.
            end: where the image ends in it.
            header: its header.
            colours: its colours, of which `reads` is true.
        """
        library = _library()
        assert library is not None, "`reads` comes first"  # noqa: S101
        self._library = library
        self.width, self.height = header.width, header.height
        self.mode = _MODES[colours]
        self._samples = len(header.components)
        self._row = 0
        self._complaints: list[str] = []
        # libtiff keeps the bare address of this function, so that it must live as long as the TIFF.
        self._handler = _HANDLER(self._note)
        self._tiff = self._open(_wrapped(jpeg, end, header, colours))
        if colours == "ycc":
            library.TIFFSetField(self._tiff, _JPEG_COLOUR_MODE, _TO_RGB)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._library.TIFFClose(self._tiff)

    def read(self, block: bytearray, offset: int, stride: int, count: int) -> None:
        """Writes the next rows into a block; see `Rows`.

        Raises:
            DamagedImage: libjpeg has a complaint, be it only a warning.
        """
        view = (ctypes.c_char * len(block)).from_buffer(block)
        address = ctypes.addressof(view) + offset
        for row in range(count):
            target = address + row * stride
            done = self._library.TIFFReadScanline(self._tiff, target, self._row, 0) == 1
            if self._complaints or not done:
                reason = self._complaints[0] if self._complaints else "the data cannot be decoded"
                raise DamagedImage(f"The JPEG is damaged at or above row {self._row:,}: {reason}.")
            self._row += 1

    def skim(self) -> None:
        """Decodes all rows and keeps none, to find damage; see `read`."""
        stride = self.width * self._samples
        block = bytearray(stride)
        for _ in range(self.height):
            self.read(block, 0, stride, 1)

    def _open(self, file: int) -> int:
        library = self._library
        options = library.TIFFOpenOptionsAlloc()
        library.TIFFOpenOptionsSetWarningHandlerExtR(options, self._handler, None)
        library.TIFFOpenOptionsSetErrorHandlerExtR(options, self._handler, None)
        tiff: int | None = library.TIFFFdOpenExt(file, b"jpeg", b"r", options)
        library.TIFFOpenOptionsFree(options)
        if not tiff:
            os.close(file)
            raise OSError(f"libtiff does not open the JPEG: {'; '.join(self._complaints)}.")
        return tiff

    def _note(self, _tiff: int, _data: int, _module: bytes, form: bytes, arguments: int) -> int:
        """Keeps a message, unless it says that JPEGs in TIFFs had better not be progressive."""
        text = ctypes.create_string_buffer(200)
        ctypes.PyDLL(None).vsnprintf(text, len(text), form, ctypes.c_void_p(arguments))
        message = text.value.decode(errors="replace").rstrip(".")
        if b"progressive" not in form:
            self._complaints.append(message)
        return 1


def _wrapped(jpeg: bytes, end: int, header: Header, colours: Colours) -> int:
    """Writes a TIFF around a JPEG to a file in memory and returns its descriptor."""
    try:
        file = os.memfd_create("jpeg")
    except AttributeError:  # not on Linux
        with tempfile.TemporaryFile(buffering=0) as temporary:
            file = os.dup(temporary.fileno())
    parts = _without_metadata(jpeg, end, header, colours)
    with open(file, "wb", closefd=False) as stream:
        stream.write(_tiff_header(sum(map(len, parts)), header, colours))
        stream.writelines(parts)
        stream.seek(0)
    return file


def _without_metadata(
    jpeg: bytes, end: int, header: Header, colours: Colours
) -> list[bytes | memoryview]:
    """Returns the image's parts but for application data and comments.

    They make libtiff think that the strip is too long for its image, and libjpeg complain about
    colour profiles.
    """
    view = memoryview(jpeg)
    parts: list[bytes | memoryview] = [b"\xff\xd8"]
    for segment in header.segments:
        if segment.marker in METADATA:
            continue
        payload = view[segment.start : segment.end]
        if segment is header.frame and colours == "gray":
            # One component's sampling factors have no effect; libtiff wants them to be 1.
            payload = memoryview(bytes(payload[:7]) + b"\x11" + bytes(payload[8:]))
        parts += [segment.head(), payload]
    first = header.first_scan
    return [*parts, first.head(), view[first.start : end]]


def _tiff_header(length: int, header: Header, colours: Colours) -> bytes:
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
    size = _TIFF_START.size + (len(entries) + 1) * _TIFF_ENTRY.size + _TIFF_END.size
    entries.append((_STRIP_OFFSETS, _LONG, 1, size))
    directory = b"".join(_TIFF_ENTRY.pack(*entry) for entry in sorted(entries))
    return _TIFF_START.pack(b"II", 42, 8, len(entries)) + directory + _TIFF_END.pack(0)
