"""The images of the benchmark: photographs of known licence, a flat image and a noisy one.

The photographs are those of Debian's package mate-backgrounds (GPL-2+ and CC-BY-SA; the package
names each author). The larger sizes are laid out of several of them, so that the detail per pixel
is a photograph's, which scaling up would take away. Where the package cannot be fetched, the
demonstration's drawn photographs stand in, and the results say so.
"""

import itertools
import random
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scripts.lib import photographs

_PACKAGE = "mate-backgrounds"
_QUALITY = 90

# Width and height of the images that show how time and memory grow: 0.3 to 100 megapixels.
_GROWING = (
    *((640, 480), (1600, 1200), (4000, 3000)),
    *((6000, 4000), (8000, 6250), (10_000, 10_000)),
)
_PATCH = (160, 120)
# Megapixels and size of the photographs that are scaled down.
_SMALL = {"0.1": (384, 256), "0.3": (640, 480), "1": (1152, 864)}


@dataclass(frozen=True)
class Picture:
    """A JPEG to convert.

    Attributes:
        path: the file.
        megapixels: its size.
        photograph: whether it counts for the ratios; flat and noise are shown separately.
    """

    path: Path
    megapixels: float
    photograph: bool

    @property
    def group(self) -> str:
        """How the results group it: a photograph by its megapixels, others by what they are."""
        kind, megapixels, *_ = self.path.stem.split("-")
        return megapixels if self.photograph else kind


def make(folder: Path) -> tuple[list[Picture], str]:
    """Return the images, made once into the folder, and where the photographs come from."""
    folder.mkdir(parents=True, exist_ok=True)
    sources, origin = _photographs(folder)
    photographs = [
        *(
            _save(
                folder / f"photo-{megapixels}-{letter}.jpg",
                source.resize(size, Image.Resampling.LANCZOS),
            )
            for megapixels, size in _SMALL.items()
            for letter, source in zip("abc", sources, strict=False)
        ),
        _save(folder / "photo-2-a.jpg", sources[1]),
        _save(folder / "photo-2-b.jpg", sources[2]),
        _save(folder / "photo-12.jpg", _mosaic(sources, 4000, 3000)),
        _save(folder / "photo-24.jpg", _mosaic(sources[::-1], 6000, 4000)),
    ]
    flat = Image.new("RGB", (1600, 1200), (70, 120, 160))
    noise = Image.frombytes("RGB", (1600, 1200), random.Random(1).randbytes(1600 * 1200 * 3))  # noqa: S311
    extra = [_save(folder / "flat-2.jpg", flat), _save(folder / "noise-2.jpg", noise)]
    pictures = [Picture(path, size, photograph=True) for path, size in photographs]
    return pictures + [Picture(path, size, photograph=False) for path, size in extra], origin


def make_growing(folder: Path) -> list[Picture]:
    """Return images of 0.3 to 100 megapixels, made once into the folder.

    All are laid out of small patches of all photographs, so that only their size is different.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sources, _ = _photographs(folder)
    growing = []
    for width, height in _GROWING:
        path = folder / f"patches-{width}x{height}.jpg"
        if not path.is_file():
            _patches(sources, width, height).save(path, quality=_QUALITY)
        growing.append(Picture(path, width * height / 1e6, photograph=True))
    return growing


def _patches(sources: list[Image.Image], width: int, height: int) -> Image.Image:
    canvas, chance = Image.new("RGB", (width, height)), random.Random(1)  # noqa: S311
    corners = ((x, y) for y in range(0, height, _PATCH[1]) for x in range(0, width, _PATCH[0]))
    for source, corner in zip(itertools.cycle(sources), corners, strict=False):
        left = chance.randrange(source.width - _PATCH[0])
        top = chance.randrange(source.height - _PATCH[1])
        canvas.paste(source.crop((left, top, left + _PATCH[0], top + _PATCH[1])), corner)
    return canvas


def _photographs(folder: Path) -> tuple[list[Image.Image], str]:
    unpacked = folder / _PACKAGE
    if not unpacked.is_dir() and shutil.which("apt-get") and shutil.which("dpkg"):
        subprocess.run(
            ["apt-get", "download", "-q", _PACKAGE], cwd=folder, capture_output=True, check=False
        )
        for package in folder.glob(f"{_PACKAGE}_*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(unpacked)], check=True)
    files = sorted(unpacked.glob("usr/share/backgrounds/mate/nature/*.jpg"))
    if files:
        return [Image.open(file).convert("RGB") for file in files], f"Debian's {_PACKAGE}"
    return [
        photographs.draw(scene) for scene in photographs.SCENES
    ], "drawn by code, for want of Debian's mate-backgrounds"


def _mosaic(sources: list[Image.Image], width: int, height: int) -> Image.Image:
    """Lay the photographs side by side, unscaled, until the size is reached."""
    canvas = Image.new("RGB", (width, height))
    left = top = turn = 0
    while top < height:
        row = []
        while left < width:
            source = sources[turn % len(sources)]
            canvas.paste(source, (left, top))
            row.append(source.height)
            left, turn = left + source.width, turn + 1
        left, top = 0, top + min(row)
    return canvas


def _save(path: Path, image: Image.Image) -> tuple[Path, float]:
    if not path.is_file():
        image.save(path, quality=_QUALITY)
    return path, image.width * image.height / 1e6
