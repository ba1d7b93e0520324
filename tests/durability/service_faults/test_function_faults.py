"""Functions that time out or whose process is killed, before their effect or after it.

(Those that raise are in tests/aws_contract/test_pipeline.py.)
"""

from typing import Any

import pytest

from tests.durability.service_faults.promise import IMAGE, check
from tests.support.asl import machine
from tests.support.asl.interpreter import Function, LambdaFailureError
from tests.support.fake_cloud import DESTINATION, Cloud

# What Step Functions sees: Lambda's name for each, and its own for a Task that takes too long.
ENDS = {
    "timed out": ("Sandbox.Timedout", "Task timed out after 30.00 seconds"),
    "given up": ("States.Timeout", ""),
    "killed": ("Runtime.ExitError", "Runtime exited with error: signal: killed"),
}


def ending(function: str, how: str, times: int | None, *, after: bool) -> Function:
    """Return the real function, which ends that way, some calls long or always."""
    calls: list[object] = []

    def handler(event: Any, context: Any) -> Any:
        calls.append(event)
        ends = times is None or len(calls) <= times
        answer = machine.HANDLERS[function](event, context) if after or not ends else None
        if ends:
            raise LambdaFailureError(*ENDS[how])
        return answer

    return handler


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("after", [False, True], ids=["before its effect", "after its effect"])
@pytest.mark.parametrize("function", machine.HANDLERS)
class TestAFunction:
    def test_that_ends_once(self, cloud: Cloud, function: str, after: bool, how: str) -> None:
        record = cloud.upload("a.jpg", IMAGE)
        result = machine.run(record, **{function: ending(function, how, 1, after=after)})
        assert (result.status, len(result.waits)) == ("SUCCEEDED", 1)
        assert cloud.version_count(DESTINATION) == 2
        check(record, result)

    def test_that_ends_always(self, cloud: Cloud, function: str, after: bool, how: str) -> None:
        record = cloud.upload("a.jpg", IMAGE)
        failed = machine.run(record, **{function: ending(function, how, None, after=after)})
        assert (failed.status, failed.error) == ("FAILED", ENDS[how][0])
        restarted = machine.run(record)
        assert (restarted.status, cloud.version_count(DESTINATION)) == ("SUCCEEDED", 2)
        check(record, failed, restarted)
