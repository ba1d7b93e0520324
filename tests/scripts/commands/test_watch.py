"""What `watch` says of executions that have ended."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from scripts.commands.watch import Followed, Watch, _summary
from scripts.lib import deployed
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect, history
from scripts.lib.executions.model import Execution
from tests.support.recordings import record

STACK = Deployment("m", "", "", "", "arn", express=False)


@pytest.fixture(autouse=True)
def known_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployed, "definition", lambda *_: {})


def _recorded(name: str) -> Execution:
    recorded = record.load("aws", name)
    return history.read(recorded["executionArn"], recorded["events"], recorded["definition"])


@pytest.mark.parametrize(
    ("renditions", "sentence"),
    [(0, ""), (1, "the PNG and 1 further rendition"), (3, "the PNG and 3 further renditions")],
)
def test_further_renditions_are_said(
    renditions: int, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    execution = _recorded("succeeded")
    made = {**execution.objects["PNG"], "renditions": [{}] * renditions}
    monkeypatch.setattr(Execution, "objects", {"PNG": made})
    monkeypatch.setattr(collect, "execution", lambda *_: execution)
    followed = Followed("arn", "name", datetime.now(UTC))
    assert Watch(cast("Any", None), STACK)._update(followed)
    assert (followed.place, followed.sentence) == ("converted", sentence)


def test_all_that_run_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    running = _recorded("succeeded")
    running.status, running.ended = "RUNNING", None
    runs = [
        {
            "executionArn": str(number),
            "name": "n",
            "status": "RUNNING",
            "startDate": running.started + timedelta(seconds=number),
        }
        for number in range(30)
    ]
    read: set[str] = set()

    def execution(_clients: Any, arn: str, _definition: Any) -> Execution:
        read.add(arn)
        return running

    monkeypatch.setattr(collect, "execution", execution)
    watch = Watch(cast("Any", None), STACK)
    monkeypatch.setattr(watch._source, "listed", lambda **_: runs)
    for _ in range(2):
        watch.poll()
    assert read == {run["executionArn"] for run in runs}


def test_what_failed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    execution = _recorded("damaged")
    monkeypatch.setattr(collect, "execution", lambda *_: execution)
    followed = Followed("arn", "name", datetime.now(UTC))
    Watch(cast("Any", None), STACK)._update(followed)
    assert followed.sentence == execution.sentence != ""


@pytest.mark.parametrize(
    ("places", "running", "summary"),
    [
        ([], 0, "No execution has ended since 12:00:01 UTC; 0 are running."),
        (["failed"], 1, "Since 12:00:01 UTC: 1 failed; 1 is running."),
        (
            ["converted", "failed", "converted"],
            2,
            "Since 12:00:01 UTC: 2 converted, 1 failed; 2 are running.",
        ),
    ],
)
def test_the_last_line_counts(places: list[str], running: int, summary: str) -> None:
    watch = Watch(cast("Any", None), STACK)
    watch.since = datetime(2026, 11, 28, 12, 0, 1, tzinfo=UTC)
    watch.ended = [Followed("arn", "name", watch.since, place) for place in places]
    watch.running = [Followed("arn", "name", watch.since)] * running
    assert _summary(watch) == summary
