"""The table of good, odd and bad images: how each is made, and what becomes of it.

docs/bad-images.md is written from it (`make docs`), the fuzzer starts from it.
"""

import base64
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import simplejpeg
from PIL import Image

from image_converter.conversion import Limits
from image_converter.errors import (
    ConversionError,
    DamagedImage,
    ImageTooLarge,
    UnsupportedImage,
)
from tests.support.images import exif, jpeg, picture, saved, turned
from tests.support.jpeg import profiles
from tests.support.jpeg.editing import (
    COM,
    END,
    SOS,
    START,
    cut,
    data,
    find,
    frame,
    icc,
    insert,
    patch,
    resize,
    segment,
    without,
)

LIMITS = Limits(max_bytes=2_000_000, max_pixels=1_000_000)

# Kinds of JPEG that no package at hand writes: one image of 40 x 24 by `cjpeg -quality 20` and
# -arithmetic; -arithmetic -progressive; -optimize -sample 2x2,1x2,1x2; -optimize -scans (0; 1; 2;).
_COMMON = (
    "|JeWF01!$>Nk#wx0RR9200961|JwkA5CA9u8~`2wBLE%%82~5%BLE=)BLFP`D*z|}FaSINWB@?`JODQUHvl{UdjM"
    "DfT>wb{WB`!>fB=~QmH>|cfB=jDiU6Phv;gJ+!vLTFssP#mtpJJui~z_15dg~o+5qkV^#K9_1OWm7n*hN98v!o?7"
    "y$YKECA*J{Q&|1`2X7gLjfx-Ej%?mc0oaQ_@#`c`1ttv`1ttv`1ttv`1ttv`1ttv`1ttv`1ttv`1ttv`1ttv`1tt"
    "v`1ttv`1ttv`1t"
)
_ARITHMETIC = (
    "?H01*fP7yu{(0U`hb5di}c0sqVZ3IGrg1pyEd1^?Or3<CiG0ucid06zf!A6I{p721G0z~x&cml"
    "uMq>d!Cl7AF$+CJdEPC^J}g-<8!~YJpr82nc2|@h=n@3ekbor1avrfdAP"
)
_ARITHMETIC_PROGRESSIVE = (
    "?I01*fP7yu{(0U`hb5di}c0sqVZ1^^HN5dYc$3<CiG0uTcb0005}0nBtUWivboH-=9|27TC?2Q"
    "I+>%m4%s1^?Or2mt{A0R;lE|I7dc5e5I+00;pC0RcY&DYL3f(ErQ;1Q7-Q+5iXv0s#R(0ZRh;xgh_{00a;P|Jncu"
    "0RaF8KLW7-%m4%s1^?Or2mt{A0Y4!W1D!rA)1QF<+5ij#0RRF30{{R35Jg%~_rU+m00a>Q|Jncu0RsU6KM)8ABLV"
    "-+00a>Q|Jncu0RjO5KM=JgR}*~y%m4%s1^?Or2mt{A0Y4C&ty<n#!2j6"
)
_UNEVEN = (
    "?901*fP7yu{(0U`hb5&;7e0sq7R7ytnQ0RaI30000000000000030tEs8!~hl$0RaI30000000"
    "000000000ssO3!~huq00IL600000000000000000aU91p)uW02mPg0RaI40000000000000000s#XN|Jncy0|5X6"
    "5d#qbKLF>Ps&ep}q|NlT9d!zWH7y*hGQl;$qrD3IzO(8K+_o}Q22JIt&1Y<x*>gy$M3Y@4HL60yRsu;~kfNk61d{"
    "GxFR~y1*#"
)
_SEQUENTIAL_SCANS = (
    "?901*fP7yu{(0U`hb5di}c0sq7R6#xMN00000000000000000098|HJ?m5CH)J000000000000"
    "00000IC3|Jncu0RaF2KLDO`Q<EH+WaBAh%1orr4B*p9l!=I#3BbSq!~hoo0RRI40000000000000001ONg9|HJ?p"
    "5di@K0RaI30000000000009640udAc+5iXv0ucZ|0N-60zgDr^BS4JuQ_KIv02cuP00RI30000000000000040s{"
    "sA!~ho&0RaI40000000000000000RRF6|Jncu0Rs^LKLD1wRBM!HmAjyippJ$A*#"
)
# The same by cjpeg -optimize -sample 2x2,1x2,1x2 -restart 1B.
_UNEVEN_RESTARTS = (
    "?901*fP7yu{(0U`hb5&;7e0sq7R82|wR00RL40000000000000930RjaC|HJ?m5CH)J0000000"
    "0000000000IC3|HJ?p0RRI50RaF20000000000000970s#g8!~hu)0RaF50RR91000000000000IF65fcC100aO5"
    "|Jncy0|5X65d#qbKLF>Pl;whDCa-0Yw=7gCsek{_Ba;lYCU9+MVqWK|Y82eR|IzdesR65A$m`DXr_2A+5+x$4cF7"
    "BBL;urKCIYHnWF1l;|J3OLRZ{pI@*n@%"
)


@dataclass(frozen=True)
class Case:
    """An image and its verdict.

    Attributes:
        name: short and unique.
        about: what is special about it.
        make: makes the file.
        error: what it is refused with; None if it is converted and its pixels are right.
        orientation: the EXIF orientation that is to be applied.
        icc: what becomes of its colour profile.
        plain: makes the same image without what is special about it, where a second decoder
            does not take the file.
        skipped: how many bytes belong to nothing.
    """

    name: str
    about: str
    make: Callable[[], bytes]
    error: type[ConversionError] | None = None
    orientation: int = 1
    icc: str = "none"
    plain: Callable[[], bytes] | None = None
    skipped: int = 0


def _turned(orientation: int) -> bytes:
    return jpeg(37, 22, exif=turned(orientation))


def _base85(rest: str) -> bytes:
    return base64.b85decode(_COMMON + rest)


def _progressive(**options: Any) -> bytes:
    return jpeg(64, 48, progressive=True, **options)


def _optimized() -> bytes:
    return jpeg(64, 48, optimize=True)


def _restarting() -> bytes:
    return jpeg(64, 48, restart_marker_blocks=2)


def _ycck() -> bytes:
    plain = jpeg(33, 21, mode="CMYK")
    return patch(plain, find(plain, 0xEE) + 15, b"\x02")


def _first_scans(scans: int) -> bytes:
    """A progressive JPEG that ends, well-formed, after its first scans."""
    encoded = _progressive()
    return encoded[: find(encoded, SOS, nth=scans)] + END


def _in_data(change: Callable[[bytearray], None], encoded: bytes, nth: int = 0) -> bytes:
    """Changes the data of a scan."""
    start, end = data(encoded, nth), len(cut(encoded, 1, nth))
    scan = bytearray(encoded[start:end])
    change(scan)
    return encoded[:start] + bytes(scan) + encoded[end:]


def _zeros(scan: bytearray) -> None:
    middle = len(scan) // 2
    scan[middle : middle + len(scan) // 4] = bytes(len(scan) // 4)


def _flip(scan: bytearray) -> None:
    for at in range(len(scan) // 3, len(scan) // 3 + 8):
        scan[at] ^= 0x55 if scan[at] != 0xFF and scan[at] ^ 0x55 != 0xFF else 0


def _flip_bits(places: tuple[tuple[int, int], ...], scan: bytearray) -> None:
    for byte, bit in places:
        scan[byte] ^= 1 << bit


def _drop(scan: bytearray) -> None:
    middle = len(scan) // 2
    del scan[middle : middle + 40]


def _repeat(scan: bytearray) -> None:
    middle = len(scan) // 2
    scan[middle:middle] = scan[middle : middle + 40]


def _pad(scan: bytearray) -> None:
    scan += bytes(3)


def _marker_within(scan: bytearray) -> None:
    middle = len(scan) // 2
    scan[middle : middle + 2] = b"\xff\xd9"


def _restarts(change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    """Changes the order of the parts between restart markers."""
    encoded = _restarting()
    start, end = data(encoded), len(encoded) - 2
    parts = re.split(rb"(?=\xff[\xd0-\xd7])", encoded[start:end])
    return encoded[:start] + b"".join(change(parts)) + encoded[end:]


def _cut(percent: int) -> bytes:
    return cut(jpeg(64, 48), percent / 100)


def _cut_and_ended(percent: int) -> bytes:
    return _cut(percent) + END


def _colour_missing() -> bytes:
    encoded = _base85(_SEQUENTIAL_SCANS)
    return encoded[: find(encoded, SOS, nth=2)] + END


def _gray_2x2() -> bytes:
    plain = jpeg(37, 22, mode="L")
    return patch(plain, frame(plain) + 11, b"\x22")


def _says_gray() -> bytes:
    encoded = jpeg(64, 48)
    start = frame(encoded)
    return (
        encoded[:start]
        + segment(0xC0, encoded[start + 4 : start + 9] + b"\1\1\x11\0")
        + (encoded[start + 19 :])
    )


def _says_444() -> bytes:
    encoded = jpeg(64, 48, subsampling="4:2:0")
    return patch(encoded, frame(encoded) + 11, b"\x11")


def _two_components() -> bytes:
    encoded = jpeg()
    start = frame(encoded)
    components = b"\2\1\x11\0\2\x11\0"
    return (
        encoded[:start]
        + segment(0xC0, encoded[start + 4 : start + 9] + components)
        + (encoded[start + 19 :])
    )


def _two_frames() -> bytes:
    encoded = jpeg()
    start = frame(encoded)
    return encoded[:start] + encoded[start : start + 19] + encoded[start:]


def _many_scans(count: int) -> bytes:
    """A scan for each component, the first one repeated, in all so many."""
    encoded = _base85(_SEQUENTIAL_SCANS)
    first, second = find(encoded, SOS), find(encoded, SOS, nth=1)
    return encoded[:first] + encoded[first:second] * (count - 2) + encoded[second:]


def _scan_says(parameters: bytes) -> bytes:
    """A sequential JPEG whose scan header has other parameters than 0, 63, 0."""
    encoded = jpeg(64, 48)
    return patch(encoded, data(encoded) - 3, parameters)


def _with_stray(stray: bytes) -> bytes:
    encoded = jpeg(64, 48)
    at = find(encoded, 0xDB)
    return encoded[:at] + stray + encoded[at:]


def _sampled(name: str) -> bytes:
    """A JPEG with a sampling that Pillow does not write."""
    pixels = np.asarray(picture(37, 22))
    return bytes(simplejpeg.encode_jpeg(pixels, colorsubsampling=name))


def _rgb_420() -> bytes:
    """What Pillow takes for YCbCr 4:2:0, with Adobe's segment to say that it is RGB."""
    plain = without(jpeg(64, 48, subsampling="4:2:0"), 0xE0)
    return insert(plain, segment(0xEE, b"Adobe\0\x64\0\0\0\0\0"))


def _until_restart(number: int) -> bytes:
    """A JPEG of uneven sampling up to one of its restart markers."""
    encoded = _base85(_UNEVEN_RESTARTS)
    restarts = [marker.start() for marker in re.finditer(rb"\xff[\xd0-\xd7]", encoded)]
    return encoded[: restarts[number]]


def _large_thumbnail() -> bytes:
    """An image whose EXIF data holds a larger one, and so all the markers of a JPEG."""
    thumbnail = jpeg(160, 120)
    return jpeg(16, 12, exif=turned(1) + thumbnail)


def _bomb() -> bytes:
    return resize(jpeg(8, 8), 65_000, 65_000)


def _ycck_420() -> bytes:
    pixels = np.asarray(picture(33, 21, mode="CMYK"))
    return bytes(simplejpeg.encode_jpeg(pixels, colorspace="CMYK", colorsubsampling="420"))


def _profile_of(profile: bytes) -> bytes:
    """Makes a profile declare the length that it has."""
    return len(profile).to_bytes(4) + profile[4:]


_ORIENTATION_BYTE = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHIII", 1, 0x0112, 1, 1, 6, 0)

SECTIONS: dict[str, list[Case]] = {
    "Not a JPEG": [
        Case("empty", "an empty file", lambda: b"", UnsupportedImage),
        Case("one byte", "FF", lambda: b"\xff", UnsupportedImage),
        Case("zeros", "a thousand zero bytes", lambda: bytes(1000), UnsupportedImage),
        Case("text", "text named .jpg", lambda: b"Not a picture.\n", UnsupportedImage),
        Case("html", "an error page that was saved", lambda: b"<!doctype html>", UnsupportedImage),
        Case("png", "a PNG", lambda: saved(picture(9, 9), "PNG"), UnsupportedImage),
        Case("gif", "a GIF", lambda: saved(picture(9, 9), "GIF"), UnsupportedImage),
        Case("webp", "a WebP", lambda: saved(picture(9, 9), "WEBP"), UnsupportedImage),
        Case("tiff", "a TIFF", lambda: saved(picture(9, 9), "TIFF"), UnsupportedImage),
        Case(
            "tiff with jpeg",
            "a TIFF that holds its pixels as a JPEG",
            lambda: saved(picture(9, 9), "TIFF", compression="jpeg"),
            UnsupportedImage,
        ),
        Case(
            "pdf", "a PDF with a JPEG in it", lambda: saved(picture(9, 9), "PDF"), UnsupportedImage
        ),
        Case(
            "heic",
            "the start of a HEIC",
            lambda: b"\0\0\0\x18ftypheic" + bytes(99),
            UnsupportedImage,
        ),
        Case(
            "jpeg 2000", "a JPEG 2000", lambda: saved(picture(9, 9), "JPEG2000"), UnsupportedImage
        ),
        Case(
            "magic changed", "its first byte is FE", lambda: b"\xfe" + jpeg()[1:], UnsupportedImage
        ),
        Case(
            "byte in front", "a byte in front of the JPEG", lambda: b"\n" + jpeg(), UnsupportedImage
        ),
    ],
    "How it starts": [
        Case("starts E0", "JFIF", jpeg),
        Case("starts E1", "EXIF first", lambda: insert(jpeg(), segment(0xE1, exif({0x10F: "x"})))),
        Case(
            "starts E2",
            "a colour profile first",
            lambda: insert(jpeg(), *icc(profiles.srgb())),
            icc="kept",
        ),
        Case("starts EE", "Adobe's segment first", lambda: jpeg(keep_rgb=True)),
        Case("starts DB", "no application segment at all", lambda: without(jpeg(), 0xE0)),
        Case("starts FE", "a comment first", lambda: insert(jpeg(), segment(COM, b"hello"))),
        Case(
            "fill bytes",
            "FF bytes before a marker, as the format allows",
            lambda: jpeg()[:2] + b"\xff" * 9 + jpeg()[2:],
        ),
        Case(
            "huge comments",
            "1.3 MB of comments",
            lambda: insert(jpeg(), *[segment(COM, bytes(65_000))] * 20),
        ),
        Case("empty comment", "an empty comment", lambda: insert(jpeg(), segment(COM, b""))),
        Case(
            "unknown segments",
            "all sixteen application segments, filled with FF D9",
            lambda: insert(jpeg(), *(segment(0xE0 + n, b"\xff\xd9" * 50) for n in range(16))),
        ),
    ],
    "Kinds of JPEG": [
        Case("baseline", "baseline", lambda: jpeg(70, 51)),
        Case("optimized", "its own Huffman tables", lambda: jpeg(70, 51, optimize=True)),
        Case("progressive", "progressive", _progressive),
        Case("progressive gray", "progressive, gray", lambda: _progressive(mode="L")),
        Case("restart markers", "a restart marker after every second block", _restarting),
        Case(
            "restart rows",
            "restart markers, progressive",
            lambda: _progressive(restart_marker_rows=1),
        ),
        Case(
            "scan per colour",
            "sequential, a scan for each component",
            lambda: _base85(_SEQUENTIAL_SCANS),
        ),
        Case("arithmetic", "arithmetic coding", lambda: _base85(_ARITHMETIC), UnsupportedImage),
        Case(
            "arithmetic progressive",
            "arithmetic coding, progressive",
            lambda: _base85(_ARITHMETIC_PROGRESSIVE),
            UnsupportedImage,
        ),
        Case(
            "extended",
            "extended sequential (SOF1)",
            lambda: patch(jpeg(), frame(jpeg()), b"\xff\xc1"),
        ),
        Case("4:4:4", "full colour resolution", lambda: jpeg(37, 22, subsampling="4:4:4")),
        Case(
            "4:2:2", "half the colour resolution across", lambda: jpeg(37, 22, subsampling="4:2:2")
        ),
        Case(
            "4:2:0",
            "half the colour resolution both ways",
            lambda: jpeg(37, 22, subsampling="4:2:0"),
        ),
        Case("4:1:1", "a quarter of the colour resolution across", lambda: _sampled("411")),
        Case("4:4:0", "half the colour resolution down", lambda: _sampled("440")),
        Case("uneven sampling", "4:2:2, put as 2x2, 1x2, 1x2", lambda: _base85(_UNEVEN)),
        Case("uneven restarts", "the same with restart markers", lambda: _base85(_UNEVEN_RESTARTS)),
        Case("quality 1", "the coarsest quantization", lambda: jpeg(37, 22, quality=1)),
        Case("quality 100", "the finest quantization", lambda: jpeg(37, 22, quality=100)),
        Case(
            "mpo",
            "several images (MPO): the first",
            lambda: saved(picture(40, 30), "MPO", save_all=True, append_images=[picture(20, 10)]),
        ),
        Case(
            "motion photo",
            "a video after the image",
            lambda: jpeg() + b"\0\0\0\x18ftypmp42" + bytes(5000),
        ),
        Case(
            "two jpegs",
            "a second JPEG after the first: the first",
            lambda: jpeg(20, 20) + jpeg(30, 30),
        ),
        Case("garbage after", "random bytes after the end", lambda: jpeg() + bytes(range(256)) * 4),
        Case(
            "lossless",
            "lossless (SOF3)",
            lambda: patch(jpeg(), frame(jpeg()), b"\xff\xc3"),
            UnsupportedImage,
        ),
        Case(
            "lossless arithmetic",
            "lossless, arithmetic (SOF11)",
            lambda: patch(jpeg(), frame(jpeg()), b"\xff\xcb"),
            UnsupportedImage,
        ),
        Case(
            "hierarchical",
            "hierarchical (SOF5)",
            lambda: patch(jpeg(), frame(jpeg()), b"\xff\xc5"),
            UnsupportedImage,
        ),
        Case(
            "12 bits",
            "12 bits a sample",
            lambda: patch(jpeg(), frame(jpeg()) + 4, b"\x0c"),
            UnsupportedImage,
        ),
        Case(
            "16 bits",
            "16 bits a sample",
            lambda: patch(jpeg(), frame(jpeg()) + 4, b"\x10"),
            UnsupportedImage,
        ),
        Case("two components", "two components", _two_components, UnsupportedImage),
        Case(
            "height later",
            "a height of 0, defined after the scan (DNL)",
            lambda: resize(jpeg(), 24, 0),
            UnsupportedImage,
        ),
        Case("100 scans", "as many scans as are allowed, 100", lambda: _many_scans(100)),
        Case("101 scans", "a scan more", lambda: _many_scans(101), UnsupportedImage),
        Case(
            "scan of zeros",
            "a scan header that says 0, 0, 0, as Samsung's phones write it",
            lambda: _scan_says(b"\0\0\0"),
            plain=lambda: jpeg(64, 48),
        ),
        Case(
            "scan of bits",
            "a scan header that says 0, 63, 1|0",
            lambda: _scan_says(b"\0\x3f\x10"),
            plain=lambda: jpeg(64, 48),
        ),
        Case(
            "jpeg-ls",
            "a marker of JPEG-LS",
            lambda: insert(jpeg(), segment(0xF8, b"\1\0\0")),
            UnsupportedImage,
        ),
        Case(
            "jpeg-ls frame",
            "JPEG-LS (SOF55)",
            lambda: patch(jpeg(), frame(jpeg()), b"\xff\xf7"),
            UnsupportedImage,
        ),
        Case(
            "too many segments",
            "10,000 comments",
            lambda: insert(jpeg(), segment(COM, b"") * 10_000),
            UnsupportedImage,
        ),
    ],
    "Colours": [
        Case("gray", "gray", lambda: jpeg(37, 22, mode="L")),
        Case("gray 2x2", "gray, with sampling factors as if there were colours", _gray_2x2),
        Case("rgb", "RGB by Adobe's segment", lambda: jpeg(37, 22, keep_rgb=True)),
        Case("rgb 4:2:0", "RGB of half the resolution in green and blue", _rgb_420),
        Case(
            "rgb by name",
            "RGB by its components' names",
            lambda: without(jpeg(37, 22, keep_rgb=True), 0xEE),
        ),
        Case("cmyk", "CMYK", lambda: jpeg(33, 21, mode="CMYK")),
        Case(
            "cmyk progressive",
            "CMYK, progressive",
            lambda: jpeg(33, 21, mode="CMYK", progressive=True),
        ),
        Case("ycck", "YCCK (CMYK as Photoshop stores it)", _ycck),
        Case("ycck 4:2:0", "YCCK of half the colour resolution", _ycck_420),
        Case(
            "cmyk without adobe",
            "CMYK without Adobe's segment",
            lambda: without(jpeg(33, 21, mode="CMYK"), 0xEE),
        ),
        Case("profile", "a colour profile", lambda: jpeg(icc_profile=profiles.srgb()), icc="kept"),
        Case(
            "profile in parts",
            "a colour profile in three segments",
            lambda: insert(jpeg(), *icc(profiles.srgb(), 3)),
            icc="kept",
        ),
        Case(
            "profile out of order",
            "the segments of the profile in reverse order",
            lambda: insert(jpeg(), *reversed(icc(profiles.srgb(), 3))),
            icc="kept",
        ),
        Case(
            "gray profile",
            "gray with a profile for gray",
            lambda: jpeg(mode="L", icc_profile=profiles.gray()),
            icc="kept",
        ),
        Case(
            "cmyk profile",
            "CMYK with its profile",
            lambda: jpeg(33, 21, mode="CMYK", icc_profile=profiles.cmyk()),
            icc="applied",
        ),
        Case(
            "profile incomplete",
            "one of the profile's segments missing",
            lambda: insert(jpeg(), *icc(profiles.srgb(), 3)[:2]),
            icc="dropped",
        ),
        Case(
            "rgb of code 7",
            "Adobe's segment with a colour transform that does not exist",
            lambda: patch(_rgb_420(), find(_rgb_420(), 0xEE) + 15, b"\7"),
            DamagedImage,
        ),
        Case(
            "cmyk of code 1",
            "CMYK whose Adobe segment says YCbCr",
            lambda: patch(_ycck(), find(_ycck(), 0xEE) + 15, b"\1"),
            DamagedImage,
        ),
        Case(
            "adobe too short",
            "Adobe's segment that says it is shorter than it is",
            lambda: patch(_ycck(), find(_ycck(), 0xEE) + 3, b"\6"),
            DamagedImage,
        ),
        Case(
            "profile padded",
            "a colour profile with 100 zeros after it",
            lambda: insert(jpeg(), *icc(profiles.srgb() + bytes(100))),
            icc="kept",
        ),
        Case(
            "profile twice",
            "a colour profile stored twice",
            lambda: insert(jpeg(), *icc(profiles.srgb(), 2), *icc(profiles.srgb(), 2)),
            plain=jpeg,
            icc="kept",
        ),
        Case(
            "profile after half of one",
            "a part of a colour profile, then all of one",
            lambda: insert(jpeg(), icc(profiles.gray(), 2)[0], *icc(profiles.srgb())),
            plain=jpeg,
            icc="kept",
        ),
        Case(
            "profile's tags cut off",
            "a colour profile that ends within its table of tags",
            lambda: jpeg(icc_profile=_profile_of(profiles.srgb()[:140])),
            icc="dropped",
        ),
        Case(
            "profile broken",
            "random bytes for a profile",
            lambda: jpeg(icc_profile=bytes(range(256))),
            icc="dropped",
        ),
        Case(
            "profile for cmyk",
            "RGB with a profile for CMYK",
            lambda: jpeg(icc_profile=profiles.cmyk()),
            icc="dropped",
        ),
        Case(
            "cmyk broken profile",
            "CMYK with a broken profile",
            lambda: jpeg(33, 21, mode="CMYK", icc_profile=profiles.cmyk()[:-900]),
            icc="dropped",
        ),
    ],
    "EXIF": [
        *(
            Case(f"orientation {n}", f"EXIF orientation {n}", partial(_turned, n), orientation=n)
            for n in range(1, 9)
        ),
        Case("orientation 0", "an orientation that does not exist", lambda: _turned(0)),
        Case("orientation 9", "another that does not exist", lambda: _turned(9)),
        Case(
            "orientation gray",
            "gray, turned",
            lambda: jpeg(37, 22, mode="L", exif=turned(6)),
            orientation=6,
        ),
        Case(
            "orientation cmyk",
            "CMYK, turned",
            lambda: jpeg(37, 22, mode="CMYK", exif=turned(8)),
            orientation=8,
        ),
        Case(
            "orientation progressive",
            "progressive, turned",
            lambda: _progressive(exif=turned(5)),
            orientation=5,
        ),
        Case(
            "exif broken",
            "random bytes for EXIF data",
            lambda: jpeg(exif=b"Exif\0\0" + bytes(range(200))),
        ),
        Case(
            "exif cut off",
            "EXIF data that end in the middle",
            lambda: jpeg(exif=exif({0x0112: 6, 0x10F: "x" * 99})[:30]),
        ),
        Case(
            "exif twice named",
            "an EXIF segment that has its name twice: not applied",
            lambda: jpeg(37, 22, exif=b"Exif\0\0" + turned(6)),
        ),
        Case(
            "orientation byte",
            "the orientation as a byte instead of a short integer",
            lambda: jpeg(37, 22, exif=_ORIENTATION_BYTE),
            orientation=6,
        ),
        Case("exif empty", "an EXIF segment with nothing in it", lambda: jpeg(exif=b"Exif\0\0")),
        Case(
            "exif loop",
            "EXIF data whose directory points to itself",
            lambda: jpeg(exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\x08\0\0\0"),
        ),
        Case(
            "exif huge",
            "65,000 bytes of EXIF data",
            lambda: jpeg(exif=exif({0x0112: 3, 0x927C: b"\xff\xd9" * 32_000})),
            orientation=3,
        ),
        Case("large thumbnail", "a thumbnail that is larger than the image", _large_thumbnail),
    ],
    "Sizes": [
        Case("1 x 1", "one pixel", lambda: jpeg(1, 1)),
        Case("1 x 1 gray", "one gray pixel", lambda: jpeg(1, 1, mode="L")),
        Case("one row", "one row", lambda: jpeg(301, 1)),
        Case("one column", "one column", lambda: jpeg(1, 301)),
        Case("65,500 wide", "as wide as the decoder can", lambda: jpeg(65_500, 8)),
        Case("65,500 high", "as high as the decoder can", lambda: jpeg(8, 65_500)),
        Case(
            "65,501 wide",
            "wider than the decoder can",
            lambda: resize(jpeg(), 65_501, 1),
            ImageTooLarge,
        ),
        Case("0 wide", "a width of 0", lambda: resize(jpeg(), 0, 16), DamagedImage),
        Case("bomb", "a small file whose header says 65,000 x 65,000", _bomb, ImageTooLarge),
        Case(
            "largest bomb",
            "a small file whose header says the most there is, 65,535 x 65,535",
            lambda: resize(jpeg(8, 8), 65_535, 65_535),
            ImageTooLarge,
        ),
        Case(
            "bomb progressive",
            "the same, progressive",
            lambda: resize(_progressive(), 65_000, 65_000),
            ImageTooLarge,
        ),
        Case(
            "over the pixels",
            "just over the limit of pixels",
            lambda: resize(jpeg(), 1001, 1000),
            ImageTooLarge,
        ),
        Case(
            "at the pixels",
            "says as many pixels as the limit, but has fewer",
            lambda: resize(jpeg(), 1000, 1000),
            DamagedImage,
        ),
        Case(
            "over the bytes",
            "a file over the limit of bytes",
            lambda: jpeg() + bytes(2_000_000),
            ImageTooLarge,
        ),
    ],
    "A header that lies": [
        Case(
            "says higher",
            "says twice its height",
            lambda: resize(jpeg(64, 48), 64, 96),
            DamagedImage,
        ),
        Case(
            "says lower", "says half its height", lambda: resize(jpeg(64, 48), 64, 24), DamagedImage
        ),
        Case(
            "says wider",
            "says twice its width",
            lambda: resize(jpeg(64, 48), 128, 48),
            DamagedImage,
        ),
        Case(
            "says narrower",
            "says half its width",
            lambda: resize(jpeg(64, 48), 32, 48),
            DamagedImage,
        ),
        Case(
            "says a pixel less",
            "says a pixel less, within the last block: nothing can detect it",
            lambda: resize(jpeg(64, 48), 63, 48),
        ),
        Case("says gray", "three components that are said to be one", _says_gray, DamagedImage),
        Case("says other sampling", "4:2:0 that is said to be 4:4:4", _says_444, DamagedImage),
        Case(
            "sampling of 0",
            "a sampling factor of 0",
            lambda: patch(jpeg(), frame(jpeg()) + 11, b"\0"),
            DamagedImage,
        ),
        Case("second frame", "two frame headers", _two_frames, DamagedImage),
    ],
    "Bytes outside the data": [
        *(
            Case(
                f"stray {name}",
                f"{about} between two segments",
                partial(_with_stray, stray),
                plain=lambda: jpeg(64, 48),
                skipped=len(stray),
            )
            for name, about, stray in (
                ("text", "text", b"junk"),
                ("zeros", "seven zeros, as Photoshop leaves them", bytes(7)),
                ("FF 00", "FF 00 twice", b"\xff\0" * 2),
                ("half a segment", "a segment without its FF", b"\0\xe1\0\x16" + bytes(20)),
                ("restart markers", "restart markers", b"\xff\xd3\xff\xd4"),
                ("TEM", "a TEM marker", b"\xff\x01"),
            )
        ),
        Case(
            "table without its marker",
            "a Huffman table of its own whose marker is broken",
            lambda: patch(_optimized(), find(_optimized(), 0xC4), b"\xff\xd4"),
            DamagedImage,
        ),
        Case(
            "table of another kind",
            "a Huffman table whose marker says that it is one for arithmetic coding",
            lambda: patch(_optimized(), find(_optimized(), 0xC4), b"\xff\xcc"),
            DamagedImage,
        ),
        Case(
            "table between scans",
            "progressive, a Huffman table between scans whose marker is broken",
            lambda: patch(_progressive(), find(_progressive(), 0xC4, nth=5), b"\xff\xd4"),
            DamagedImage,
        ),
        Case(
            "stray between scans",
            "text between the data of a scan and the next segment: data left over by damage?",
            lambda: _in_data(lambda scan: scan.extend(b"text" * 9), _progressive(mode="L")),
            DamagedImage,
        ),
        Case(
            "zeros after the last row",
            "a filler of 5,000 zeros between data and end, as drones write it",
            lambda: _in_data(lambda scan: scan.extend(bytes(5000)), jpeg(64, 48)),
            plain=lambda: jpeg(64, 48),
            skipped=5000,
        ),
        Case(
            "many zeros after the last row",
            "a filler that is many times as long as the pixels",
            lambda: _in_data(lambda scan: scan.extend(bytes(1_500_000)), jpeg(64, 48)),
            plain=lambda: jpeg(64, 48),
            skipped=1_500_000,
        ),
        Case(
            "zeros for data",
            "a flat image whose data end in zeros",
            lambda: saved(Image.new("L", (800, 600), 128), "JPEG", progressive=True),
        ),
        Case(
            "surplus restarts",
            "restart markers and data after the last row, as scanners write them",
            lambda: _restarting()[:-2] + b"\xff\xd3" + b"\x12" * 600 + b"\xff\xd4data" + END,
            plain=_restarting,
            skipped=608,
        ),
        Case(
            "surplus restarts without need",
            "a restart marker after the last row where there are none",
            lambda: jpeg(64, 48)[:-2] + b"\xff\xd0" + b"\x12" * 60 + END,
            plain=lambda: jpeg(64, 48),
            skipped=62,
        ),
        Case(
            "no end",
            "all but the end-of-image marker",
            lambda: jpeg(64, 48)[:-2],
            plain=lambda: jpeg(64, 48),
        ),
        Case(
            "half an end",
            "all but the last byte",
            lambda: jpeg(64, 48)[:-1],
            plain=lambda: jpeg(64, 48),
        ),
        Case(
            "progressive without end",
            "progressive, all but the end-of-image marker",
            lambda: _progressive()[:-2],
            plain=_progressive,
        ),
        Case(
            "trailer instead of an end",
            "eight bytes of their own in the place of the end, as Dahua's cameras write them",
            lambda: jpeg(64, 48)[:-2] + b"dhav\x59\x19\1\0",
            plain=lambda: jpeg(64, 48),
            skipped=8,
        ),
        Case(
            "trailer after half",
            "the same after half of the data",
            lambda: cut(jpeg(64, 48), 0.5) + b"dhav\x59\x19\1\0",
            DamagedImage,
        ),
        Case(
            "other trailer",
            "other bytes in the place of the end: nothing proves that the data are whole",
            lambda: jpeg(64, 48)[:-2] + b"\x12" * 40,
            DamagedImage,
        ),
    ],
    "Cut off": [
        Case("three bytes", "FF D8 FF and no more", lambda: b"\xff\xd8\xff", DamagedImage),
        Case(
            "only its ends", "start and end with nothing between", lambda: START + END, DamagedImage
        ),
        Case("cut in header", "cut off in the tables", lambda: jpeg()[:200], DamagedImage),
        Case(
            "cut before frame",
            "cut off between two segments",
            lambda: jpeg()[: frame(jpeg())],
            DamagedImage,
        ),
        Case("cut before scan", "no scan", lambda: jpeg()[: find(jpeg(), SOS)] + END, DamagedImage),
        *(
            Case(f"cut at {n}%", f"cut off after {n}% of the data", partial(_cut, n), DamagedImage)
            for n in (0, 1, 25, 50, 75, 99)
        ),
        *(
            Case(
                f"ended at {n}%",
                f"cut off after {n}% of the data, an end appended",
                partial(_cut_and_ended, n),
                DamagedImage,
            )
            for n in (0, 1, 25, 50, 75, 99)
        ),
        Case(
            "ended gray",
            "gray, half of it, an end appended",
            lambda: cut(jpeg(64, 48, mode="L"), 0.5) + END,
            DamagedImage,
        ),
        Case(
            "ended cmyk",
            "CMYK, half of it, an end appended",
            lambda: cut(jpeg(64, 48, mode="CMYK"), 0.5) + END,
            DamagedImage,
        ),
        Case(
            "ended turned",
            "turned, half of it, an end appended",
            lambda: cut(_turned(6), 0.5) + END,
            DamagedImage,
        ),
        Case(
            "ended with restarts",
            "with restart markers, half of it, an end appended",
            lambda: cut(_restarting(), 0.5) + END,
            DamagedImage,
        ),
        Case(
            "ended uneven",
            "4:2:2, put as 2x2, 1x2, 1x2, half of it, an end appended",
            lambda: cut(_base85(_UNEVEN), 0.5) + END,
            DamagedImage,
        ),
        Case(
            "ended uneven restarts",
            "2x2, 1x2, 1x2 with restart markers, cut at one of them, an end appended",
            lambda: _until_restart(1) + END,
            DamagedImage,
        ),
        Case(
            "ended ycck",
            "YCCK of half the colour resolution, half of it, an end appended",
            lambda: cut(_ycck_420(), 0.5) + END,
            DamagedImage,
        ),
        Case(
            "progressive cut",
            "progressive, cut off in its last scan",
            lambda: cut(_progressive(), 0.5, nth=-1),
            DamagedImage,
        ),
        Case(
            "progressive ended",
            "the same, an end appended",
            lambda: cut(_progressive(), 0.5, nth=-1) + END,
            DamagedImage,
        ),
        Case(
            "progressive first scan",
            "progressive, its first scan only",
            lambda: _first_scans(1),
            DamagedImage,
        ),
        Case(
            "progressive half the scans",
            "progressive, half of its scans",
            lambda: _first_scans(5),
            DamagedImage,
        ),
        Case(
            "progressive a scan short",
            "progressive, all but its last scan",
            lambda: _first_scans(9),
            DamagedImage,
        ),
        Case(
            "colour missing",
            "sequential, the last colour's scan missing",
            _colour_missing,
            DamagedImage,
        ),
    ],
    "Corrupt": [
        Case(
            "zeros within",
            "a quarter of the data zeroed",
            lambda: _in_data(_zeros, jpeg(64, 48)),
            DamagedImage,
        ),
        Case(
            "flipped within",
            "bits flipped in eight bytes",
            lambda: _in_data(_flip, jpeg(64, 48)),
            DamagedImage,
        ),
        Case(
            "bytes dropped",
            "40 bytes of the data missing",
            lambda: _in_data(_drop, jpeg(64, 48)),
            DamagedImage,
        ),
        Case(
            "bytes repeated",
            "40 bytes of the data twice",
            lambda: _in_data(_repeat, jpeg(64, 48)),
            DamagedImage,
        ),
        Case(
            "bytes appended",
            "three bytes between data and end: padding",
            lambda: _in_data(_pad, jpeg(64, 48)),
        ),
        Case(
            "many bytes appended",
            "300 bytes between data and end that are not zeros",
            lambda: _in_data(lambda scan: scan.extend(b"data" * 75), jpeg(64, 48)),
            DamagedImage,
        ),
        Case(
            "corrupt uneven",
            "two bits flipped in the data of 4:2:2, put as 2x2, 1x2, 1x2",
            lambda: _in_data(partial(_flip_bits, ((21, 4), (32, 3))), _base85(_UNEVEN)),
            DamagedImage,
        ),
        Case(
            "corrupt rgb",
            "two bits flipped in the data of RGB of half the resolution in green and blue",
            lambda: _in_data(partial(_flip_bits, ((2161, 3), (1793, 7))), _rgb_420()),
            DamagedImage,
        ),
        Case(
            "end within",
            "an end in the middle of the data",
            lambda: _in_data(_marker_within, jpeg(64, 48)),
            DamagedImage,
        ),
        Case(
            "progressive zeros",
            "progressive, a quarter of the first scan zeroed",
            lambda: _in_data(_zeros, _progressive()),
            DamagedImage,
        ),
        Case(
            "progressive dropped",
            "progressive, 40 bytes of the last scan missing",
            lambda: _in_data(_drop, _progressive(), nth=-1),
            DamagedImage,
        ),
        Case(
            "cmyk zeros",
            "CMYK, a quarter of the data zeroed",
            lambda: _in_data(_zeros, jpeg(64, 48, mode="CMYK")),
            DamagedImage,
        ),
        Case(
            "restart missing",
            "a restart marker and its data missing",
            lambda: _restarts(lambda parts: parts[:2] + parts[3:]),
            DamagedImage,
        ),
        Case(
            "restarts swapped",
            "restart markers out of order",
            lambda: _restarts(lambda parts: [*parts[:2], parts[3], parts[2], *parts[4:]]),
            DamagedImage,
        ),
        Case(
            "restart twice",
            "a restart marker and its data twice",
            lambda: _restarts(lambda parts: parts[:3] + parts[2:]),
            DamagedImage,
        ),
        Case(
            "no huffman tables",
            "the Huffman tables missing: those of the format's annex K, as in video",
            lambda: without(without(jpeg(mode="L"), 0xC4), 0xC4),
        ),
        Case(
            "other huffman tables missing",
            "tables of its own, one of them missing",
            lambda: without(jpeg(64, 48, optimize=True), 0xC4, nth=1),
            DamagedImage,
        ),
        Case(
            "no quantization table",
            "the quantization table missing",
            lambda: without(jpeg(mode="L"), 0xDB),
            DamagedImage,
        ),
        Case(
            "bad huffman table",
            "a Huffman table with more codes than there can be",
            lambda: patch(jpeg(), find(jpeg(), 0xC4) + 5, b"\xff"),
            DamagedImage,
        ),
        Case(
            "segment too long",
            "a segment that says it is longer than the file",
            lambda: patch(jpeg(), 4, b"\xff\xff"),
            DamagedImage,
        ),
        Case(
            "segment too short",
            "a segment that says it is one byte long",
            lambda: patch(jpeg(), 4, b"\0\x01"),
            DamagedImage,
        ),
        Case(
            "unknown marker",
            "a marker that the format reserves",
            lambda: insert(jpeg(), segment(0x02, b"reserved")),
            DamagedImage,
        ),
        Case(
            "second start",
            "a start of image within the image",
            lambda: insert(jpeg(), START),
            DamagedImage,
        ),
        Case(
            "scan of nothing",
            "a scan of a component that is not there",
            lambda: patch(jpeg(), find(jpeg(), SOS) + 5, b"\x77"),
            DamagedImage,
        ),
        Case(
            "frame too short",
            "a frame header with fewer components than it says",
            lambda: patch(jpeg(), frame(jpeg()) + 9, b"\x04"),
            DamagedImage,
        ),
        Case(
            "scan too short",
            "a scan header with fewer components than it says",
            lambda: patch(jpeg(), find(jpeg(), SOS) + 4, b"\x04"),
            DamagedImage,
        ),
    ],
}

CASES = [case for cases in SECTIONS.values() for case in cases]
