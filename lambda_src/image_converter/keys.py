"""Object keys: how they are decoded, and which names are derived from them."""

import hashlib
import posixpath
import re
from urllib.parse import unquote_plus

from image_converter.errors import KeyTooLong

JPEG_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif")
PNG_SUFFIX = ".png"
PLACE = re.compile(r"\{(dir|stem|name|ext)\}")

# Where the manifests of backfills are in the destination bucket, after its prefix. The pipeline
# does not write there, because others may (`backfill_manifests_place` in terraform/backfill.tf).
MANIFESTS = "backfill-manifests/"

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
MAX_KEY_BYTES = 1024


def decode(key: str) -> str:
    """Return the plain key of an S3 notification, where keys are URL-encoded with `+` for a space.

    Called once, where a notification enters; inside, keys are plain.

    Raises:
        UnicodeDecodeError: the key's bytes are not UTF-8.
    """
    return unquote_plus(key, errors="strict")


def extension(key: str) -> str | None:
    """Return the lower-case extension of the key's last part without its dot, or None."""
    return posixpath.splitext(key)[1][1:].lower() or None


def is_named_like_a_jpeg(key: str) -> bool:
    """Return whether the key ends like a JPEG's, in any case."""
    return key.lower().endswith(JPEG_SUFFIXES)


def is_folder(key: str, size: int) -> bool:
    """Return whether an object of that size in bytes is what AWS's console makes for a folder.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-folders.html
    """
    return size == 0 and key.endswith("/")


def prefixed(prefix: str, key: str) -> str:
    """Return the key with the destination's prefix.

    Raises:
        KeyTooLong: it would have more than 1,024 bytes.
    """
    prefixed_key = prefix + key
    if _size(prefixed_key) > MAX_KEY_BYTES:
        raise KeyTooLong(
            f"{key!r} would need a key of {_size(prefixed_key)} bytes with the prefix {prefix!r}, "
            f"and S3 allows {MAX_KEY_BYTES}: upload the image under a shorter name"
        )
    return prefixed_key


def png_key(key: str) -> str:
    """Return the PNG's key: a JPEG suffix becomes `.png`, any other key gets `.png` appended.

    So a PNG never lands on its own original, whatever the original is called.

    Raises:
        KeyTooLong: the PNG's key would have more than 1,024 bytes.
    """
    return derived(key, "{dir}{stem}.{ext}", name="png", ext="png")


def derived(key: str, template: str, *, name: str, ext: str) -> str:
    """Return the key of a rendition of an image.

    Args:
        key: the image's.
        template: the rendition's key, with {dir} for the image's folder and its slash, {stem} for
            its name without a JPEG suffix, {name} and {ext}.
        name: the rendition's name.
        ext: its suffix, without the dot.

    Raises:
        KeyTooLong: the key would have more than 1,024 bytes.
    """
    suffix = next((suffix for suffix in JPEG_SUFFIXES if key.lower().endswith(suffix)), "")
    folder, slash, stem = key[: len(key) - len(suffix)].rpartition("/")
    parts = {"dir": folder + slash, "stem": stem, "name": name, "ext": ext}
    # In one pass: parts of the key may look like places themselves.
    derived_key = PLACE.sub(lambda place: parts[place[1]], template)
    if _size(derived_key) > MAX_KEY_BYTES:
        raise KeyTooLong(
            f"the {ext.upper()} of {key!r} would need a key of {_size(derived_key)} bytes and S3 "
            f"allows {MAX_KEY_BYTES}: upload the image under a shorter name"
        )
    return derived_key


def fallback_key(key: str, version: str, prefix: str = "") -> str:
    """Return the key of an object whose own key belongs to a newer or another image.

    Args:
        key: the key it would have had.
        version: the version of the source object it was made from.
        prefix: what will stand before the result, and takes some of its length.
    """
    safe_version = re.sub(r"[^A-Za-z0-9._-]", "_", version)
    aside = f"aside/{safe_version}/{key}"
    if _size(prefix + aside) <= MAX_KEY_BYTES:
        return aside
    return f"aside/{safe_version}/{fingerprint(key)}{posixpath.splitext(key)[1][:16]}"


def fingerprint(key: str) -> str:
    """Return 32 hex digits that stand for a key which may be too long or not ASCII."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def execution_name(bucket: str, key: str, version: str) -> str:
    """Return the execution's name: one per version of an object, however often it is notified.

    A few readable characters of the key come first; the hash after them makes the name unique.

    Returns:
        At most 73 of the 80 characters of `[A-Za-z0-9-_]` that StartExecution allows:
        https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    digest = hashlib.sha256(f"{bucket}\0{key}\0{version}".encode()).hexdigest()[:48]
    readable = re.sub(r"[^A-Za-z0-9]+", "-", posixpath.basename(key)).strip("-")[:24]
    return f"{readable or 'image'}-{digest}"


def _size(key: str) -> int:
    return len(key.encode())
