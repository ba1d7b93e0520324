"""The engines that are measured, and how each of them is started.

A worker is a process that reads lines `JPEG<tab>PNG`, converts, and answers each with a line of
JSON: the milliseconds of processor time, of all its threads, that this took, and the peak of its
memory so far in 10^6 bytes.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.lib.paths import REPOSITORY

HERE = Path(__file__).resolve().parent
SHARP_VERSION = "0.35.5"


@dataclass(frozen=True)
class Engine:
    """An engine under one setting.

    Attributes:
        name: as the results name it.
        command: starts its worker.
        about: its setting, in words.
    """

    name: str
    command: tuple[str, ...]
    about: str


def available(folder: Path) -> tuple[list[Engine], dict[str, str]]:
    """Return the engines that are here, after trying to install them, and what is missing and why.

    Args:
        folder: where sharp is installed into; the Python engines have an environment of their own.
    """
    own, peers = sys.executable, str(REPOSITORY / ".venv" / "bench" / "bin" / "python")
    engines = [
        _python(own, "image-converter", "this project, png_compression = fast"),
        _python(own, "pillow", "Pillow, its defaults"),
        _python(own, "pillow-fastest", "Pillow, compress_level=1 and run lengths"),
        _python(peers, "simplejpeg+fpng", "the practical limit: decode and encode, nothing else"),
        _python(peers, "libvips", "libvips, its defaults"),
        _python(peers, "libvips-fastest", "libvips, compression 1, filter sub"),
    ]
    missing: dict[str, str] = {}
    if problem := install_sharp(folder):
        missing["sharp"] = problem
    else:
        script = str(HERE / "sharp_worker.js")
        for name, about in (
            ("sharp", "sharp, its defaults"),
            ("sharp-fastest", "sharp, compressionLevel 1, no adaptive filter"),
        ):
            engines.append(Engine(name, ("node", script, name, str(folder)), about))
    if shutil.which("convert-im6.q16") or shutil.which("magick"):
        engines.append(_python(own, "imagemagick", "ImageMagick's convert, the article's engine"))
    else:
        missing["imagemagick"] = "there is no ImageMagick: apt-get install imagemagick"
    return engines, missing


def growing() -> tuple[Engine, Engine]:
    """Return our engine with one thread, and with two."""
    return (
        _python(sys.executable, "image-converter", "one thread"),
        _python(sys.executable, "image-converter-parallel", "two threads"),
    )


def _python(python: str, name: str, about: str) -> Engine:
    return Engine(name, (python, "-m", "tests.performance.worker", name), about)


def install_sharp(folder: Path) -> str | None:
    """Install sharp with npm; return why not, where that fails."""
    if (folder / "node_modules" / "sharp").is_dir():
        return None
    if not shutil.which("npm"):
        return "there is no npm to install it with"
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["npm", "install", "--no-save", "--no-package-lock", "--silent", f"sharp@{SHARP_VERSION}"],
        cwd=folder,
        env={**os.environ, "npm_config_fund": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    return None if done.returncode == 0 else f"npm could not install it: {done.stderr[-200:]}"
