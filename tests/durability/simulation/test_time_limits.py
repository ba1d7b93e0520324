"""The longest time of the AWS SDK fits into the timeouts of Lambda and Step Functions."""

import re
from collections import Counter
from typing import Any

import pytest
from botocore.retries import standard

from image_converter import clients
from scripts.lib.paths import REPOSITORY
from tests.durability.simulation.explore import explore
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.scenarios import TWO_UPLOADS
from tests.durability.simulation.system import System

DEFAULTS = REPOSITORY / "terraform" / "function_settings.tf"


def _longest_call(config: Any) -> float:
    """Return the seconds of a call whose every attempt is left without an answer."""
    attempts = config.retries["total_max_attempts"]
    longest_waits = standard.ExponentialBackoff(random=lambda: 1.0)
    waits = [
        longest_waits.delay_amount(standard.RetryContext(attempt_number=number))
        for number in range(1, attempts)
    ]
    return float(attempts * (config.connect_timeout + config.read_timeout) + sum(waits))


ORDINARY = _longest_call(clients._CONFIG)
COPY = _longest_call(clients._CONFIG.merge(clients._COPY_CONFIG))


def _timeouts() -> dict[str, int]:
    text = DEFAULTS.read_text(encoding="utf-8")
    settings = r"^ +(\w+) += \{ memory_mb = \d+, timeout_seconds = (\d+) \}"
    limits = re.findall(settings, text, re.MULTILINE)
    return {name: int(seconds) for name, seconds in limits}


def test_the_longest_call_is_what_the_comment_says() -> None:
    assert (ORDINARY, COPY) == (24, 189)


@pytest.mark.parametrize("function", ["upload", "trigger", "get_file_type", "write_to_dynamodb"])
def test_a_call_that_gets_no_answer_ends_before_the_function(function: str) -> None:
    assert _timeouts()[function] > ORDINARY


# Seconds for what a function does in addition to its calls: the largest image takes about 10.
OWN_WORK = {"resize_image": 60}


def test_even_if_every_call_took_its_longest_no_function_would_be_killed(
    system: System, handlers: Handlers
) -> None:
    """Of the calls that any invocation makes while two uploads of a key meet in every way."""
    explore(system, TWO_UPLOADS.start(faults=0, deliveries=2))
    longest: Counter[str] = Counter()
    for node in handlers.nodes:
        if node.request is None and node.function != "trigger":
            copies = node.function == "copy_file"
            calls = len(node.answers)
            seconds = calls * ORDINARY + copies * (COPY - ORDINARY)
            longest[node.function] = max(longest[node.function], int(seconds))
    assert longest.keys() == _timeouts().keys() - {"upload", "trigger"}
    for function, seconds in longest.items():
        assert seconds + OWN_WORK.get(function, 0) <= _timeouts()[function], function
