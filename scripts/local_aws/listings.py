"""Keys in S3's listings, URL-encoded where the caller asks for it.

XML cannot hold every character that a key can; encoded, it holds them all.
Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from urllib.parse import quote
from xml.etree.ElementTree import SubElement, fromstring, register_namespace, tostring

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_ENCODED = ("Delimiter", "Key", "KeyMarker", "NextKeyMarker", "Prefix")


def url_encoded(listing: bytes) -> bytes:
    """Return a ListObjectVersions answer with its keys URL-encoded.

    Parameters:
        listing: the XML of the answer, with plain keys.
    """
    register_namespace("", _NAMESPACE)
    root = fromstring(listing)  # noqa: S314 - the emulator's own, in this process
    for name in _ENCODED:
        for element in root.iter(f"{{{_NAMESPACE}}}{name}"):
            element.text = quote(element.text or "", safe="/")
    SubElement(root, f"{{{_NAMESPACE}}}EncodingType").text = "url"
    encoded: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return encoded
