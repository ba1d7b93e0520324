"""A worker around one engine in Python; see engines.py. Argument: the engine's name.

Runs in the environment that has the engine: nothing is imported here but what it needs.
"""

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

Convert = Callable[[str, str], None]


def _own(**options: Any) -> Convert:
    from image_converter.conversion import Limits, convert  # noqa: PLC0415

    limits = Limits(max_bytes=1 << 40, max_pixels=1 << 40)

    def run(jpeg: str, png: str) -> None:
        with open(jpeg, "rb") as source, open(png, "wb") as target:  # noqa: PTH123
            convert(source.read(), target, limits, **options)

    return run


def _pillow(**options: Any) -> Convert:
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None

    def run(jpeg: str, png: str) -> None:
        with Image.open(jpeg) as image:
            image.save(png, **options)

    return run


def _limit() -> Convert:
    import fpng  # noqa: PLC0415
    import simplejpeg  # noqa: PLC0415

    def run(jpeg: str, png: str) -> None:
        with open(jpeg, "rb") as source:  # noqa: PTH123
            pixels = simplejpeg.decode_jpeg(source.read())
        encoded = fpng.from_ndarray(pixels)
        with open(png, "wb") as target:  # noqa: PTH123
            target.write(encoded)

    return run


def _vips(**options: Any) -> Convert:
    import pyvips  # noqa: PLC0415

    def run(jpeg: str, png: str) -> None:
        pyvips.Image.new_from_file(jpeg, access="sequential").pngsave(png, **options)

    return run


def _imagemagick() -> Convert:
    command = shutil.which("convert-im6.q16") or shutil.which("magick") or "convert"

    def run(jpeg: str, png: str) -> None:
        subprocess.run([command, jpeg, f"png:{png}"], check=True)

    return run


_ENGINES: dict[str, Callable[[], Convert]] = {
    "image-converter": _own,
    "image-converter-parallel": lambda: _own(parallel=True),
    "pillow": _pillow,
    "pillow-fastest": lambda: _pillow(compress_level=1, compress_type=3),
    "simplejpeg+fpng": _limit,
    "libvips": _vips,
    "libvips-fastest": lambda: _vips(compression=1, filter="sub"),
    "imagemagick": _imagemagick,
}


def main() -> None:
    """Convert what standard input names, until it ends."""
    convert = _ENGINES[sys.argv[1]]()
    for line in sys.stdin:
        jpeg, png = line.rstrip("\n").split("\t")
        before, start = cpu_seconds(), time.perf_counter()
        convert(jpeg, png)
        took = {
            "cpu_ms": (cpu_seconds() - before) * 1000,
            "wall_ms": (time.perf_counter() - start) * 1000,
            "peak_mb": _peak_mb(),
        }
        sys.stdout.write(json.dumps(took) + "\n")
        sys.stdout.flush()


def cpu_seconds() -> float:
    """Return the processor time of this process and of those that it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _peak_mb() -> float:
    """Return the peak memory so far, of this process or of one that it waited for, in 10^6 bytes.

    Not getrusage's figure for this process: that one counts what its parent had when it forked.
    """
    with open("/proc/self/status") as status:  # noqa: PTH123
        own = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) * 1024 / 1e6


if __name__ == "__main__":
    main()
