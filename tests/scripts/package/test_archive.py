"""A zip of a folder depends on nothing but the files' names and bytes."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path
from zipfile import ZipFile

from scripts.package import archive

FILES = {"b.py": b"b = 1\n", "a/deep.py": b"a = 1\n", "a/__init__.py": b"", "Z.txt": b"z" * 9999}


def tree(root: Path, names: list[str], mode: int, time: int = 1_000_000_000) -> Path:
    for name in names:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(FILES[name])
        file.chmod(mode)
        os.utime(file, (time, time))
    return root


def test_a_zip_depends_on_names_and_bytes_alone(tmp_path: Path) -> None:
    first = tree(tmp_path / "first", list(FILES), 0o600)
    second = tree(tmp_path / "second", list(reversed(FILES)), 0o755, time=1_100_000_000)
    (second / "empty").mkdir()

    archive.write(first, tmp_path / "first.zip", [])
    archive.write(second, tmp_path / "second.zip", [])

    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_a_zip_holds_what_the_folder_held_readable_by_everyone(tmp_path: Path) -> None:
    archive.write(tree(tmp_path / "tree", list(FILES), 0o600), tmp_path / "tree.zip", [])

    with ZipFile(tmp_path / "tree.zip") as written:
        assert {name: written.read(name) for name in written.namelist()} == FILES
        assert written.namelist() == sorted(FILES)
        assert {entry.external_attr >> 16 for entry in written.infolist()} == {0o100644}


def test_sizes_and_hashes_are_those_of_the_zip(tmp_path: Path) -> None:
    files = tree(tmp_path / "tree", list(FILES), 0o644)
    written = archive.write(files, tmp_path / "tree.zip", [])

    data = (tmp_path / "tree.zip").read_bytes()
    assert written.zipped_bytes == len(data)
    assert written.unzipped_bytes == sum(map(len, FILES.values()))
    assert written.sha256 == hashlib.sha256(data).hexdigest()
    assert base64.b64decode(written.sha256_base64).hex() == written.sha256
