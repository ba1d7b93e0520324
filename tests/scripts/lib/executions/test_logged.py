"""Executions out of a log group are those of the history, as far as they are logged."""

from __future__ import annotations

import itertools
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from image_converter import keys
from scripts.lib.aws import Clients
from scripts.lib.deployed import ExecutionLog
from scripts.lib.executions import history, logged
from scripts.lib.executions.logged import Log
from scripts.lib.executions.model import Execution, Outcome
from scripts.lib.executions.traces import Traces
from scripts.lib.user_errors import UserError
from scripts.local_aws import LocalAws
from tests.support.fake_cloud import recorded as recorded_event
from tests.support.recordings import express_lines, record

pytestmark = pytest.mark.e2e

DEFINITION = record.load("aws", "succeeded")["definition"]
RECORDED = [(path.parent.name, path.stem) for path in sorted(record.HISTORIES.glob("*/*.json"))]
_numbers = itertools.count(1)


@dataclass
class Group:
    """A log group, with the lines of recorded executions that a test puts there."""

    clients: Clients
    level: str = "ALL"
    data: bool = True
    name: str = field(default_factory=lambda: f"/aws/vendedlogs/states/logged-{next(_numbers)}")

    def __post_init__(self) -> None:
        self.clients.logs.create_log_group(logGroupName=self.name)
        self.clients.logs.create_log_stream(logGroupName=self.name, logStreamName="a")

    def reader(self, **options: Any) -> Log:
        """Return a reader of the group."""
        log = ExecutionLog(self.name, self.level, self.data)
        return Log(self.clients, express_lines.MACHINE, log, **options)

    def lines(
        self, folder: str, name: str, ago: timedelta = timedelta(minutes=1)
    ) -> list[dict[str, Any]]:
        """Return a recorded execution as EXPRESS logs it, ended that long ago."""
        configured = {"level": self.level, "includeExecutionData": self.data}
        return express_lines.of_recorded(folder, name, configured, next(_numbers), ago)

    def put(self, lines: list[dict[str, Any]]) -> str:
        """Deliver lines, in any order; return the execution's ARN."""
        shuffled = random.Random(1).sample(lines, len(lines))  # noqa: S311 - no secret
        for line in shuffled:
            entry = {"timestamp": int(line["event_timestamp"]), "message": json.dumps(line)}
            self.clients.logs.put_log_events(
                logGroupName=self.name,
                logStreamName="a",
                logEvents=[entry],  # type: ignore[list-item]
            )
        arn: str = lines[0]["execution_arn"]
        return arn


@pytest.fixture(scope="module")
def clients(unguarded_aws: LocalAws) -> Clients:
    return Clients(unguarded_aws.env)


@pytest.fixture
def group(clients: Clients) -> Group:
    return Group(clients)


def seen(execution: Execution) -> dict[str, Any]:
    """Return what people see of an execution."""
    return {
        "states": {
            name: (state.outcome, len(state.attempts)) for name, state in execution.states.items()
        },
        "edges": execution.taken(),
        "kind": execution.kind,
        "sentence": execution.sentence,
        "key": execution.key,
        "objects": execution.objects,
        "transitions": execution.transitions,
        "result": execution.result,
    }


@pytest.mark.parametrize(("folder", "name"), RECORDED)
def test_a_logged_execution_is_what_its_history_says(group: Group, folder: str, name: str) -> None:
    recorded = record.load(folder, name)
    arn = group.put(group.lines(folder, name))
    expected = history.read(arn, recorded["events"], recorded["definition"])

    execution = group.reader().execution(arn, recorded["definition"])

    assert seen(execution) == seen(expected)
    assert abs(execution.seconds - expected.seconds) < 0.01
    assert execution.name == f"{name}-{folder}"


def test_lists_are_those_of_step_functions_the_newest_first(group: Group) -> None:
    old = group.put(group.lines("aws", "succeeded", ago=timedelta(hours=30)))
    damaged = group.put(group.lines("aws", "damaged", ago=timedelta(minutes=3)))
    running = group.put(group.lines("aws", "retried", ago=timedelta(0))[:7])

    log = group.reader()
    listed = [(run["executionArn"], run["status"]) for run in log.listed()]

    assert listed == [(running, "RUNNING"), (damaged, "FAILED"), (old, "SUCCEEDED")]
    assert [run["executionArn"] for run in log.listed("FAILED")] == [damaged]
    assert [run["executionArn"] for run in group.reader().listed(most=2)] == [running, damaged]


def test_only_what_is_new_is_read_again(group: Group, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = group.lines("aws", "succeeded", ago=timedelta(seconds=1))
    arn = group.put(lines[:5])
    group.put(group.lines("aws", "damaged", ago=timedelta(hours=1)))
    log = group.reader()
    assert {run["status"] for run in log.listed()} == {"RUNNING", "FAILED"}

    asked: list[datetime] = []
    read = log._read

    def noting(first: datetime, last: datetime) -> None:
        asked.append(first)
        read(first, last)

    monkeypatch.setattr(log, "_read", noting)
    group.put(lines[5:])

    assert {run["status"] for run in log.listed()} == {"SUCCEEDED", "FAILED"}
    assert log.execution(arn, DEFINITION).outcome is Outcome.SUCCEEDED
    [since] = asked
    assert datetime.now(UTC) - since < timedelta(minutes=2)


def test_clocks_may_differ_by_minutes(group: Group) -> None:
    """This machine's is ahead of AWS's: what is logged now seems old."""
    group.put(group.lines("aws", "succeeded", ago=timedelta(minutes=4)))
    log = group.reader()
    assert len(log.listed()) == 1

    group.put(group.lines("aws", "damaged", ago=timedelta(minutes=3)))

    assert len(log.listed()) == 2


def test_what_was_logged_before_the_stack_was_made_stays_out(group: Group) -> None:
    """A stack of the same name may have been replaced a moment ago."""
    group.put(group.lines("aws", "succeeded", ago=timedelta(seconds=20)))
    log = group.reader(since=datetime.now(UTC) - timedelta(seconds=10))
    assert log.listed() == []

    group.put(group.lines("aws", "damaged", ago=timedelta(seconds=1)))

    assert [run["status"] for run in log.listed()] == ["FAILED"]


def test_late_lines_of_what_is_forgotten_are_not_a_new_execution(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged, "_KEPT", 1)
    lines = group.lines("aws", "succeeded", ago=timedelta(seconds=20))
    group.put(lines[:-1])
    group.put(group.lines("aws", "damaged", ago=timedelta(seconds=1)))
    log = group.reader()
    assert {run["status"] for run in log.listed()} == {"RUNNING", "FAILED"}

    group.put(lines[-1:])

    assert {run["status"] for run in log.listed()} == {"FAILED"}


def test_an_execution_that_began_before_the_log_is_read_is_not_cut_off(group: Group) -> None:
    group.put(group.lines("aws", "succeeded", ago=timedelta(minutes=2))[4:])
    since = datetime.now(UTC) - timedelta(minutes=4)

    assert group.reader(since=since).listed() == []


def test_pages_are_read_to_the_end_and_reported(group: Group) -> None:
    arns = {group.put(group.lines("aws", "succeeded")) for _ in range(3)}
    big = group.lines("aws", "damaged")
    big[0]["details"]["input"] = json.dumps({"padding": "x" * 200_000})
    for _ in range(6):  # a page has a megabyte
        another = f"{big[0]['execution_arn']}-"
        for line in big:
            line["execution_arn"] = another
        arns.add(group.put(big))

    said: list[str] = []
    runs = group.reader(progress=said.append).listed()

    assert {run["executionArn"] for run in runs} == arns
    assert len(said) > len(list(logged.windows(datetime.now(UTC), _long_ago())))
    assert "lines of the log since" in said[0]


def _long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=90)


def test_without_data_the_outcome_and_the_way_are_known(clients: Clients) -> None:
    group = Group(clients, data=False)
    converted, other, damaged = (
        group.put(group.lines("local", name)) for name in ("succeeded", "not-a-jpeg", "damaged")
    )
    log = group.reader()

    assert log.execution(converted, DEFINITION).kind == "converted"
    assert log.execution(other, DEFINITION).kind == "not a JPEG"
    assert log.execution(damaged, DEFINITION).kind == "failed"
    assert log.execution(converted, DEFINITION).key == "succeeded-local"


def test_at_level_error_failures_are_known_with_image_and_error(clients: Clients) -> None:
    group = Group(clients, level="ERROR")
    damaged = group.put(group.lines("aws", "damaged"))
    assert group.lines("local", "succeeded") == []

    log = group.reader(since=datetime.now(UTC) - timedelta(minutes=4))
    [listed] = log.listed()
    assert (listed["executionArn"], listed["status"]) == (damaged, "FAILED")
    execution = log.execution(damaged, DEFINITION)
    assert execution.key == "holiday/half.jpg"
    assert execution.sentence.startswith("DamagedImage: ")
    assert execution.states["QuitResize"].outcome is Outcome.FAILED
    failed, not_searched = log.failed()
    assert [run["executionArn"] for run in failed] == [damaged]
    assert not not_searched


def test_the_search_for_failures_reports_how_far_back_a_large_log_was_searched(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logged, "_PATIENCE_SECONDS", -1)
    group.put(group.lines("aws", "damaged"))

    runs, not_searched = group.reader().failed()

    assert runs == []
    assert "only what was logged since" in not_searched


@pytest.mark.parametrize(
    ("level", "data", "setting"),
    [
        ("OFF", True, 'state_machine_log_level = "ALL"'),
        ("FATAL", True, 'state_machine_log_level = "ALL"'),
        ("ERROR", False, 'state_machine_log_level = "ALL"'),
        ("ALL", False, "state_machine_log_execution_data = true"),
        ("ALL", True, ""),
    ],
)
def test_what_is_not_logged_is_named_with_its_setting(level: str, data: bool, setting: str) -> None:
    assert setting in (missing := ExecutionLog("g", level, data).missing)
    assert bool(missing) is bool(setting)


def test_an_execution_whose_end_was_never_logged_is_over_after_five_minutes(group: Group) -> None:
    lines = group.lines("aws", "succeeded", ago=timedelta(minutes=8))[:-1]
    arn = group.put(lines)

    execution = group.reader().execution(arn, DEFINITION)

    assert execution.outcome is Outcome.STOPPED
    assert execution.sentence == "EndNotLogged: AWS has not logged how it ended"


def test_executions_of_an_image_are_found_by_name_and_by_input(group: Group) -> None:
    name = keys.execution_name("pictures", "holiday/half.jpg", "v1")
    of_upload, by_hand = group.lines("local", "damaged"), group.lines("local", "damaged")
    for line in of_upload:
        line["execution_arn"] = line["execution_arn"].replace("damaged-local", name)
    group.put(group.lines("local", "succeeded"))
    started, again = group.put(of_upload), group.put(by_hand)
    log = group.reader()

    def arns(key: str, version: str) -> set[str]:
        modified = datetime.now(UTC) - timedelta(hours=1)
        upload = {"VersionId": version, "LastModified": modified}
        executions, not_searched = log.of_image(Traces(key, "pictures", [upload], None))
        assert not not_searched
        return {run["executionArn"] for run in executions}

    assert arns("holiday/half.jpg", "v1") == arns("holiday/half.jpg", "v2") == {started, again}
    assert arns("half.jpg", "v1") == set()
    assert [run["executionArn"] for run in log.named(name)] == [started]
    assert log.named(name[1:]) == log.named(name[:-1]) == []


@pytest.mark.parametrize("version", ["v1", "null"])
def test_where_inputs_are_not_logged_executions_of_an_image_are_found_by_name(
    clients: Clients, version: str
) -> None:
    group = Group(clients, data=False)
    lines = group.lines("local", "damaged")
    name = keys.execution_name("pictures", "half.jpg", "v1" if version == "v1" else "sequencer")
    for line in lines:
        line["execution_arn"] = line["execution_arn"].replace("damaged-local", name)
    arn = group.put(lines)
    group.put(group.lines("local", "succeeded"))

    upload = {"VersionId": version, "LastModified": datetime.now(UTC) - timedelta(hours=1)}
    executions, _ = group.reader().of_image(Traces("half.jpg", "pictures", [upload], None))

    assert [run["executionArn"] for run in executions] == [arn]


def test_what_is_not_logged_is_said_in_a_sentence(group: Group) -> None:
    arn = "arn:aws:states:us-east-1:123456789012:express:pictures:name:1"
    with pytest.raises(UserError, match=r"Nothing is logged .* status KEY"):
        group.reader().execution(arn, DEFINITION)


def test_lines_of_aws_are_understood() -> None:
    lines = recorded_event("step_functions_logged")["express"]

    run = logged.summary(lines[0]["execution_arn"], logged.events(reversed(lines)))

    assert run["status"] == "FAILED"
    assert run["error"] == "States.Runtime"
    assert run["name"].startswith("c9becabb")
    assert run["startDate"] == datetime(2022, 6, 10, 17, 42, 55, 216000, UTC)
