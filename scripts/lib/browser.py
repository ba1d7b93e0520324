"""Finds and launches headless Chromium."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def program() -> str | None:
    """Return where Chromium is, or None where it is not installed."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def launched(chromium: str, home: Path, *flags: str) -> Iterator[Browser]:
    """Yield Chromium, with a profile of its own; it ends with this.

    Parameters:
        chromium: the program.
        home: an empty folder for its profile.
        flags: further ones of its command line.
    """
    with (
        sync_playwright() as playwright,
        # Playwright's own flags disable background traffic, updates and the sandbox.
        playwright.chromium.launch(
            executable_path=chromium,
            args=["--disable-gpu", *flags],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
        ) as browser,
    ):
        yield browser
