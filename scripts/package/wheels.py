"""Fetches wheels for a target, by hash, and unpacks them."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name, parse_wheel_filename

from scripts.package import PackageError
from scripts.package.target import Target

# Settings of a person's pip that would send the files elsewhere.
_FOREIGN_PIP: Final = ("PIP_PREFIX", "PIP_ROOT", "PIP_TARGET", "PIP_USER", "PIP_PYTHON")

_UNREACHABLE: Final = (
    "NewConnectionError",
    "ConnectTimeoutError",
    "ProxyError",
    "ReadTimeoutError",
)


@dataclass(frozen=True)
class Package:
    """A package that went into an artifact.

    Parameters:
        name: its normalised name.
        version: its version.
        licence: the SPDX expression, or the words, by which it says how it is licensed.
        sha256: the hash of its wheel, in hex; None for our own code.
    """

    name: str
    version: str
    licence: str
    sha256: str | None


def fetch(target: Target, requirements: Path, cache: Path) -> Path:
    """Return a folder with the pinned wheels for a target; downloads them once.

    Parameters:
        target: whose wheels to take.
        requirements: a pip requirements file with hashes.
        cache: where the folder is kept between builds.

    Raises:
        PackageError: a wheel does not exist for the target, has another hash than the pin, or
            cannot be fetched.
    """
    pins = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    kind = "host" if target.host else "lambda"
    folder = cache / f"{kind}-{target.runtime}-{target.architecture}-{pins}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        downloads = Path(scratch) / "wheels"
        _pip("download", target, requirements, f"--dest={downloads}")
        try:
            downloads.rename(folder)
        except OSError:
            # A concurrent build was faster, with the same files: pip compared the hashes.
            if not folder.is_dir():
                raise
    return folder


def unpack(target: Target, requirements: Path, wheels: Path, into: Path) -> None:
    """Install wheels into a folder, without what only an installation on a machine needs.

    Parameters:
        target: as it was fetched for.
        requirements: the pins; pip compares the hashes once more.
        wheels: the folder that `fetch` returned.
        into: where the packages go.

    Raises:
        PackageError: pip refuses.
    """
    _pip(
        "install",
        target,
        requirements,
        "--no-index",
        f"--find-links={wheels}",
        "--no-compile",
        f"--target={into}",
    )
    shutil.rmtree(into / "bin", ignore_errors=True)
    for info in into.glob("*.dist-info"):
        # The notes that pip leaves about where and how it installed, which differ between machines.
        for name in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json"):
            (info / name).unlink(missing_ok=True)


def contents(tree: Path, wheels: Path) -> list[Package]:
    """Return the packages in a folder, by name, with the wheels that they came from."""
    hashes = {
        (name, str(version)): hashlib.sha256(wheel.read_bytes()).hexdigest()
        for wheel in wheels.glob("*.whl")
        for name, version, *_ in [parse_wheel_filename(wheel.name)]
    }
    packages = []
    for distribution in metadata.distributions(path=[str(tree)]):
        name, version = canonicalize_name(distribution.metadata["Name"]), distribution.version
        licence = _licence(distribution.metadata)
        packages.append(Package(name, version, licence, hashes[name, version]))
    return sorted(packages, key=lambda package: package.name)


def _licence(about: metadata.PackageMetadata) -> str:
    for field in ("License-Expression", "License"):
        # An old METADATA may hold the whole text here; its first line names the licence.
        if field in about and about[field].strip():
            return about[field].strip().splitlines()[0]
    classifiers = about.get_all("Classifier") or []
    names = [entry.rpartition(" :: ")[2] for entry in classifiers if entry.startswith("License ::")]
    return ", ".join(names) or "not stated"


def _pip(command: str, target: Target, requirements: Path, *options: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN_PIP}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", command, "--disable-pip-version-check", "--no-input"),
            *("--no-deps", "--require-hashes", f"--requirement={requirements}"),
            *target.pip_options(),
            *options,
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackageError(_explain(done.stderr, target, requirements))


def _explain(complaint: str, target: Target, requirements: Path) -> str:
    """Turn what pip says into a sentence on what to do."""
    if "DO NOT MATCH THE HASHES" in complaint:
        return (
            f"A wheel for {target} is not the one that {requirements} pins:\n{complaint.strip()}\n"
            "Do not build with it. Find out where it came from, or pin again: make requirements."
        )
    if any(sign in complaint for sign in _UNREACHABLE):
        return f"pip cannot reach its package index, and wheels for {target} are not cached yet."
    missing = re.search(r"No matching distribution found for (\S+)", complaint)
    if missing:
        return (
            f"{missing[1]} has no wheel for {target}. Choose another RUNTIME or "
            f"ARCHITECTURE, or another version in {requirements.with_suffix('.in')}, then run "
            "make requirements."
        )
    return f"pip could not get the wheels for {target}:\n{complaint.strip()}"
