"""Write docs/bad-images.md: what becomes of which odd or bad image.

The table is the tests' own (tests/support/jpeg/corpus.py); each answer is what the conversion
says now. `make docs` writes it.
"""

import io
import sys

from image_converter.conversion import convert
from image_converter.errors import ConversionError
from scripts.lib import generated
from scripts.lib.paths import DOCS
from tests.support.jpeg.corpus import LIMITS, SECTIONS, Case

PAGE = DOCS / "bad-images.md"

_INTRODUCTION = """\
<!-- Written by `make docs`: change tests/support/jpeg/corpus.py instead. -->

# Good, odd and bad images

What happens to which image. Every line is a test: code generates the file and converts it, and then
compares the PNG's pixels with those of a second decoder, or the error's name with this table. An
image that is refused stays in the source bucket; error and message are those of the failed
execution.

The rule: **an image is converted if and only if every coefficient of every component is present and
libjpeg reports neither an error nor a warning within the coded data**. The coded data are the
tables, the frame and the scans up to the last row. Bytes outside of the coded data are skipped
(between segments, after the last row, after the image), and the function logs how many there were.

* After the last row, surplus restart markers (with whatever follows them) and padding with zeros
  are skipped. Other bytes left there are a sign of damage: corrupt data may complete all rows too
  early. Decoders based on libjpeg do not notice fewer than eight such bytes.
* The end-of-image marker may be missing if nothing else is missing.
* **DamagedImage**: truncated images are never accepted. An image is refused if libjpeg warns, and
  also for damage that libjpeg does not report: missing scans, a missing colour. Damage that no
  decoder can detect is not rejected, for example a flipped bit that changes a pixel.
* **UnsupportedImage**: not a JPEG, or a kind of JPEG that is not converted.
* **ImageTooLarge**: exceeds a limit, which depends on the function's memory. Nothing was decoded.

Videos and depth maps that phones append are ignored. If a file contains several images, the first
one is converted. The EXIF orientation is applied as libvips, ImageMagick and exiftool do it: also
if it is a byte instead of a short integer, but not from a segment that repeats its identifier. If
there are several colour profiles, the first complete one is kept, up to its declared length. The
limits in this table are {bytes:,} bytes and {pixels:,} pixels; the limits of 100 scans and 10,000
segments always apply.

The same image always becomes the same pixels, but not always the same bytes: very rarely, the
library that compresses PNGs writes the same data in another way. Compare PNGs by their pixels.
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
    remarks = [made.mode]
    if made.orientation != 1:
        remarks.append(f"orientation {made.orientation} applied")
    if made.icc != "none":
        remarks.append(f"profile {made.icc}")
    if made.trailing_bytes:
        remarks.append(f"{made.trailing_bytes:,} bytes after it ignored")
    if made.skipped_bytes:
        remarks.append(f"{made.skipped_bytes:,} bytes skipped")
    return f"converted: {', '.join(remarks)}"


if __name__ == "__main__":
    sys.exit(generated.main({PAGE: render()}))
