"""Writes a folder into a zip that depends on nothing but the files' names and bytes."""

import base64
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.package.wheels import Package

LEVEL: Final = 9  # of compression
# The earliest time that a zip can hold.
_TIME: Final = (1980, 1, 1, 0, 0, 0)
_UNIX: Final = 3
# A regular file that Lambda's user may read.
_MODE: Final = 0o100644


@dataclass(frozen=True)
class Artifact:
    """A zip and what is in it, as the manifest describes it.

    Lambda and Terraform write a hash in base64.
    """

    file: str
    sha256: str
    sha256_base64: str
    zipped_bytes: int
    unzipped_bytes: int
    packages: list[Package]


def write(tree: Path, path: Path, packages: list[Package]) -> Artifact:
    """Write a folder into a zip, without regard to times, permissions and the order on disk.

    Parameters:
        tree: the folder; its own name is not in the zip.
        path: the zip.
        packages: what the folder holds.
    """
    files = {file.relative_to(tree).as_posix(): file for file in tree.rglob("*") if file.is_file()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, file in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED, LEVEL)
        unzipped = sum(entry.file_size for entry in archive.infolist())
    content = path.read_bytes()
    digest = hashlib.sha256(content)
    return Artifact(
        path.name,
        digest.hexdigest(),
        base64.b64encode(digest.digest()).decode(),
        len(content),
        unzipped,
        packages,
    )
