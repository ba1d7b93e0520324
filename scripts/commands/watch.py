"""Follow the executions of the stack.

One line for each image. Where the output is a terminal, those that run are redrawn and those that
have ended stay above them; elsewhere each change is a line.
"""

import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
from rich.live import Live
from rich.table import Table
from rich.text import Text

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import deployed
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, logged
from scripts.lib.executions.model import RUNNING, Outcome, made_of
from scripts.lib.terminal import STYLES, Console, visible
from scripts.lib.text import counted, duration
from scripts.lib.user_errors import ExitStatus

_PAUSE_SECONDS = 1.0
_HISTORIES_A_ROUND = 20  # AWS limits the calls
_ROUNDS_IN_VAIN = 5  # after which nothing is about to start
_JUST_ENDED = timedelta(minutes=1)  # so that an image that was just sent is shown
_LISTED = 200  # the newest executions, among which are those that run


@dataclass
class Followed:
    """An execution that is watched.

    Attributes:
        key: the image's key; the execution's name until that is known.
        place: the states that it is in, or what became of it.
        outcome: as far as it is known.
        sentence: what failed, or what was made, if that is more than a PNG.
    """

    arn: str
    key: str
    started: datetime
    place: str = "starting"
    outcome: Outcome = Outcome.RUNNING
    ended: datetime | None = None
    sentence: str = ""

    @property
    def elapsed(self) -> str:
        """How long it took, or has taken so far."""
        return duration(((self.ended or datetime.now(UTC)) - self.started).total_seconds())

    def as_json(self) -> dict[str, Any]:
        """Return it as a line of `--json`."""
        return {
            "arn": self.arn,
            "key": self.key,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat() if self.ended else None,
            "state": self.outcome.value,
            "place": self.place,
            "sentence": self.sentence,
        }


class Watch:
    """Knows the executions that run, and those that have ended since shortly before it began."""

    def __init__(self, clients: Clients, stack: Deployment) -> None:
        self._clients = clients
        self._stack = stack
        self._histories_a_round = _LISTED if stack.express else _HISTORIES_A_ROUND
        self.began = datetime.now(UTC)
        self.since = self.began - _JUST_ENDED
        self._source = collect.source(clients, stack, since=self.since - logged.LONGEST)
        self._seen: dict[str, Followed] = {}
        self.running: list[Followed] = []
        self.ended: list[Followed] = []

    def poll(self) -> list[Followed]:
        """Ask AWS once; return what has changed since the last time."""
        for run in reversed(list(self._source.listed(most=_LISTED))):
            self._meet(run)
        asked = self.running[: self._histories_a_round]
        waiting = self.running[self._histories_a_round :]  # which have their turn next
        changed = [image for image in asked if self._update(image)]
        self.ended += [image for image in asked if image.ended]
        self.running = waiting + [image for image in asked if not image.ended]
        return changed

    def _meet(self, run: Any) -> None:
        arn = run["executionArn"]
        fresh = run["status"] == RUNNING or run["startDate"] >= self.since
        if arn not in self._seen and fresh:
            self._seen[arn] = Followed(arn, run["name"], run["startDate"])
            self.running.append(self._seen[arn])

    def _update(self, image: Followed) -> bool:
        before = (image.key, image.place)
        definition = deployed.definition(self._clients, self._stack.state_machine_arn)
        execution = self._source.execution(image.arn, definition)
        states = [
            f"{name} (try {tries})" if (tries := len(execution.states[name].attempts)) > 1 else name
            for name in execution.running_states
            if not execution.machine_state(name).lanes
        ]
        image.key, image.outcome, image.ended = execution.key, execution.outcome, execution.ended
        image.place = execution.kind if image.ended else " and ".join(states) or image.place
        made = execution.objects.get("PNG", {})
        if image.outcome.tone == "bad":
            image.sentence = execution.sentence
        elif made.get("renditions"):
            image.sentence = made_of(made)
        return (image.key, image.place) != before


@click.command("watch")
@click.option("--until-done", is_flag=True, help="Exit when nothing is running.")
@click.option("--json", "as_json", is_flag=True, help="Print each change as a line of JSON.")
@options.of_a_stack
def command(target: Target, *, until_done: bool, as_json: bool) -> int:
    """Follow the executions as they run.

    Those of the last minute are included. Ctrl-C is the way to leave.
    """
    clients, stack = target.find()
    console = options.console(as_json=as_json, markup=False)
    if stack.not_logged:
        console.print(stack.not_logged, soft_wrap=True)
    watch = Watch(clients, stack)
    # Those that run are redrawn below the lines, where there is a terminal to draw on.
    live = Live(console=console, auto_refresh=False, transient=True)
    if not as_json and not console.is_terminal:
        print("Waiting for executions; press ctrl-C to exit.", flush=True)
    try:
        with nullcontext() if as_json else live:
            for changed in _changes(watch, until_done=until_done):
                for image in changed:
                    _show(image, console, as_json=as_json)
                live.update(_table(watch, console.height), refresh=not as_json)
    except KeyboardInterrupt:
        pass  # the way to leave
    console.print(_summary(watch))
    return ExitStatus.DONE


def _changes(watch: Watch, *, until_done: bool) -> Iterator[list[Followed]]:
    """Yield what has changed in each round."""
    for rounds in itertools.count(1):
        yield watch.poll()
        any_ended = any(image.ended and image.ended >= watch.began for image in watch.ended)
        is_quiet = any_ended or rounds >= _ROUNDS_IN_VAIN
        if until_done and not watch.running and is_quiet:
            return
        time.sleep(_PAUSE_SECONDS)


def _show(image: Followed, console: Console, *, as_json: bool) -> None:
    """Print what has changed; on a terminal, the table has what has not ended."""
    if as_json:
        click.echo(json.dumps(image.as_json()))
    elif not console.is_terminal:
        at = (image.ended or datetime.now(UTC)).astimezone(UTC)
        console.print(f"{at:%H:%M:%S} {_line(image)}", soft_wrap=True)
    elif image.ended:
        console.print(_line(image))


def _line(image: Followed) -> Text:
    style = STYLES[image.outcome.tone]
    text = Text(f"{image.outcome.sign} ", style)
    text.append(visible(image.key), "bold")
    text.append(f"  {image.place}", style)
    text.append(f"  {image.elapsed}", "dim")
    if image.sentence:
        text.append(f"  {visible(image.sentence)}")
    return text


def _table(watch: Watch, height: int) -> Table:
    table = Table.grid(padding=(0, 2))
    room = max(height - 4, 3)
    for image in sorted(watch.running, key=lambda image: image.started)[:room]:
        table.add_row(
            Text(visible(image.key), "bold"), Text(image.place, "blue"), Text(image.elapsed, "dim")
        )
    more = len(watch.running) - room
    if more > 0:
        table.add_row(Text(f"and {counted(more, 'more', 'more')}", "dim"))
    table.add_row(
        Text(f"{counted(len(watch.running), 'execution')} running. Press ctrl-C to exit.", "dim")
    )
    return table


def _summary(watch: Watch) -> str:
    places = Counter(image.place for image in watch.ended)
    ended = ", ".join(f"{count} {place}" for place, count in places.items())
    since, running = f"{watch.since:%H:%M:%S} UTC", counted(len(watch.running), "is", "are")
    sentence = f"Since {since}: {ended}" if ended else f"No execution has ended since {since}"
    return f"{sentence}; {running} running."
