"""What the live page knows of a stack, and what it asks AWS for that."""

import copy
from collections import Counter
from typing import Any

import pytest

from image_converter import keys
from scripts.console import live
from scripts.console.live import Live
from scripts.lib import wait
from scripts.lib.executions.model import name_of
from tests.scripts.console.conftest import DEFINITION, Small
from tests.support import workflow

pytestmark = pytest.mark.e2e

both_types = pytest.mark.parametrize("workflow_type", workflow.TYPES)


@pytest.fixture
def watched(small: Small) -> Live:
    return Live(small.clients, small.deployment)


def asked(small: Small, watched: Live) -> Counter[str]:
    """Poll once, and return what AWS was asked for."""
    calls: Counter[str] = Counter()

    def note(model: Any, **_: object) -> None:
        calls[model.name] += 1

    for client in (small.clients.stepfunctions, small.clients.sqs):
        client.meta.events.register("before-call", note)
    watched.poll()
    for client in (small.clients.stepfunctions, small.clients.sqs):
        client.meta.events.unregister("before-call", note)
    return calls


def test_a_poll_asks_for_the_list_and_for_what_runs(small: Small, watched: Live) -> None:
    small.start("a", "run")
    for name in ("b", "c", "d"):
        small.start(name, "succeed")
    small.settle("SUCCEEDED", 3)
    watched.poll()

    assert asked(small, watched) == {
        "ListExecutions": 1,
        "GetExecutionHistory": 1,
        "GetQueueUrl": 1,
        "GetQueueAttributes": 1,
    }

    small.start("e", "fail")
    small.settle("FAILED", 1)
    assert asked(small, watched)["GetExecutionHistory"] == 2, "what is new is read"
    assert asked(small, watched)["GetExecutionHistory"] == 1, "and not again"
    assert watched.counts == {"queue": 0, "running": 1, "done": 3, "failed": 1}


@pytest.mark.parametrize("workflow_type", ["EXPRESS"])
def test_a_poll_of_express_reads_its_log_alone(small: Small, watched: Live) -> None:
    small.start("a", "run")
    small.start("b", "succeed")
    small.settle("SUCCEEDED", 1)
    assert asked(small, watched) == {
        "DescribeStateMachine": 1,
        "GetQueueUrl": 1,
        "GetQueueAttributes": 1,
    }
    assert watched.counts == {"queue": 0, "running": 1, "done": 1, "failed": 0}
    assert {item.key: item.is_current for item in watched.items.values()} == {
        "a.jpg": True,
        "b.jpg": True,
    }


def test_histories_are_read_a_few_at_a_time_and_each_has_its_turn(
    small: Small, watched: Live
) -> None:
    small.start("now", "run")
    for number in range(30):
        small.start(f"new-{number}", "succeed")
    small.settle("SUCCEEDED", 30)

    assert asked(small, watched)["GetExecutionHistory"] == 12
    assert watched.items["now"].is_current, "what runs comes first"
    polls = 1
    while not all(item.is_current for item in watched.items.values()):
        watched.poll()
        polls += 1
    assert polls <= 4


@both_types
def test_a_poll_returns_what_has_changed(small: Small, watched: Live) -> None:
    small.start("a", "run")
    changed, _ = watched.poll()
    assert [(item.key, item.group) for item in changed] == [("a.jpg", "running")]
    [item] = changed

    def is_in_its_state() -> bool:
        watched.poll()
        return item.execution is not None and item.execution.running_states == ["Run"]

    wait.until("its state to be entered", is_in_its_state)
    assert watched.poll() == ([], [])


@both_types
def test_what_is_retried_is_the_same_image_in_another_state(small: Small, watched: Live) -> None:
    small.start("a", "fail")
    small.settle("FAILED", 1)
    watched.poll()
    [item] = watched.items.values()
    assert (item.group, item.is_hopeless) == ("failed", False)

    fixed: Any = copy.deepcopy(DEFINITION)
    fixed["States"]["Fail"] = {"Type": "Succeed"}
    small.become(fixed)
    assert "a.jpg (version 1): started" in watched.retry(item)
    small.settle("SUCCEEDED", 1)
    watched.poll()

    assert list(watched.items.values()) == [item]
    assert item.group == "done"
    assert name_of(item.arn) == "a-redo1"
    assert watched.counts == {"queue": 0, "running": 0, "done": 1, "failed": 0}


@both_types
def test_an_upload_waits_until_its_execution_starts(small: Small, watched: Live) -> None:
    name = keys.execution_name(small.deployment.source_bucket, "sea.jpg", "v1")
    item = watched.add("sea.jpg", "v1")
    watched.poll()
    assert item.group == "waiting"

    small.start(name, "run", "sea.jpg")
    changed, _ = watched.poll()

    assert changed == [item]
    assert (item.name, item.group) == (name, "running")


def test_an_upload_that_starts_nothing_is_reported_once(
    watched: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = watched.add("sea.jpg", "v1")
    monkeypatch.setattr(live, "_LATE_SECONDS", 0)
    assert watched.poll() == ([item], [])
    assert watched.poll() == ([], [])


@both_types
def test_only_the_newest_are_listed(
    small: Small, watched: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "NEWEST", 2)
    for name in ("a", "b"):
        small.start(name, "run")
    watched.poll()
    small.start("c", "run")
    _, gone = watched.poll()
    assert (gone, set(watched.items)) == (["a"], {"b", "c"})


def test_a_queue_that_may_not_be_asked_is_not_counted(small: Small, watched: Live) -> None:
    small.clients.sqs.delete_queue(
        QueueUrl=small.clients.sqs.get_queue_url(QueueName=small.deployment.name)["QueueUrl"]
    )
    watched.poll()
    assert watched.counts["queue"] is None
