"""Photographs for the demonstration, drawn by code: no licence needed, the same every time."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

# EXIF's tag for the orientation, and its value for "turn me clockwise by 90 degrees".
_ORIENTATION, _TURN_CLOCKWISE = 0x0112, 6

_SUN_RADIUS = 0.025  # of the picture's width

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Scene:
    """A landscape to draw.

    Attributes:
        name: the file's name.
        size: width and height in pixels, as a viewer shows them.
        hour: of the day, 0 to 24; it gives the colours.
        mode: "RGB", or "L" for a black and white photograph.
        turned: whether the camera was held upright: the pixels lie on their side, and an EXIF tag
            says so.
        save: options of Pillow's JPEG encoder.
    """

    name: str
    size: tuple[int, int]
    hour: float
    mode: str = "RGB"
    turned: bool = False
    save: dict[str, object] = field(default_factory=lambda: {"quality": 88})


SCENES = (
    Scene("postcard.jpg", (390, 260), 12),
    Scene("harbour.jpg", (1100, 730), 17),
    Scene("Küste im Nebel.jpg", (1800, 1200), 8, save={"quality": 92, "progressive": True}),
    Scene("portrait.jpg", (1200, 1600), 19, turned=True),
    Scene("night.jpg", (2000, 1500), 23, mode="L"),
    Scene("MOUNTAINS.JPEG", (2700, 1850), 15, save={"quality": 85, "subsampling": "4:4:4"}),
    Scene("valley.jpg", (4000, 3000), 18.5),
)

NOTES = ("notes.txt", b"Not a photograph: the pipeline deletes files that are not JPEGs.\n")


def write_all(folder: Path, scenes: Iterable[Scene] = SCENES) -> None:
    """Draw scenes into a folder, and add the text file."""
    folder.mkdir(parents=True, exist_ok=True)
    for scene in scenes:
        (folder / scene.name).write_bytes(jpeg(scene))
    name, content = NOTES
    (folder / name).write_bytes(content)


def jpeg(scene: Scene) -> bytes:
    """Return a scene as a JPEG file."""
    image = draw(scene)
    exif = Image.Exif()
    if scene.turned:
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[_ORIENTATION] = _TURN_CLOCKWISE
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, **scene.save)
    return file.getvalue()


def draw(scene: Scene) -> Image.Image:
    """Return a scene's pixels: sky, sun or moon, ridges of mountains, a lake, grain, a caption."""
    width, height = scene.size
    random = np.random.default_rng(int(scene.hour * 10))
    x, y = np.meshgrid(
        np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)
    )
    pixels = _sky(x, y, scene.hour)
    for top, colour in _ridges(x[0], random, scene.hour):
        pixels = np.where((y > top)[..., None], colour, pixels)
    pixels = _lake(pixels, y)
    pixels += random.normal(0, 3.5, (height, width, 1)).astype(np.float32)  # a sensor's grain
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8), "RGB")
    _caption(image, f"Drawn by image-converter, {width} x {height}")
    return image.convert(scene.mode)


def _sky(x: Pixels, y: Pixels, hour: float) -> Pixels:
    light = max(0.08, 1 - abs(hour - 13) / 11)
    dusk = max(0.0, 1 - abs(hour - 18.5) / 3)
    zenith = np.array([70, 120, 205], np.float32) * light
    horizon = np.array([190 + 60 * dusk, 200 - 40 * dusk, 225 - 120 * dusk], np.float32) * light
    sky: Pixels = zenith + (horizon - zenith) * np.minimum(1, y * 1.6)[..., None]
    distance = np.hypot(x - 0.7, (y - 0.12 - abs(hour - 13) / 40) * 0.7)
    disc = distance < _SUN_RADIUS
    glow = np.exp(-distance * 9)[..., None] * 120 + disc[..., None] * 255
    lit: Pixels = sky + glow * np.array([1, 0.93, 0.75], np.float32)
    return lit


def _ridges(x: Pixels, random: np.random.Generator, hour: float) -> Iterator[tuple[Pixels, Pixels]]:
    """Yield tops and colours of mountains, from the farthest, pale, to the nearest, dark."""
    light = max(0.12, 1 - abs(hour - 13) / 12)
    for number in range(4):
        top = np.full_like(x, 0.38 + 0.09 * number)
        for octave in range(1, 8):
            phase, strength = random.uniform(0, 2 * np.pi), random.uniform(0.4, 1)
            wave = np.sin(x * 2**octave * 2.3 + phase)
            top -= (0.11 * strength / 2 ** (octave * 0.85) * wave).astype(np.float32)
        haze = np.array([150, 165, 190], np.float32) * (1 - number / 4)
        colour = (haze + np.array([40, 70, 45], np.float32) * (number + 1) / 4) * light
        yield top, colour.astype(np.float32)


def _lake(pixels: Pixels, y: Pixels) -> Pixels:
    """Mirror what is above the shore into the lowest part of the picture."""
    height = len(pixels)
    shore = int(height * 0.78)
    depth = height - shore
    mirrored = pixels[shore - depth : shore][::-1]
    waves = 1 + 0.06 * np.sin(y[shore:] * 420)
    pixels[shore:] = mirrored * waves[..., None] * 0.8
    return pixels


def _caption(image: Image.Image, text: str) -> None:
    size = max(12, image.height // 28)
    font = ImageFont.load_default(size)
    place = (size, image.height - 2 * size)
    ImageDraw.Draw(image).text(place, text, "white", font, stroke_width=1, stroke_fill="black")
