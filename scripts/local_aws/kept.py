"""The state that a local AWS keeps between two starts, and whether all of it was saved.

The emulator saves its state when it ends. On a busy machine that takes a while, and a local AWS
that is killed loses it. So there is a file, `unsaved`, from the start until everything is saved.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from scripts.lib import terminal

UNSAVED_VARIABLE: Final = "LOCAL_AWS_UNSAVED"  # in the server's environment

_REPORT_SECONDS: Final = 5.0  # between two lines about what is being saved
_POLL_SECONDS: Final = 0.1


class KeptState:
    """A folder with the state of a local AWS."""

    def __init__(self, directory: Path) -> None:
        """Use the folder of a local AWS's directory; it may not be there yet."""
        self.folder = directory / "state"
        self._unsaved = self.folder / "unsaved"

    @property
    def environment(self) -> dict[str, str]:
        """What the server needs to know of it."""
        return {
            "STATE_DIR": str(self.folder),
            "S3_DATA_DIR": str(self.folder / "s3"),
            UNSAVED_VARIABLE: str(self._unsaved),
        }

    @property
    def loss(self) -> str:
        """What to say if a local AWS that has ended did not save all of its state; or nothing."""
        lost = self._unsaved.exists()
        sentence = f"The state was not saved: {self.folder} holds an older or incomplete one."
        return sentence if lost else ""

    def report_loss(self) -> None:
        """Say it if state was lost."""
        if loss := self.loss:
            terminal.say(loss, sys.stderr)

    def begin(self) -> None:
        """Note that a local AWS has started and will have to save its state."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._unsaved.touch()

    def wait_until_saved(self, process_id: int, has_ended: Callable[[], bool]) -> None:
        """Wait until a local AWS has ended, and report how far it is if that takes long.

        Parameters:
            process_id: the process that keeps it.
            has_ended: whether it has.
        """
        asked = time.time()
        reported = asked
        while not has_ended():
            now = time.time()
            if now - reported >= _REPORT_SECONDS:
                reported = now
                self._report(asked, process_id)
            time.sleep(_POLL_SECONDS)

    def _report(self, asked: float, process_id: int) -> None:
        saved = [file for file in self.folder.glob("*.json") if file.stat().st_mtime >= asked]
        terminal.say(
            f"The local AWS is saving its state: {len(saved)} services after "
            f"{time.time() - asked:.0f} seconds. `kill -QUIT {process_id}` ends it without the "
            "rest.",
            sys.stderr,
        )
