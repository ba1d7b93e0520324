"""What the demonstration shows: live where the output is a terminal, plain lines elsewhere."""

import io
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image as Pillow
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from scripts.demo.verdict import Image
from scripts.lib import terraform_stack, text
from scripts.lib.executions.model import RUNNING, SUCCEEDED
from scripts.lib.executions.run import Run, times_by_state
from scripts.lib.terminal import Console, visible

# The states that take time, under words short enough for a table.
_TIMED_STATES = {
    "GetFileType": "type",
    "CopyToDestination": "copy",
    "ResizeImage": "convert",
    "WriteToDynamoDb": "record",
    "DeleteSourceFile": "delete",
}
_MAX_NAMES = 3  # of resources that are waited for
_PLAIN_LINE_SECONDS = 10  # between two lines about the same step, where nothing can be redrawn


class Display:
    """Shows a person where the demonstration is."""

    def __init__(self, console: Console) -> None:
        """Show on a console; rich knows whether it is a terminal."""
        self._console = console

    def step(self, sentence: str) -> None:
        """Say what comes now."""
        self._console.print(f"[bold]{_text(sentence)}[/bold]", highlight=False)

    def say(self, sentence: str) -> None:
        """Print a line that is not a step."""
        self._console.print(f"  {_text(sentence)}", highlight=False, soft_wrap=True)

    def failed(self, sentence: str) -> None:
        """Say what does not hold, in one line or, of a program that failed, several."""
        self._console.print(f"  [red]✗ {escape(sentence)}[/red]", highlight=False, soft_wrap=True)

    def verdict(self, promise: str, faults: Iterable[str]) -> bool:
        """Say whether a promise holds, with what speaks against it, and return it."""
        sentences = list(faults)
        for sentence in sentences:
            self.failed(visible(sentence))
        if not sentences:
            self._console.print(f"  [green]✓[/green] {_text(promise)}", highlight=False)
        return not sentences

    def conclude(self, started: float, *, holds: bool) -> None:
        """Say whether everything holds, and how long it took since a `time.monotonic`."""
        self.step("All checks passed." if holds else "Some checks failed.")
        self.say(f"It took {time.monotonic() - started:.0f} seconds.")

    @contextmanager
    def terraform(self) -> Iterator[terraform_stack.Report]:
        """Yield what Terraform's progress is to be reported to."""
        with self._counting("resources") as count:
            yield lambda state: count(state.done, state.total, _waiting(state.waiting_for))

    @contextmanager
    def images(self) -> Iterator[Callable[[Mapping[str, str]], None]]:
        """Yield a function to call with the state of each image, by its key."""
        with self._counting("images") as count:
            yield lambda states: count(
                sum(1 for state in states.values() if not state),
                len(states),
                ", ".join(f"{key}: {state}" for key, state in states.items() if state),
            )

    @contextmanager
    def _counting(self, things: str) -> Iterator[Callable[[int, int, str], None]]:
        """Yield a function to call with the number done, the total and what is waited for."""
        if not self._console.is_terminal:
            yield self._plain_counter(things)
            return
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[waiting]}", markup=True),
        )
        with Progress(*columns, console=self._console, transient=False) as progress:
            task = progress.add_task(things, total=None, waiting="")

            def count(done: int, total: int, waiting: str) -> None:
                room = max(10, self._console.width - 62)
                shown = escape(visible(waiting)[:room])
                progress.update(task, completed=done, total=total or None, waiting=shown)

            yield count
            progress.update(task, waiting="")

    def _plain_counter(self, things: str) -> Callable[[int, int, str], None]:
        last = time.monotonic()

        def count(done: int, total: int, waiting: str) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last >= _PLAIN_LINE_SECONDS or (total and done == total):
                last = now
                self.say(f"{done} of {total or '?'} {things}{waiting and f', now {waiting}'}")

        return count

    def outcomes(self, images: Iterable[Image]) -> None:
        """Show what became of each image."""
        self._table(
            "Outcome of each image",
            ("image", "type", "outcome"),
            ("pixels", "file", "PNG"),
            (_outcome_row(image) for image in images),
        )

    def times(self, images: Iterable[Image]) -> None:
        """Show how many seconds each image was in each state."""
        self._table(
            "Seconds in each state",
            ("image",),
            (*_TIMED_STATES.values(), "in all"),
            (_times_row(image) for image in images),
        )

    def _table(
        self,
        title: str,
        texts: Iterable[str],
        numbers: Iterable[str],
        rows: Iterable[Iterable[str]],
    ) -> None:
        table = Table(title=title, title_justify="left", title_style="bold", box=None)
        for column in texts:
            table.add_column(column, overflow="fold", header_style="dim")
        for column in numbers:
            table.add_column(column, justify="right", no_wrap=True, header_style="dim")
        for row in rows:
            table.add_row(*row)
        self._console.print(table)

    def places(self, places: Mapping[str, Path | str]) -> None:
        """Say where to look."""
        self.step("Where to look")
        for what, place in places.items():
            self.say(f"{what}: {place}")


def _text(line: str) -> str:
    """Return a line that may quote a key as text to put between rich's marks."""
    return escape(visible(line))


def _outcome_row(image: Image) -> list[str]:
    pixels = png_bytes = ""
    if image.outputs:
        png = image.outputs[1].content
        width, height = Pillow.open(io.BytesIO(png)).size
        pixels, png_bytes = f"{width} x {height}", text.size(len(png))
    return [
        _text(image.key),
        image.file_type or "",
        _outcome(image),
        pixels,
        text.size(len(image.content)),
        png_bytes,
    ]


def _times_row(image: Image) -> list[str]:
    runs = [Run(image.execution)] if image.execution else []
    seconds = {time.state: time.ms / 1000 for time in times_by_state(runs)}
    in_all = [run.execution.seconds for run in runs]
    shown = [*(seconds.get(state) for state in _TIMED_STATES), *in_all]
    return [_text(image.key), *("" if took is None else f"{took:.1f}" for took in shown)]


def _outcome(image: Image) -> str:
    execution = image.execution
    if execution is None:
        return "[red]no execution[/red]"
    if execution.status == RUNNING:
        return "[yellow]still running[/yellow]"
    if execution.status != SUCCEEDED:
        return f"[red]{_text(execution.error or execution.status)}[/red]"
    return "[green]converted[/green]" if image.locations else "deleted, not a JPEG"


def _waiting(addresses: tuple[str, ...]) -> str:
    """Return the resources that have been waited for longest, in short."""
    shown = addresses[:_MAX_NAMES]
    names = [address.rsplit("module.", 1)[-1].removesuffix(".this") for address in shown]
    more = len(addresses) - len(shown)
    return ", ".join(names) + (f" and {more} more" if more else "")
