"""Writes a folder into a zip that depends on nothing but the files' names and bytes."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# The earliest time that a zip can hold.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
# A regular file that Lambda's user may read.
_MODE: Final = 0o100644


@dataclass(frozen=True)
class Archive:
    """A zip that was written.

    Parameters:
        path: where it is.
        digest: its SHA-256.
        zipped: its size in bytes.
        unzipped: the size in bytes of all that is in it.
    """

    path: Path
    digest: bytes
    zipped: int
    unzipped: int

    @property
    def sha256(self) -> str:
        """The SHA-256 in hex."""
        return self.digest.hex()

    @property
    def sha256_base64(self) -> str:
        """The SHA-256 as Lambda and Terraform write it."""
        return base64.b64encode(self.digest).decode()


def write(tree: Path, path: Path) -> Archive:
    """Write a folder into a zip, without regard to times, permissions and the order on disk.

    Parameters:
        tree: the folder; its own name is not in the zip.
        path: the zip.
    """
    files = {file.relative_to(tree).as_posix(): file for file in tree.rglob("*") if file.is_file()}
    unzipped = 0
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            data = files[name].read_bytes()
            unzipped += len(data)
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=9)
    content = path.read_bytes()
    return Archive(path, hashlib.sha256(content).digest(), len(content), unzipped)
