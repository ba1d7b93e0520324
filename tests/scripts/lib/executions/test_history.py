"""From recorded histories to states, attempts and times."""

import json
from datetime import timedelta
from typing import Any

import pytest

from image_converter import source_cleanup
from scripts.lib.executions import history
from scripts.lib.executions.history import HistoryError
from scripts.lib.executions.model import Execution, Outcome
from tests.support.recordings import record

GOOD, RETRIED, CAUGHT = Outcome.SUCCEEDED, Outcome.RETRIED, Outcome.CAUGHT
FAILED, UNSEEN, STOPPED = Outcome.FAILED, Outcome.NOT_ENTERED, Outcome.STOPPED

# In the order of the definition: what a person should see of each recorded run.
STATES = (
    "GetFileType",
    "CheckFileType",
    "ProcessFile",
    "CopyToDestination",
    "QuitCopy",
    "ResizeImage",
    "QuitResize",
    "WriteToDynamoDb",
    "DeleteSourceFile",
    "QuitMain",
)
SEEN = {
    "succeeded": (GOOD, GOOD, GOOD, GOOD, UNSEEN, GOOD, UNSEEN, GOOD, GOOD, UNSEEN),
    "retried": (GOOD, GOOD, GOOD, GOOD, UNSEEN, RETRIED, UNSEEN, GOOD, GOOD, UNSEEN),
    "timed-out": (GOOD, GOOD, FAILED, GOOD, UNSEEN, CAUGHT, FAILED, UNSEEN, UNSEEN, UNSEEN),
    "not-a-jpeg": (GOOD, GOOD, UNSEEN, UNSEEN, UNSEEN, UNSEEN, UNSEEN, UNSEEN, GOOD, UNSEEN),
    "no-record": (GOOD, GOOD, GOOD, GOOD, UNSEEN, GOOD, UNSEEN, CAUGHT, UNSEEN, FAILED),
}


# The same, as the local AWS reports it.
SEEN_LOCALLY = {
    "succeeded": SEEN["succeeded"],
    "retried": (RETRIED, GOOD, GOOD, GOOD, UNSEEN, GOOD, UNSEEN, GOOD, GOOD, UNSEEN),
    "timed-out": SEEN["timed-out"],
    "not-a-jpeg": SEEN["not-a-jpeg"],
    "damaged": SEEN["timed-out"],
    "stopped": (GOOD, GOOD, STOPPED, GOOD, UNSEEN, STOPPED, UNSEEN, UNSEEN, UNSEEN, UNSEEN),
}


def read(folder: str, name: str) -> Execution:
    return cut(folder, name, None)


def cut(folder: str, name: str, after: str | None) -> Execution:
    """Return a recorded execution, as it was when an event of that type had just happened."""
    recorded = record.load(folder, name)
    events: list[dict[str, Any]] = recorded["events"]
    if after:
        types = [event["type"] for event in events]
        events = events[: types.index(after) + 1]
    return history.read(recorded["executionArn"], events, recorded["definition"])


@pytest.mark.parametrize(
    ("folder", "name", "seen"),
    [
        *(("aws", name, seen) for name, seen in SEEN.items()),
        *(("local", name, seen) for name, seen in SEEN_LOCALLY.items()),
    ],
)
def test_each_state_has_the_outcome_that_a_person_should_see(
    folder: str, name: str, seen: tuple[Outcome, ...]
) -> None:
    run = read(folder, name)

    assert tuple(run.states) == STATES
    assert tuple(state.outcome for state in run.states.values()) == seen


def test_a_damaged_image_fails_its_lane_and_gives_up_the_other() -> None:
    run = read("aws", "damaged")

    assert run.outcome is FAILED
    assert run.error == "DamagedImage"
    assert run.states["ResizeImage"].outcome is CAUGHT
    assert run.states["QuitResize"].outcome is FAILED
    assert run.states["ProcessFile"].outcome is FAILED
    # The copy was still under way, or just done: in either case it is not a failure.
    assert run.states["CopyToDestination"].outcome in (GOOD, Outcome.STOPPED)
    assert len(run.states["ResizeImage"].attempts) == 1, "permanent: no second attempt"


def test_what_a_state_wrote_has_the_role_of_its_state() -> None:
    execution = read("aws", "succeeded")
    where = {"bucket": "b", "key": "k"}
    for name, state in execution.states.items():
        for attempt in state.attempts:
            attempt.output = json.dumps({**where, "eTag": name})

    assert execution.objects == {
        "Original": {**where, "eTag": "CopyToDestination"},
        "PNG": {**where, "eTag": "ResizeImage"},
    }


def test_a_retry_shows_both_attempts() -> None:
    run = read("aws", "retried")
    first, second = run.states["ResizeImage"].attempts

    assert (first.outcome, first.error) == (FAILED, "ConnectionResetError")
    assert "Connection was reset by peer" in first.cause
    assert second.outcome is GOOD
    assert first.ended is not None
    assert first.scheduled <= first.ended <= second.scheduled
    assert run.outcome is RETRIED
    assert run.retries == 1


def test_a_late_answer_does_not_undo_a_timeout() -> None:
    attempts = read("aws", "timed-out").states["ResizeImage"].attempts

    assert [attempt.outcome for attempt in attempts] == [Outcome.TIMED_OUT] * 2
    assert all(
        attempt.ended and attempt.ended - attempt.scheduled < timedelta(seconds=2)
        for attempt in attempts
    )


def test_the_edges_taken_are_those_between_its_states() -> None:
    assert read("aws", "not-a-jpeg").taken() == {
        ("GetFileType", "CheckFileType"),
        ("CheckFileType", "DeleteSourceFile"),
        ("DeleteSourceFile", None),
    }
    assert read("aws", "no-record").taken() == {
        ("GetFileType", "CheckFileType"),
        ("CheckFileType", "ProcessFile"),
        ("CopyToDestination", None),
        ("ResizeImage", None),
        ("ProcessFile", "WriteToDynamoDb"),
        ("WriteToDynamoDb", "QuitMain"),
    }


def test_the_local_aws_reports_the_same_edges_and_attempts() -> None:
    for name in ("succeeded", "not-a-jpeg"):
        local, aws = read("local", name), read("aws", name)

        assert local.taken() == aws.taken(), name
        assert [len(run.attempts) for run in local.states.values()] == [
            len(run.attempts) for run in aws.states.values()
        ], name


def test_transitions_are_the_states_entered_and_the_retries() -> None:
    assert read("aws", "not-a-jpeg").transitions == 3
    assert read("aws", "succeeded").transitions == 7
    assert read("aws", "retried").transitions == 8


def test_a_running_execution_is_shown_as_far_as_it_has_come() -> None:
    run = cut("aws", "succeeded", after="ParallelStateStarted")

    assert run.outcome is Outcome.RUNNING
    assert run.ended is None
    assert run.states["GetFileType"].outcome is GOOD
    assert run.states["ProcessFile"].outcome is Outcome.RUNNING
    assert run.states["WriteToDynamoDb"].outcome is UNSEEN


@pytest.mark.parametrize("kind", ["ExecutionTimedOut", "ExecutionAborted"])
def test_an_execution_that_is_ended_from_outside_says_where(kind: str) -> None:
    recorded = record.load("aws", "succeeded")
    events = recorded["events"][:4]  # GetFileType has been called and has not answered
    ending = {"id": 5, "previousEventId": 0, "type": kind, "timestamp": events[-1]["timestamp"]}
    run = history.read("arn", [*events, ending], recorded["definition"])

    late = kind == "ExecutionTimedOut"
    expected = Outcome.TIMED_OUT if late else Outcome.STOPPED
    assert run.outcome is expected
    assert run.states["GetFileType"].outcome is expected


def test_what_is_not_a_history_is_refused_with_a_sentence() -> None:
    recorded = record.load("aws", "succeeded")
    with pytest.raises(HistoryError, match="ExecutionStarted"):
        history.read("arn", recorded["events"][3:], recorded["definition"])
    with pytest.raises(HistoryError, match="not an execution history"):
        history.read("arn", [{"hello": 1}], recorded["definition"])


def test_a_running_execution_that_waits_for_a_retry_is_running() -> None:
    run = cut("aws", "retried", after="LambdaFunctionFailed")

    assert run.states["ResizeImage"].outcome is Outcome.RUNNING
    assert run.states["ResizeImage"].attempts[0].outcome is FAILED


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("Deleted from source bucket", "the source was deleted and nothing converted."),
        ("Kept in source bucket: a folder", "the source was kept (a folder) and nothing"),
    ],
)
def test_of_what_is_not_a_jpeg_the_page_says_where_it_is(status: str, outcome: str) -> None:
    execution = read("aws", "not-a-jpeg")
    execution.output = json.dumps({"deletionStatus": {"status": status}})
    assert outcome in execution.sentence


def test_a_reprocess_says_nothing_of_the_source() -> None:
    execution = read("aws", "succeeded")
    execution.output = json.dumps({"deletionStatus": {"status": source_cleanup.ORIGINAL}})
    assert execution.sentence == "The original was kept and the PNG made."
