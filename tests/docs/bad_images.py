"""Write docs/bad-images.md: what becomes of which odd or bad image.

The table is the tests' own (tests/unit/conversion/corpus.py); each answer is what the conversion
says now. `make docs` writes it.
"""

import io
import sys

from image_converter.conversion import convert
from image_converter.errors import ConversionError
from scripts.lib import generated
from scripts.lib.paths import DOCS
from tests.unit.conversion.corpus import LIMITS, SECTIONS, Case

PAGE = DOCS / "bad-images.md"

_INTRODUCTION = """\
<!-- Written by `make docs`: change tests/unit/conversion/corpus.py instead. -->

# Good, odd and bad images

What becomes of which image. Every line is a test: the file is made by code and converted, and the
PNG's pixels are compared with those of a second decoder, or the error's name with this table.
An image that is refused stays in the source bucket; error and sentence are the cause of the failed
execution.

The rule: **an image is converted if and only if every coefficient of every component is there and
libjpeg has no complaint within the coded data**, be it only a warning. The coded data are the
tables, the frame and the scans up to the last row. What lies outside of them is skipped, and the
function logs how many bytes that were: between segments, after the last row, after the image.

* After the last row, surplus restart markers (with whatever follows them) and a filler of zeros are
  skipped. Other bytes left over there are a sign of damage: corrupt data may come to all rows
  early. No decoder that is built on libjpeg notices fewer than eight of them.
* The end-of-image marker may be missing if nothing else is.
* **DamagedImage**: half an image never passes as a whole one. What makes libjpeg warn is refused,
  and what it does not even warn of: missing scans, a missing colour. What no decoder can see
  passes: a flipped bit that makes another pixel.
* **UnsupportedImage**: not a JPEG, or a kind of JPEG that is not converted.
* **ImageTooLarge**: over a limit, which derives from the function's memory. Nothing was decoded.

Phones append videos and depth maps: these are ignored. Of several images in a file the first is
converted. The EXIF orientation is applied as libvips, ImageMagick and exiftool do it: also where it
is a byte instead of a short integer, and not from a segment that has its name twice. Of several
colour profiles the first complete one is kept, up to the length that it declares. The limits here
are {bytes:,} bytes and {pixels:,} pixels; 100 scans and 10,000 segments are the limits everywhere.
"""


def render() -> str:
    """Return the page."""
    parts = [_INTRODUCTION.format(bytes=LIMITS.max_bytes, pixels=LIMITS.max_pixels)]
    for section, cases in SECTIONS.items():
        rows = "\n".join(f"| {case.about} | {_outcome(case)} |" for case in cases)
        parts.append(f"## {section}\n\n| image | outcome |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def _outcome(case: Case) -> str:
    try:
        made = convert(case.make(), io.BytesIO(), LIMITS)
    except ConversionError as error:
        return f"**{type(error).__name__}** {error}"
    facts = [made.mode]
    if made.orientation != 1:
        facts.append(f"orientation {made.orientation} applied")
    if made.icc != "none":
        facts.append(f"profile {made.icc}")
    if made.trailing_bytes:
        facts.append(f"{made.trailing_bytes:,} bytes after it ignored")
    if made.skipped_bytes:
        facts.append(f"{made.skipped_bytes:,} bytes skipped")
    return f"converted: {', '.join(facts)}"


if __name__ == "__main__":
    sys.exit(generated.main(lambda: {PAGE: render()}, "docs"))
