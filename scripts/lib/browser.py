"""Finds and launches headless Chromium."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from scripts.lib.user_errors import UserError

_NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


@contextmanager
def launched(*flags: str) -> Iterator[Browser]:
    """Yield Chromium, with a profile of its own; it ends with this.

    Parameters:
        flags: further ones of its command line.

    Raises:
        UserError: it is not installed.
    """
    chromium = next(filter(None, map(shutil.which, _NAMES)), None)
    if chromium is None:
        raise UserError("Chromium is missing. `make system-packages` installs it or explains how.")
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
        sync_playwright() as playwright,
        # Playwright's own flags disable background traffic, updates and the sandbox.
        playwright.chromium.launch(
            executable_path=chromium,
            args=["--disable-gpu", *flags],
            env={"HOME": home, "PATH": os.environ["PATH"]},
        ) as browser,
    ):
        yield browser
