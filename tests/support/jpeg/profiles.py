"""Colour profiles, made here: sRGB by Pillow, and the least that P3, gray or CMYK needs."""

import struct

from PIL import ImageCms

_D50 = (0.9642, 1.0, 0.8249)


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def display_p3() -> bytes:
    """Return Display P3, the profile of phones' photographs: wider primaries, sRGB's curve.

    The primaries are those of its published profile, adapted to D50.
    """
    sixteenths = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    curve = b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(round(s * 65536) for s in sixteenths))
    red, green = (0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189)
    primaries = {b"rXYZ": red, b"gXYZ": green, b"bXYZ": (0.15710, 0.06657, 0.78407)}
    tags = {name: _xyz(values) for name, values in primaries.items()}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return _profile(b"RGB ", b"XYZ ", {b"wtpt": _xyz(_D50), **tags, **curves})


def gray() -> bytes:
    """Return a profile for gray with a gamma of 1.8."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(1.8 * 256))
    return _profile(b"GRAY", b"XYZ ", {b"wtpt": _xyz(_D50), b"kTRC": curve})


def cmyk() -> bytes:
    """Return a profile for CMYK with pale inks: its colours are not those of the plain formula."""
    corners = bytearray()
    for corner in range(16):
        cyan, magenta, yellow, black = ((corner >> bit) & 1 for bit in (3, 2, 1, 0))
        light = 255 - 40 * (cyan + magenta) - 15 * yellow - 120 * black
        corners += bytes((light, 128 - 30 * cyan + 40 * magenta, 128 - 35 * cyan + 60 * yellow))
    identity = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 * (index % 4 == 0) for index in range(9)))
    table = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix
    table += identity * 4 + bytes(corners) + identity * 3
    return _profile(b"CMYK", b"Lab ", {b"wtpt": _xyz(_D50), b"A2B0": table})


def _xyz(values: tuple[float, float, float]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(colours: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    kind = b"prtr" if colours == b"CMYK" else b"mntr"
    offset = 128 + 4 + 12 * len(tags)
    directory, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        directory += struct.pack(">4sII", name, offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(
        ">I4sI4s4s4s", offset + len(body), b"", 0x02400000, kind, colours, connection
    )
    header += bytes(12) + b"acsp" + bytes(28) + _xyz(_D50)[8:]
    return header.ljust(128, b"\0") + directory + body
