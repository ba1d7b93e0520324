"""The C libraries that Pillow's wheels contain, and that Pillow has loaded already."""

from pathlib import Path

import PIL

# Where wheels have them, relative to the package: on Linux, on a Mac.
_PLACES = ("../pillow.libs/lib{}-*", ".dylibs/lib{}*")


def find(name: str) -> Path | None:
    """Returns where a library is.

    Args:
        name: "jpeg" or "tiff".

    Returns:
        its file; None where this Pillow was built against the system's libraries.
    """
    package = Path(PIL.__file__).parent
    return next((path for place in _PLACES for path in package.glob(place.format(name))), None)
