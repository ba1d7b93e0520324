"""A flood of images neither loses any nor starves the account: the limits, calculated.

The local AWS does not throttle as AWS does, so this is arithmetic, with exactly the numbers that
Terraform deploys: how fast executions start, and how long a throttled task goes on trying.
"""

import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count

import pytest

from tests.support.asl import rendering

# Seconds of each function for a photograph of some megapixels, twice to ten times as slow as here.
SECONDS = {
    "get_file_type": 0.1,
    "copy_file": 0.4,
    "resize_image": 0.8,
    "write_to_dynamodb": 0.1,
    "delete_file": 0.15,
}
STEPS = (
    ("get_file_type",),
    ("copy_file", "resize_image"),
    ("write_to_dynamodb",),
    ("delete_file",),
)
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
NEW_ACCOUNT, ACCOUNT = 10, 1000
FASTEST_START = 0.02  # seconds of a call of StartExecution, at the least
DEFAULT_CONCURRENCY = 5  # of the trigger; test_the_trigger holds it to be what Terraform says


@dataclass(frozen=True)
class Rule:
    """A Retry of the state machine, with full jitter."""

    interval: float
    attempts: float
    backoff: float
    longest: float

    def wait(self, number: int, chance: random.Random) -> float:
        """Return the seconds before an attempt; the first retry is number 0."""
        most = min(self.longest, self.interval * self.backoff ** min(number, 32))
        return chance.uniform(0, most)


def deployed(**changed: float) -> Rule:
    """Return the rule for throttled tasks, by Terraform's defaults."""
    numbers = {**rendering.NUMBERS, **changed}
    return Rule(
        interval=numbers["transient_interval"],
        attempts=numbers["transient_max_attempts"],
        backoff=numbers["transient_backoff"],
        longest=numbers["transient_max_delay"],
    )


@dataclass
class Flood:
    """Executions that start one after another, in an account with a limit of running functions.

    Attributes:
        slots: functions that run at the same time at most; one more is throttled.
        rule: when a throttled one tries again.
        failed: executions that gave up.
        longest: seconds of the execution that took longest.
        most: functions that ran at the same time.
    """

    slots: int
    rule: Rule
    failed: set[int] = field(default_factory=set)
    longest: float = 0
    most: int = 0
    _running: int = 0
    _events: list[tuple[float, int, str, int, int, str, int]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def run(self, images: int, a_second: float) -> "Flood":
        """Run the simulation to its end."""
        chance = random.Random(1)  # noqa: S311 - jitter, the same each time
        started = [number / a_second for number in range(images)]
        open_tasks: dict[int, int] = {}
        for image, time in enumerate(started):
            self._step(time, image, 0, open_tasks)
        while self._events:
            time, _, event, image, step, task, tried = heapq.heappop(self._events)
            if event == "ends":
                self._running -= 1
                open_tasks[image] -= 1
                if open_tasks[image] == 0 and step + 1 < len(STEPS):
                    self._step(time, image, step + 1, open_tasks)
                self.longest = max(self.longest, time - started[image])
            elif self._running < self.slots:
                self._running += 1
                self.most = max(self.most, self._running)
                self._at(time + SECONDS[task], "ends", image, step, task, 0)
            elif tried >= self.rule.attempts:
                self.failed.add(image)
            else:
                wait = self.rule.wait(tried, chance)
                self._at(time + wait, "begins", image, step, task, tried + 1)
        return self

    def _step(self, time: float, image: int, step: int, open_tasks: dict[int, int]) -> None:
        open_tasks[image] = len(STEPS[step])
        for task in STEPS[step]:
            self._at(time, "begins", image, step, task, 0)

    def _at(self, time: float, event: str, image: int, step: int, task: str, tried: int) -> None:
        heapq.heappush(self._events, (time, next(self._numbers), event, image, step, task, tried))


def starts(trigger: int = DEFAULT_CONCURRENCY) -> float:
    """Return how many executions start in a second at most."""
    return trigger / FASTEST_START


def test_a_flood_into_a_new_account_is_only_late() -> None:
    flood = Flood(NEW_ACCOUNT, deployed()).run(3000, starts())
    assert flood.failed == set()
    assert flood.most == NEW_ACCOUNT
    assert flood.longest < rendering.NUMBERS["execution_timeout"]


def test_the_usual_six_attempts_would_drop_images() -> None:
    """AWS's own example gives up within a minute."""
    rule = deployed(transient_max_attempts=6, transient_max_delay=30)
    assert len(Flood(NEW_ACCOUNT, rule).run(500, starts()).failed) > 100


def test_a_reservation_holds_and_drops_nothing() -> None:
    flood = Flood(100, deployed()).run(10_000, starts())
    assert flood.failed == set()
    assert flood.most == 100


def test_a_flood_leaves_the_account_more_than_half() -> None:
    """Without any reservation: what starts in a second, times what an image takes."""
    flood = Flood(ACCOUNT, deployed()).run(10_000, starts())
    assert flood.failed == set()
    assert flood.most < ACCOUNT / 2
    assert starts() * sum(SECONDS.values()) < ACCOUNT / 2


def test_an_execution_does_not_end_before_its_retries() -> None:
    """Half an hour of waits on average, and then the work itself."""
    rule = deployed()
    waits = rule.attempts * rule.longest / 2
    work = 1620  # test_limits.py calculates it: every task times out until it is given up
    assert waits + work < rendering.NUMBERS["execution_timeout"]


@pytest.mark.e2e
@pytest.mark.terraform
def test_the_trigger(plan: Mapping[str, Mapping[str, object]]) -> None:
    """The numbers used above are those that are deployed."""
    variables = plan["variables"]
    assert variables["trigger_maximum_concurrency"] == {"value": DEFAULT_CONCURRENCY}
