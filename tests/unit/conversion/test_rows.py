"""Images of many blocks are turned as one."""

import numpy as np
import pytest

from tests.support.images import jpeg, png, turned
from tests.support.jpeg import reference


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_of_many_blocks_are_turned_as_one(orientation: int, mode: str) -> None:
    encoded = jpeg(300, 280, mode=mode, exif=turned(orientation))
    expected = reference.decode_jpeg(encoded, orientation)
    if mode == "CMYK":
        expected = reference.cmyk_to_rgb(expected)
    assert np.array_equal(reference.decode_png(png(encoded)), expected)
