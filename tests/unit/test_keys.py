"""Keys as S3 encodes them, and what derives from them: PNG keys, fallback keys, execution names."""

import re
from urllib.parse import quote_plus

import pytest

from image_converter import keys
from image_converter.errors import KeyTooLong
from tests.support.awkward_keys import AWKWARD_KEYS

awkward = pytest.mark.parametrize("key", AWKWARD_KEYS.values(), ids=AWKWARD_KEYS)


@awkward
def test_a_key_that_s3_encoded_comes_back_plain(key: str) -> None:
    assert keys.decode(quote_plus(key, safe="/")) == key


@pytest.mark.parametrize(
    ("encoded", "plain"),
    [
        ("red+flower.jpg", "red flower.jpg"),
        ("a%2Bb.jpg", "a+b.jpg"),
        ("a%252Bb.jpg", "a%2Bb.jpg"),
        ("%E7%8C%AB.jpg", "猫.jpg"),
        ("a%2Fb.jpg", "a/b.jpg"),
    ],
)
def test_a_key_is_decoded_once(encoded: str, plain: str) -> None:
    assert keys.decode(encoded) == plain


def test_a_key_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(UnicodeDecodeError):
        keys.decode("%FF.jpg")


@pytest.mark.parametrize(
    ("key", "png"),
    [
        ("1.jpg", "1.png"),
        ("a/B.JPEG", "a/B.png"),
        ("a.jpe", "a.png"),
        ("a.JfIf", "a.png"),
        ("a.jpg.jpg", "a.jpg.png"),
        ("jpg.a/photo", "jpg.a/photo.png"),
        ("a.png", "a.png.png"),
        ("a.txt", "a.txt.png"),
        ("photo.", "photo..png"),
        (".jpg", ".png"),
        ("ajpg", "ajpg.png"),
        ("x" * 1020 + ".jpg", "x" * 1020 + ".png"),
        ("x" * 1020, "x" * 1020 + ".png"),
    ],
)
def test_the_png_key(key: str, png: str) -> None:
    assert keys.png_key(key) == png


@awkward
def test_a_png_never_has_its_original_s_key(key: str) -> None:
    assert keys.png_key(key) != key


@pytest.mark.parametrize("key", ["x" * 1021, "x" * 1024, "ü" * 511, "x" * 1020 + ".jpe" + "x"])
def test_a_png_key_that_would_be_too_long_is_refused_with_the_limit(key: str) -> None:
    with pytest.raises(KeyTooLong, match=r"1024|1,024"):
        keys.png_key(key)


@pytest.mark.parametrize(
    ("key", "extension"),
    [
        ("a.JPG", "jpg"),
        ("a.tar.gz", "gz"),
        ("a", None),
        ("a.b/c", None),
        (".jpg", None),
        ("a.", None),
        ("/a.Txt", "txt"),
        ("", None),
    ],
)
def test_the_extension(key: str, extension: str | None) -> None:
    assert keys.extension(key) == extension


@awkward
def test_an_aside_key_fits_s3_and_names_key_and_version(key: str) -> None:
    aside = keys.fallback_key(key, "096fKKXTRTtl3on89fVO.nfljtsv6qko")
    assert len(aside.encode()) <= keys.MAX_KEY_BYTES
    assert aside.startswith("aside/096fKKXTRTtl3on89fVO.nfljtsv6qko/")
    assert aside != keys.fallback_key(key, "another-version")
    assert aside != keys.fallback_key(f"another/{key}"[:1000], "096fKKXTRTtl3on89fVO.nfljtsv6qko")


def test_an_aside_key_has_no_slash_of_the_version() -> None:
    assert keys.fallback_key("a.jpg", "../v/1") == "aside/.._v_1/a.jpg"


@awkward
def test_an_execution_name_is_one_that_step_functions_takes(key: str) -> None:
    name = keys.execution_name("bucket", key, "version")
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,80}", name)
    assert name == keys.execution_name("bucket", key, "version")


def test_an_execution_name_differs_by_bucket_key_and_version() -> None:
    names = {
        keys.execution_name(bucket, key, version)
        for bucket in ("b", "bk")
        for key in ("k", "kk", "a/k", "a-k", "K")
        for version in ("v", "kv", "")
    }
    assert len(names) == 2 * 5 * 3


def test_an_execution_name_starts_as_the_file_does() -> None:
    assert keys.execution_name("b", "holiday/Straße 1.jpg", "v").startswith("Stra-e-1-jpg-")
    assert keys.execution_name("b", "猫", "v").startswith("image-")
