"""File types by their first bytes.

Sources: each format's specification; the list follows
    https://en.wikipedia.org/wiki/List_of_file_signatures.
"""

# A JPEG starts with SOI (FF D8) and the FF of the next marker, whichever that is (E0, E1, DB, EE,
# ...): ITU-T T.81, B.1.1.3. Longer signatures reject valid JPEGs.
JPEG_START = b"\xff\xd8"
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, JPEG_START + b"\xff", "jpg"),
    (0, b"\x89PNG\r\n\x1a\n", "png"),
    (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"),
    (8, b"WEBP", "webp"),
    (0, b"BM", "bmp"),
    (0, b"II*\0", "tiff"),
    (0, b"MM\0*", "tiff"),
    (0, b"II+\0", "tiff"),
    (0, b"MM\0+", "tiff"),
    (0, b"%PDF-", "pdf"),
    (0, b"8BPS", "psd"),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (0, b"\xff\x0a", "jxl"),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (0, b"\0\0\1\0", "ico"),
    (4, b"ftypavif", "avif"),
    (4, b"ftypavis", "avif"),
    (4, b"ftyphei", "heic"),
    (4, b"ftyphev", "heic"),
    (4, b"ftypmif1", "heic"),
    (4, b"ftypmsf1", "heic"),
    (4, b"ftypqt", "mov"),
    (4, b"ftyp", "mp4"),
    (0, b"PK\3\4", "zip"),
    (0, b"\x1f\x8b", "gz"),
    (0, b"<svg", "svg"),
)

BYTES_NEEDED = max(offset + len(signature) for offset, signature, _ in _SIGNATURES)


def identify(first_bytes: bytes) -> str | None:
    """Return the short name of the type that the first bytes identify, or None.

    Args:
        first_bytes: at least `BYTES_NEEDED` bytes, fewer only where the file has fewer.
    """
    for offset, signature, name in _SIGNATURES:
        if first_bytes.startswith(signature, offset):
            return name
    return None
