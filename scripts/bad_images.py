"""Write docs/bad-images.md: what becomes of which odd or bad image.

The table is the tests' own (tests/unit/conversion/corpus.py); each answer is what the conversion
says now.

    python -m scripts.bad_images
"""

import io
from pathlib import Path

from image_converter.conversion import convert
from image_converter.errors import ConversionError
from tests.unit.conversion.corpus import LIMITS, SECTIONS, Case

PAGE = Path(__file__).resolve().parent.parent / "docs" / "bad-images.md"

_INTRODUCTION = """\
<!-- Written by `python -m scripts.bad_images`: change tests/unit/conversion/corpus.py instead. -->

# Good, odd and bad images

What becomes of which image. Every line is a test: the file is made by code and converted, and the
PNG's pixels are compared with those of a second decoder, or the error's name with this table.
An image that is refused stays in the source bucket; error and sentence are the cause of the failed
execution.

* **DamagedImage**: half an image never passes as a whole one. What makes libjpeg warn is refused,
  and what it does not even warn of: a missing end, missing scans, a missing colour. What no decoder
  can see passes: a few bytes of padding after the data, a flipped bit that makes another pixel.
* **UnsupportedImage**: no JPEG at all, or a kind of JPEG that is not converted.
* **ImageTooLarge**: over a limit, which derives from the function's memory. Nothing was decoded.

Bytes after the end of the image are ignored: phones append videos and depth maps. Of several images
in one file the first is converted. The limits here are {bytes:,} bytes and {pixels:,} pixels.
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
    return f"converted: {', '.join(facts)}"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
    print(f"Wrote {PAGE.name}.")
