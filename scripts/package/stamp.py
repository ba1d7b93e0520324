"""The stamp by which the functions recognise the layer that they were built with.

It is in both zips, each time as a module; image_converter/layer.py compares the two.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from image_converter import layer

_DIGITS: Final = 16
_CODE: Final = "image_converter/built_with.py"


def of(tree: Path) -> str:
    """Return the stamp of a folder: another name or byte in it gives another one."""
    digest = hashlib.sha256()
    for file in sorted(path for path in tree.rglob("*") if path.is_file()):
        name, data = file.relative_to(tree).as_posix().encode(), file.read_bytes()
        digest.update(b"%d %d " % (len(name), len(data)) + name + data)
    return digest.hexdigest()[:_DIGITS]


def write_to_layer(python: Path, stamp: str) -> None:
    """Put the stamp into the folder with the layer's packages."""
    _write(python / f"{layer.MODULE}.py", "The stamp of this layer.", "STAMP", stamp)


def write_to_code(tree: Path, stamp: str) -> None:
    """Put the stamp of their layer into the folder with the functions' sources."""
    _write(tree / _CODE, "The stamp of the layer that this code was built with.", "LAYER", stamp)


def _write(file: Path, about: str, name: str, stamp: str) -> None:
    file.write_text(f'"""{about}"""\n\n{name} = "{stamp}"\n', encoding="utf-8")
