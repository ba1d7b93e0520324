"""Keys in S3's listings, URL-encoded where the caller asks for it.

XML cannot hold every character that a key can; encoded, it holds them all.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

import re
from urllib.parse import quote
from xml.sax.saxutils import unescape

# No XML parser: a listing with such a character is no XML, which is the reason to encode it.
_KEYS = re.compile(r"<(Delimiter|Key|KeyMarker|NextKeyMarker|Prefix)>(.*?)</\1>", re.DOTALL)


def url_encoded(listing: bytes) -> bytes:
    """Return a ListObjectVersions answer with its keys URL-encoded.

    Parameters:
        listing: the XML of the answer, with plain keys.
    """
    encoded = _KEYS.sub(_encode, listing.decode())
    body, end, rest = encoded.rpartition("</ListVersionsResult>")
    return f"{body}<EncodingType>url</EncodingType>{end}{rest}".encode()


def _encode(element: re.Match[str]) -> str:
    name, key = element.groups()
    return f"<{name}>{quote(unescape(key), safe='/')}</{name}>"
