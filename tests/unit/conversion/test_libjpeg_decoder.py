"""libjpeg's decoder: its library, its file, and its process that may be killed."""

import os
import signal

import pytest

from image_converter.conversion import bundled, libjpeg_decoder
from tests.support.images import digests, jpeg, png


def test_a_missing_libjpeg_is_an_error_that_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    libjpeg_decoder._library.cache_clear()
    monkeypatch.setattr(bundled, "_PLACES", ())
    with pytest.raises(OSError, match="install Pillow from one of its wheels"):
        png(jpeg(mode="CMYK"))
    libjpeg_decoder._library.cache_clear()


def test_without_files_in_memory_it_takes_one_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> int:
        raise PermissionError

    usual = digests(png(jpeg(300, 200)))
    monkeypatch.setattr(os, "memfd_create", refuse)
    assert digests(png(jpeg(300, 200))) == usual


def test_a_decoding_process_that_is_killed_is_not_the_image_s_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(libjpeg_decoder._Decoding, "_run", killed)
    with pytest.raises(ChildProcessError, match="without a reason"):
        png(jpeg(mode="CMYK"))
