r"""What scripts print, with nothing in it that a terminal would obey.

A key may hold any character, and whoever may upload chooses it: ``\x1b]0;...`` sets a window's
title, other sequences move the cursor or paste, a newline forges a line of output, and a direction
mark shows a name backwards. So everything that scripts print goes through this module, which writes
such characters as Python would: ``\x1b``.
"""

import re
import sys
from collections.abc import Iterable
from typing import IO

from rich import console
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment

# The style of an outcome, by its tone.
STYLES = {"good": "green", "warn": "yellow", "bad": "red", "live": "blue", "none": "dim"}

# Controls, separators of lines and of paragraphs, bidirectional format characters (others stay:
# emoji are made with them), and halves of a character, which no encoding can write: a file's name
# that is not UTF-8 has them.
_OBEYED = re.compile(
    "[\0-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str, *, keep: str = "") -> str:
    """Return a text with every character written out that a terminal would obey or not show.

    Parameters:
        text: a key, or a sentence that may quote one.
        keep: characters to leave, such as a newline in a text of several lines.
    """
    return _OBEYED.sub(
        lambda match: (
            match[0] if match[0] in keep else match[0].encode("unicode_escape").decode("ascii")
        ),
        text,
    )


class Console(console.Console):
    """Rich's console; its own sequences, colours and so on, are the only ones that it writes.

    Newlines pass, so that it can print texts of several lines; `print_line` writes them out.
    """

    def print_line(self, text: str, *, style: str | None = None, end: str = "\n") -> None:
        """Print a text, which may quote a key, as one line: without markup, and never wrapped."""
        self.print(visible(text), style=style, end=end, markup=False, soft_wrap=True)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render anything, and write out what a terminal would obey in its text."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(visible(segment.text, keep="\n"), segment.style)


def say(text: str, file: IO[str] | None = None) -> None:
    """Print a text, of several lines or one, to standard output or another file."""
    print(visible(text, keep="\n"), file=file or sys.stdout, flush=True)
