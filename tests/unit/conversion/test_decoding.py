"""Decoding: colours, density, orientation, limits, and both decoders where images are damaged."""

import io
import logging
import os
import re
import signal
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_converter.conversion import Limits, bundled, convert, libjpeg_decoder, libtiff_decoder
from image_converter.errors import ConversionError, DamagedImage, ImageTooLarge
from tests.support.images import jpeg
from tests.support.jpeg import reference
from tests.support.jpeg.corpus import CASES, Case
from tests.support.jpeg.corpus import LIMITS as CORPUS_LIMITS
from tests.support.jpeg.editing import END, cut, frame, insert, patch, resize, segment, without

LIMITS = Limits(max_bytes=1_000_000, max_pixels=1_000_000)

JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")
# libjpeg wants all of it: a shorter segment is none.
SHORT_JFIF = segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0")
ADOBES = [
    b"",
    *(segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([transform])) for transform in (0, 1)),
]
SHORT_ADOBE = segment(0xEE, b"Adobe\0\x64\0\0\0\0")
HALF = re.compile("mended|cut|colour|corrupt|progressive (cut|mended|first|half|a scan)")
NAMES = [b"\1\2\3", b"RGB", b"\0\1\2", b"rgb"]


@pytest.fixture
def only_libjpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libtiff_decoder, "_library", lambda: None)


def _named(encoded: bytes, names: bytes) -> bytes:
    """Give the three components other names, in the frame and in the scan."""
    for index, name in enumerate(names):
        encoded = patch(encoded, frame(encoded) + 10 + 3 * index, bytes([name]))
    scan = encoded.index(b"\xff\xda")
    for index, name in enumerate(names):
        encoded = patch(encoded, scan + 5 + 2 * index, bytes([name]))
    return encoded


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:0"])
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("adobe", [*ADOBES, SHORT_ADOBE])
@pytest.mark.parametrize("jfif", [b"", JFIF, SHORT_JFIF])
def test_colours_are_those_that_libjpeg_sees(
    jfif: bytes, adobe: bytes, names: bytes, subsampling: str
) -> None:
    plain = _named(without(jpeg(33, 21, subsampling=subsampling), 0xE0), names)
    encoded = insert(plain, *filter(None, (jfif, adobe)))
    png = io.BytesIO()
    convert(encoded, png, LIMITS)
    assert np.array_equal(reference.decode_png(png.getvalue()), reference.decode_jpeg(encoded))


@pytest.mark.usefixtures("only_libjpeg")
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.error is None], ids=lambda case: case.name
)
def test_without_libtiff_good_images_are_converted_all_the_same(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = case.make()  # once: profiles have a time in them
    alone, usual = io.BytesIO(), io.BytesIO()
    convert(encoded, alone, CORPUS_LIMITS)
    monkeypatch.undo()
    convert(encoded, usual, CORPUS_LIMITS)
    assert alone.getvalue() == usual.getvalue()


@pytest.mark.usefixtures("only_libjpeg")
@pytest.mark.parametrize(
    "case",
    [case for case in CASES if HALF.match(case.name)],
    ids=lambda case: case.name,
)
def test_without_libtiff_half_an_image_is_refused_all_the_same(case: Case) -> None:
    assert case.error
    with pytest.raises(case.error):
        convert(case.make(), io.BytesIO(), CORPUS_LIMITS)


def test_a_missing_libtiff_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    libtiff_decoder._library.cache_clear()
    monkeypatch.setattr(bundled, "_PLACES", ())
    with caplog.at_level(logging.WARNING):
        assert libtiff_decoder._library() is None
    libtiff_decoder._library.cache_clear()
    assert "libtiff" in caplog.text


def test_a_missing_libjpeg_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    libjpeg_decoder._library.cache_clear()
    monkeypatch.setattr(bundled, "_PLACES", ())
    with pytest.raises(OSError, match="install Pillow from one of its wheels"):
        convert(jpeg(mode="CMYK"), io.BytesIO(), LIMITS)
    libjpeg_decoder._library.cache_clear()


def test_without_files_in_memory_it_takes_one_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> int:
        raise PermissionError

    usual, on_disk = io.BytesIO(), io.BytesIO()
    convert(jpeg(300, 200), usual, LIMITS)
    monkeypatch.setattr(os, "memfd_create", refuse)
    convert(jpeg(300, 200), on_disk, LIMITS)
    assert on_disk.getvalue() == usual.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_no_file_and_no_process_stays(mode: str) -> None:
    encoded = jpeg(300, 200, mode=mode)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        convert(encoded, io.BytesIO(), LIMITS)
        with pytest.raises(DamagedImage):
            convert(cut(encoded, 0.5) + END, io.BytesIO(), LIMITS)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    with pytest.raises(ChildProcessError):  # there is none to wait for
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_damage_is_reported_with_its_place(mode: str) -> None:
    with pytest.raises(DamagedImage, match=r"near row \d+: .*premature end of data segment"):
        convert(cut(jpeg(200, 200, mode=mode), 0.5) + END, io.BytesIO(), LIMITS)


def test_a_decoding_process_that_is_killed_is_not_the_image_s_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(libjpeg_decoder._Decoding, "_run", killed)
    with pytest.raises(ChildProcessError, match="without a reason"):
        convert(jpeg(mode="CMYK"), io.BytesIO(), LIMITS)


@pytest.mark.parametrize("share", [number / 20 for number in range(20)])
@pytest.mark.parametrize("options", [{}, {"mode": "L"}, {"mode": "CMYK"}, {"progressive": True}])
def test_no_cut_passes(options: dict[str, object], share: float) -> None:
    encoded = jpeg(120, 80, **options)  # type: ignore[arg-type]
    with pytest.raises(ConversionError):
        convert(cut(encoded, share, nth=-1) + END, io.BytesIO(), LIMITS)


class TestLimits:
    def test_bytes(self) -> None:
        encoded = jpeg()
        convert(encoded, io.BytesIO(), Limits(len(encoded), LIMITS.max_pixels))
        with pytest.raises(ImageTooLarge, match=f"{len(encoded):,} bytes"):
            convert(encoded, io.BytesIO(), Limits(len(encoded) - 1, LIMITS.max_pixels))

    def test_pixels(self) -> None:
        encoded = jpeg(20, 10)
        convert(encoded, io.BytesIO(), Limits(LIMITS.max_bytes, 200))
        with pytest.raises(ImageTooLarge, match="20 x 10 pixels"):
            convert(encoded, io.BytesIO(), Limits(LIMITS.max_bytes, 199))

    @pytest.mark.parametrize("options", [{}, {"mode": "CMYK"}, {"progressive": True}])
    def test_nothing_is_decoded_over_a_limit(
        self, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise AssertionError("decoded")

        monkeypatch.setattr(libtiff_decoder.JpegRows, "__init__", refuse)
        monkeypatch.setattr(libjpeg_decoder.JpegRows, "__init__", refuse)
        bomb = resize(jpeg(**options), 65_000, 65_000)  # type: ignore[arg-type]
        with pytest.raises(ImageTooLarge):
            convert(bomb, io.BytesIO(), LIMITS)

    def test_no_other_format_is_looked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("opened")

        monkeypatch.setattr(Image, "open", refuse)
        for encoded in (jpeg(), jpeg(mode="CMYK")):
            convert(encoded, io.BytesIO(), LIMITS)

    def test_more_pixels_than_pillow_thinks_wise_are_fine(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        for encoded in (jpeg(50, 50), jpeg(50, 50, mode="CMYK")):
            convert(encoded, io.BytesIO(), LIMITS)


def _density(encoded: bytes) -> tuple[int, ...] | None:
    png = io.BytesIO()
    convert(encoded, png, LIMITS)
    content = png.getvalue()
    at = content.find(b"pHYs")
    return struct.unpack_from(">IIB", content, at + 4) if at > 0 else None


class TestDensity:
    def _jfif(self, unit: int, across: int, down: int) -> bytes:
        payload = b"JFIF\0\1\1" + struct.pack(">BHHBB", unit, across, down, 0, 0)
        return insert(without(jpeg(), 0xE0), segment(0xE0, payload))

    def _exif(self, tags: dict[int, object]) -> bytes:
        exif = Image.Exif()
        for tag, value in tags.items():
            exif[tag] = value
        return exif.tobytes()

    def test_jfif_per_inch(self) -> None:
        assert _density(self._jfif(1, 300, 72)) == (11811, 2835, 1)

    def test_jfif_per_centimetre(self) -> None:
        assert _density(self._jfif(2, 100, 50)) == (10000, 5000, 1)

    def test_jfif_ratio(self) -> None:
        assert _density(self._jfif(0, 2, 1)) == (2, 1, 0)

    @pytest.mark.parametrize(("unit", "across"), [(0, 1), (1, 0), (2, 0), (0, 0), (7, 300)])
    def test_jfif_of_no_use(self, unit: int, across: int) -> None:
        assert _density(self._jfif(unit, across, 1)) is None

    def test_exif(self) -> None:
        exif = self._exif({0x011A: 240.0, 0x011B: 120.0, 0x0128: 2})
        assert _density(jpeg(exif=exif)) == (9449, 4724, 1)

    @pytest.mark.parametrize("across", [(0, 1), (1, 0), (0, 0), (2**32 - 1, 1)])
    @pytest.mark.parametrize("unit", [2, 3, 0])
    def test_exif_of_no_use(self, across: tuple[int, int], unit: int) -> None:
        directory = struct.pack("<H", 3)
        directory += struct.pack("<HHII", 0x011A, 5, 1, 50)
        directory += struct.pack("<HHII", 0x011B, 5, 1, 58)
        directory += struct.pack("<HHII", 0x0128, 3, 1, unit) + bytes(4)
        exif = b"Exif\0\0II*\0\x08\0\0\0" + directory + struct.pack("<4I", *across, 72, 1)
        assert _density(jpeg(exif=exif)) is None

    def test_it_turns_with_the_image(self) -> None:
        exif = self._exif({0x0112: 6})
        turned = insert(self._jfif(1, 300, 72), segment(0xE1, exif))
        assert _density(turned) == (2835, 11811, 1)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_of_many_blocks_are_turned_as_one(orientation: int, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    encoded = jpeg(300, 280, mode=mode, exif=exif.tobytes())
    png = io.BytesIO()
    convert(encoded, png, LIMITS)
    expected = reference.decode_jpeg(encoded, orientation)
    if mode == "CMYK":
        expected = reference.cmyk_to_rgb(expected)
    assert np.array_equal(reference.decode_png(png.getvalue()), expected)
