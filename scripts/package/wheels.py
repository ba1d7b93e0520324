"""Fetches wheels for a target, by hash, and unpacks them."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from packaging.utils import parse_wheel_filename

from scripts.lib.paths import REPOSITORY
from scripts.package import PackageError, models
from scripts.package.target import Target

PINS: Final = REPOSITORY / "requirements" / "layer.txt"

_UNREACHABLE: Final = re.compile(r"(NewConnection|ConnectTimeout|ReadTimeout|Proxy)Error")
# What only an installation on a machine needs, scripts and a list of the files; and botocore's data
# on services that no function calls, nine tenths of all files.
_NOT_UNPACKED: Final = re.compile(
    r"[^/]+\.data/scripts/|[^/]+\.dist-info/RECORD$"
    rf"|botocore/data/(?!(?:{'|'.join(models.CALLED)})/)[^/]+/"
)


@dataclass(frozen=True)
class Package:
    """A package that went into an artifact.

    Attributes:
        name: its normalised name.
        version: its version.
        licence: the SPDX expression, or the words, by which it says how it is licensed.
        sha256: the hash of its wheel, in hex; None for our own code.
    """

    name: str
    version: str
    licence: str
    sha256: str | None


def fetch(target: Target, cache: Path) -> Path:
    """Return a folder with the pinned wheels for a target; downloads them once.

    Parameters:
        target: whose wheels to take.
        cache: where the folder is kept between builds.

    Raises:
        PackageError: a wheel does not exist for the target, has another hash than the pin, or
            cannot be fetched.
    """
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()[:16]
    kind = "host" if target.host else "lambda"
    folder = cache / f"{kind}-{target.runtime}-{target.architecture}-{pins}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        downloads = Path(scratch) / "wheels"
        _download(target, downloads)
        try:
            downloads.rename(folder)
        except OSError:
            # A concurrent build was faster, with the same files: pip compared the hashes.
            if not folder.is_dir():
                raise
    return folder


def unpack(wheels: Path, into: Path) -> list[Package]:
    """Unpack wheels into a folder; return the packages, by name.

    Parameters:
        wheels: the folder that `fetch` returned.
        into: where the packages go.

    Raises:
        PackageError: a wheel is not the one that is pinned.
    """
    pins = PINS.read_text(encoding="utf-8")
    packages = []
    for wheel in sorted(wheels.glob("*.whl")):
        sha256 = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if f"sha256:{sha256}" not in pins:
            raise PackageError(f"{wheel} is not what {PINS} pins. Remove {wheels} and build again.")
        with ZipFile(wheel) as archive:
            archive.extractall(
                into, [name for name in archive.namelist() if not _NOT_UNPACKED.match(name)]
            )
        name, version, *_ = parse_wheel_filename(wheel.name)
        info = into / f"{'-'.join(wheel.name.split('-')[:2])}.dist-info"
        licence = _licence(metadata.Distribution.at(info).metadata)
        packages.append(Package(name, str(version), licence, sha256))
    return sorted(packages, key=lambda package: package.name)


def _licence(about: metadata.PackageMetadata) -> str:
    for field in ("License-Expression", "License"):
        # An old METADATA may hold the whole text here; its first line names the licence.
        if field in about and about[field].strip():
            return about[field].strip().splitlines()[0]
    classifiers = about.get_all("Classifier") or []
    names = [entry.rpartition(" :: ")[2] for entry in classifiers if entry.startswith("License ::")]
    return ", ".join(names) or "not stated"


def _download(target: Target, downloads: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input"),
            *("--no-deps", "--require-hashes", f"--requirement={PINS}", f"--dest={downloads}"),
            *target.pip_options(),
        ],
        # pip would run in the interpreter that a person's setting names.
        env={name: value for name, value in os.environ.items() if name != "PIP_PYTHON"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(_explain(done.stderr.strip(), target))


def _explain(complaint: str, target: Target) -> str:
    """Turn what pip says into a sentence on what to do."""
    if "DO NOT MATCH THE HASHES" in complaint:
        return (
            f"A wheel for {target} is not the one that {PINS} pins:\n{complaint}\n"
            "Do not build with it. Find out where it came from, or pin again: make requirements."
        )
    if _UNREACHABLE.search(complaint):
        return f"pip cannot reach its package index, and wheels for {target} are not cached yet."
    if missing := re.search(r"No matching distribution found for (\S+)", complaint):
        return (
            f"{missing[1]} has no wheel for {target}. Choose another RUNTIME or "
            f"ARCHITECTURE, or another version in {PINS.with_suffix('.in')}, then run "
            "make requirements."
        )
    return f"pip could not get the wheels for {target}:\n{complaint}"
