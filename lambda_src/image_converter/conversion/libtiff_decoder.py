"""Decodes a JPEG row by row and strictly, through the libtiff bundled with Pillow.

Pillow decodes a JPEG whole, at four bytes a pixel, and keeps libjpeg's warnings to itself: what is
missing from the data ("premature end of data segment") comes out gray, without an error. A TIFF may
hold its pixels as a JPEG, so libtiff is a second way to the same libjpeg, through a public and
stable API that returns one row at a time and reports each of libjpeg's warnings.
"""

import ctypes
import logging
import os
from functools import cache
from typing import Self

from image_converter.conversion import bundled, tiff_container
from image_converter.conversion.complaints import Complaints
from image_converter.conversion.jpeg_metadata import Colours
from image_converter.conversion.jpeg_parser import Header
from image_converter.conversion.jpeg_scans import MAX_SCANS, Scans

_LOGGER = logging.getLogger(__name__)

# Or libtiff refuses what takes libjpeg over 100 MB, as a large progressive JPEG does.
os.environ.setdefault("LIBTIFF_ALLOW_LARGE_LIBJPEG_MEM_ALLOC", "1")
# Its own limit would refuse the last scan that ours allows.
os.environ.setdefault("LIBTIFF_JPEG_MAX_ALLOWED_SCAN_NUMBER", str(MAX_SCANS + 1))

_JPEG_COLOUR_MODE, _TO_RGB = 65538, 1
_UNDOUBTED_BYTES, _MAX_EXPANSION = 4096, 10  # in libtiff's TIFFFillStrip
_SUBSAMPLINGS = (1, 2, 4)
_MODES = {"gray": "L", "rgb": "RGB", "ycc": "RGB"}

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
    path = bundled.find("tiff")
    if path:
        # PyDLL keeps the interpreter's lock: giving it up for each row would cost more.
        library = ctypes.PyDLL(str(path))
        if hasattr(library, "TIFFFdOpenExt"):  # since 4.5
            return _declare(library)
    _LOGGER.warning(
        "This Pillow brings no libtiff since 4.5: all JPEGs are decoded in a child process."
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
    library.TIFFSetField.argtypes = [pointer, ctypes.c_uint32]  # and values, by C's "..."
    library.TIFFReadScanline.argtypes = [pointer, pointer, ctypes.c_uint32, ctypes.c_uint16]
    library.TIFFClose.argtypes = [pointer]
    return library


def supports(header: Header, scans: Scans, colours: Colours) -> bool:
    """Whether libtiff is there and decodes a JPEG of these colours and sampling factors.

    It requires all components to be sampled alike, only that YCbCr's brightness may have more
    samples. For CMYK it returns what is stored, even if that is YCCK. Data of ten times the size of
    their pixels (many scans, a long filler) count as a fault of the TIFF.
    """
    size = sum(map(len, scans.image))
    if size > _UNDOUBTED_BYTES + _MAX_EXPANSION * header.width * header.height:
        return False
    first, *further = header.components
    if any((component.horizontal, component.vertical) != (1, 1) for component in further):
        return False
    factors = (first.horizontal, first.vertical)
    if colours == "ycc":
        fits = all(factor in _SUBSAMPLINGS for factor in factors)
    else:
        fits = colours == "gray" or (colours == "rgb" and factors == (1, 1))
    return fits and _library() is not None


class JpegRows:
    """The rows of a JPEG as it is stored, in gray or RGB, decoded as they are read.

    A context manager.
    """

    def __init__(
        self, header: Header, scans: Scans, colours: Colours, complaints: Complaints
    ) -> None:
        """Opens a JPEG.

        Args:
            header: its header.
            scans: its scans.
            colours: its colours; `supports` must have returned True for all three.
            complaints: where libjpeg's messages go.
        """
        library = _library()
        assert library is not None, "`supports` comes first"  # noqa: S101
        self._library = library
        self.width, self.height = header.width, header.height
        self.mode = _MODES[colours]
        self._row = 0
        self._complaints = complaints
        # libtiff keeps the bare address of this function, so that it must live as long as the TIFF.
        self._handler = _HANDLER(self._on_message)
        self._tiff = self._open(tiff_container.wrap(header, scans, colours))
        if colours == "ycc":
            library.TIFFSetField(self._tiff, _JPEG_COLOUR_MODE, _TO_RGB)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._library.TIFFClose(self._tiff)

    def read(self, block: bytearray, offset: int, stride: int, count: int) -> None:
        """Writes the next rows into a block; see `Rows`.

        Raises:
            DamagedImage: libjpeg has a complaint, even if it is only a warning.
        """
        view = (ctypes.c_char * len(block)).from_buffer(block)
        address = ctypes.addressof(view) + offset
        read_row, opened, complaints = self._library.TIFFReadScanline, self._tiff, self._complaints
        for target in range(address, address + count * stride, stride):
            if read_row(opened, target, self._row, 0) != 1:
                complaints.add("the data cannot be decoded")
            if complaints.damage:
                complaints.refuse_damage(self._row)
            self._row += 1

    def _open(self, file: int) -> int:
        library = self._library
        options = library.TIFFOpenOptionsAlloc()
        library.TIFFOpenOptionsSetWarningHandlerExtR(options, self._handler, None)
        library.TIFFOpenOptionsSetErrorHandlerExtR(options, self._handler, None)
        opened: int | None = library.TIFFFdOpenExt(file, b"jpeg", b"r", options)
        library.TIFFOpenOptionsFree(options)
        if not opened:
            os.close(file)
            raise OSError(f"libtiff does not open the JPEG: {self._complaints.damage}.")
        return opened

    def _on_message(
        self, _tiff: int, _data: int, _module: bytes, form: bytes, arguments: int
    ) -> int:
        """Passes a message on, unless it says that JPEGs in TIFFs had better not be progressive."""
        text = ctypes.create_string_buffer(200)
        size, values = ctypes.c_size_t(len(text)), ctypes.c_void_p(arguments)
        ctypes.PyDLL(None).vsnprintf(text, size, form, values)
        if b"progressive" not in form:
            self._complaints.add(text.value.decode(errors="replace"))
        return 1
