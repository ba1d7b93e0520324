"""Decodes what libtiff does not, and just as strictly, with libjpeg itself in a child process.

The libjpeg is the one in Pillow's wheels that libtiff uses. When it cannot go on, it calls a
function that must not return, and Python has no way to leave it: only the end of the process does.
So a fork decodes, and sends the rows through a pipe as this process asks for them.
"""

import ctypes
import fcntl
import io
import os
import signal
from contextlib import suppress
from functools import cache
from typing import Final, NoReturn, Self

from image_converter.conversion import bundled
from image_converter.conversion.complaints import Complaints
from image_converter.conversion.jpeg_metadata import Colours
from image_converter.conversion.jpeg_parser import Header
from image_converter.conversion.jpeg_scans import Scans

# From jpeglib.h of version 6.2, the interface that libjpeg-turbo has kept: `jpeg_CreateDecompress`
# refuses another version, and a structure of another size.
_VERSION: Final = 62
_COLOUR_SPACES: Final = {"gray": 1, "rgb": 2, "ycc": 3, "cmyk": 4, "ycck": 5}
_MODES: Final = {"gray": "L", "rgb": "RGB", "ycc": "RGB", "cmyk": "CMYK", "ycck": "CMYK"}
_OUTPUT: Final = {"L": 1, "RGB": 2, "CMYK": 4}
_MESSAGE_SIZE: Final = 200
_SOME_ROWS: Final = 16
_SENT_BYTES: Final = 256 * 1024
# What Linux allows a pipe without privileges; by default it holds 64 KiB.
_PIPE_BYTES: Final = 1024 * 1024
_DONE: Final = b"done"

_ON_ERROR = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_ON_MESSAGE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)
_FORMAT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


class _Errors(ctypes.Structure):
    """`jpeg_error_mgr`, as far as it is used."""

    _fields_ = (
        ("error_exit", _ON_ERROR),
        ("emit_message", _ON_MESSAGE),
        ("output_message", ctypes.c_void_p),
        ("format_message", _FORMAT),
        ("unused", ctypes.c_char * 136),
    )


class _Decompressor(ctypes.Structure):
    """`jpeg_decompress_struct`, as far as it is used."""

    _fields_ = (
        ("errors", ctypes.POINTER(_Errors)),
        ("memory", ctypes.c_void_p),
        ("progress", ctypes.c_void_p),
        ("client_data", ctypes.c_void_p),
        ("is_decompressor", ctypes.c_int),
        ("global_state", ctypes.c_int),
        ("source", ctypes.c_void_p),
        ("image_width", ctypes.c_uint),
        ("image_height", ctypes.c_uint),
        ("components", ctypes.c_int),
        ("colours", ctypes.c_int),
        ("output_colours", ctypes.c_int),
        ("scale_numerator", ctypes.c_uint),
        ("scale_denominator", ctypes.c_uint),
        ("unused", ctypes.c_char * 556),
    )


@cache
def _library() -> ctypes.PyDLL:
    path = bundled.find("jpeg")
    if path is None:
        raise OSError("This Pillow brings no libjpeg along: install Pillow from one of its wheels.")
    library = ctypes.PyDLL(str(path))
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    library.jpeg_std_error.argtypes = [ctypes.POINTER(_Errors)]
    library.jpeg_std_error.restype = ctypes.POINTER(_Errors)
    library.jpeg_CreateDecompress.argtypes = [pointer, ctypes.c_int, size]
    library.jpeg_mem_src.argtypes = [pointer, ctypes.c_char_p, ctypes.c_ulong]
    library.jpeg_read_header.argtypes = [pointer, ctypes.c_int]
    library.jpeg_start_decompress.argtypes = [pointer]
    library.jpeg_read_scanlines.argtypes = [pointer, pointer, ctypes.c_uint]
    library.jpeg_read_scanlines.restype = ctypes.c_uint
    library.jpeg_finish_decompress.argtypes = [pointer]
    return library


class JpegRows:
    """The rows of a JPEG as it is stored, in gray, RGB or CMYK, decoded as they are read.

    A context manager: at its end the child process is gone.
    """

    def __init__(
        self,
        header: Header,
        scans: Scans,
        colours: Colours,
        complaints: Complaints,
        shrink: int = 1,
    ) -> None:
        """Starts to decode.

        Args:
            header: the JPEG's header.
            scans: its scans.
            colours: its colours.
            complaints: where libjpeg's messages go.
            shrink: 1, or 2, 4 or 8 for an image of that fraction of its width and height. All data
                are read even then, so that damage shows as usual.

        Raises:
            OSError: this Pillow brings no libjpeg along.
        """
        _library()  # before the fork, so that all children have it
        self.width, self.height = -(-header.width // shrink), -(-header.height // shrink)
        self.mode = _MODES[colours]
        self._row = 0
        self._row_bytes = self.width * len(self.mode)
        self._complaints = complaints
        rows_end, to_rows = os.pipe()
        with suppress(OSError):  # a smaller pipe works, with more turns
            fcntl.fcntl(rows_end, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        messages_end, to_messages = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            decoding = _Decoding(complaints, to_messages, shrink)
            decoding.run_and_exit(b"".join(scans.image), self.mode, colours, to_rows)
        os.close(to_rows)
        os.close(to_messages)
        self._rows = io.BufferedReader(io.FileIO(rows_end), _PIPE_BYTES)
        self._messages = os.fdopen(messages_end, "rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._rows.close()
        self._messages.close()
        os.kill(self._child, signal.SIGKILL)
        os.waitpid(self._child, 0)

    def read(self, block: bytearray, offset: int, stride: int, count: int) -> None:
        """Writes the next rows into a block; see `Rows`.

        Raises:
            DamagedImage: libjpeg has a complaint, even if it is only a warning.
            ChildProcessError: the decoding process was killed.
        """
        at_once = count if stride == self._row_bytes else 1
        wanted = at_once * self._row_bytes
        with memoryview(block) as view:
            for at in range(offset, offset + count * stride, at_once * stride):
                received = self._rows.readinto(view[at : at + wanted])
                self._row += received // self._row_bytes
                if received < wanted:
                    self._take_messages()
        if self._row == self.height:
            self._take_messages()

    def _take_messages(self) -> None:
        """Waits for the end of the child and refuses the image if libjpeg complained."""
        *messages, end = self._messages.read().decode(errors="replace").split("\0")
        for message in messages:
            self._complaints.add(message)
        self._complaints.refuse_damage(self._row)
        if end != _DONE.decode():
            raise ChildProcessError(
                f"The process that decodes the JPEG ended at row {self._row:,} of {self.height:,},"
                " without a reason: out of memory?"
            )


class _Decoding:
    """One decoding in a process of its own, which ends with the first complaint that counts."""

    def __init__(self, complaints: Complaints, to_messages: int, shrink: int) -> None:
        self._complaints, self._to_messages, self._shrink = complaints, to_messages, shrink
        self._library = _library()
        self._errors = _Errors()
        self._state = _Decompressor()
        self._state.errors = self._library.jpeg_std_error(ctypes.byref(self._errors))
        # C keeps the bare addresses of these.
        self._errors.error_exit = self._on_error = _ON_ERROR(self._give_up)
        self._errors.emit_message = self._on_message = _ON_MESSAGE(self._note)

    def run_and_exit(self, jpeg: bytes, mode: str, colours: Colours, to_rows: int) -> NoReturn:
        """Decodes a JPEG into packed rows of a mode, writes them to a file and ends the process."""
        status = 1
        try:
            self._run(jpeg, mode, colours, to_rows)
            os.write(self._to_messages, _DONE)
            status = 0
        finally:
            # Whatever happens, no code of the parent may run here, such as that of the caller.
            os._exit(status)

    def _run(self, jpeg: bytes, mode: str, colours: Colours, to_rows: int) -> None:
        library, state = self._library, ctypes.byref(self._state)
        library.jpeg_CreateDecompress(state, _VERSION, ctypes.sizeof(self._state))
        library.jpeg_mem_src(state, jpeg, len(jpeg))
        library.jpeg_read_header(state, 1)
        self._state.colours = _COLOUR_SPACES[colours]
        self._state.output_colours = _OUTPUT[mode]
        self._state.scale_numerator, self._state.scale_denominator = 1, self._shrink
        library.jpeg_start_decompress(state)
        stride = -(-self._state.image_width // self._shrink) * len(mode)
        count = max(_SOME_ROWS, _SENT_BYTES // stride)
        block = (ctypes.c_char * (count * stride))()
        first = ctypes.addressof(block)
        addresses = (ctypes.c_void_p * count)(*range(first, first + len(block), stride))
        left = -(-self._state.image_height // self._shrink)
        while left:
            done, wanted = 0, min(count, left)
            while done < wanted:
                target = ctypes.byref(addresses, done * ctypes.sizeof(ctypes.c_void_p))
                done += library.jpeg_read_scanlines(state, target, wanted - done)
            left -= wanted
            _write(to_rows, memoryview(block)[: wanted * stride])
        library.jpeg_finish_decompress(state)

    def _note(self, _state: int, level: int) -> None:
        """Passes a warning on; messages of other levels are not about the data."""
        if level >= 0:
            return
        message = self._send_message()
        self._complaints.add(message)
        if self._complaints.damage:
            os._exit(1)

    def _give_up(self, _state: int) -> None:
        self._send_message()
        os._exit(1)

    def _send_message(self) -> str:
        text = ctypes.create_string_buffer(_MESSAGE_SIZE)
        self._errors.format_message(ctypes.byref(self._state), text)
        os.write(self._to_messages, text.value + b"\0")
        return text.value.decode(errors="replace")


def _write(file: int, data: memoryview) -> None:
    while data:
        data = data[os.write(file, data) :]
