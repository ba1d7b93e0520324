"""Images of many blocks are turned as one."""

import io

import numpy as np
import pytest
from PIL import Image

from image_converter.conversion import convert
from tests.support.images import jpeg
from tests.support.jpeg import reference
from tests.support.jpeg.corpus import LIMITS


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
