"""Tries a trimmed layer in a real interpreter, before it is shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from scripts.package.errors import PackageError
from scripts.package.interpreters import Interpreter

# Every compiled part that the functions load, used once. Imported from nowhere but the layer.
_USE: Final = """
import io, sys
sys.path.insert(0, sys.argv[1])
import PIL.Image, PIL.ImageChops, PIL.ImageCms, PIL.ImageOps
import PIL.JpegImagePlugin, PIL.MpoImagePlugin, PIL.PngImagePlugin
import isal.isal_zlib, wrapt._wrappers
wrapt.wrap_function_wrapper
data = io.BytesIO()
PIL.Image.new("RGB", (8, 8)).save(data, "JPEG")
PIL.Image.open(data, formats=["JPEG"]).save(io.BytesIO(), "PNG")
srgb = PIL.ImageCms.createProfile("sRGB")
PIL.ImageCms.profileToProfile(PIL.Image.new("RGB", (8, 8)), srgb, srgb)
isal.isal_zlib.decompress(isal.isal_zlib.compress(b"layer", 1))
"""


def check(interpreter: Interpreter, tree: Path) -> None:
    """Load the packages of a layer, decode a JPEG and encode a PNG with them.

    Parameters:
        interpreter: of the target's version, on the target's kind of machine.
        tree: the folder with the packages.

    Raises:
        PackageError: something that is needed was trimmed or is broken.
    """
    done = interpreter.run(_USE, str(tree))
    if done.returncode:
        raise PackageError(
            f"The layer does not work under Python {interpreter.version}; see what "
            f"scripts/package/trim.py takes out of it:\n{done.stderr.strip()}"
        )
