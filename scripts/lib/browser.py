"""Launches headless Chromium with background network traffic disabled."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


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
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()  # root cannot have one
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=[*_FLAGS, *sandbox, *flags],
            env={"HOME": str(home), "PATH": os.environ["PATH"]},
        )
        yield browser
        browser.close()
