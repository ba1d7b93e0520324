"""What is known of an image: every execution of it, and its state now."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from image_converter import keys
from scripts.lib import deployed
from scripts.lib.executions import arrival, images
from scripts.lib.executions.images import Image
from tests.scripts.commands.conftest import FAILS, Stack
from tests.support import workflow

pytestmark = pytest.mark.e2e

both_types = pytest.mark.parametrize("workflow_type", workflow.TYPES)

COPY = "aside/v1/0a1b2c.jpg"  # as of a key that is too long to be kept whole
DONE = {"Type": "Pass", "End": True}


def handled(image: Image) -> list[tuple[str, str, bool]]:
    """Return each execution's status, what started it, and whether a later one has fixed it."""
    return [
        (handling.execution.status, handling.origin, handling.since_fixed)
        for handling in image.handlings
    ]


def known(stack: Stack, key: str = "a.jpg") -> Image:
    image = images.find(stack.clients, stack.deployment, key)
    assert image is not None
    return image


@both_types
def test_a_failure_that_a_restart_has_fixed_is_not_the_state(stack: Stack) -> None:
    version = stack.put()
    stack.start(version)
    assert known(stack).state.kind == "failed"
    stack.become(**DONE)
    stack.redrive()
    stack.until_all_have_ended()

    image = known(stack)

    assert image.state.outcome == "succeeded"
    assert handled(image) == [
        ("SUCCEEDED", "restart", False),
        ("FAILED", "upload", True),
    ]
    assert {handling.version for handling in image.handlings} == {version}


@both_types
def test_executions_that_were_started_by_hand_are_found(stack: Stack) -> None:
    version = stack.put()
    stack.start(version)
    stack.become(**DONE)
    by_hand = stack.start(version, name="5a3c1f")
    stack.start(version, "another.jpg", name="another")

    image = known(stack)

    assert image.handlings[0].execution.arn == by_hand
    assert [handling.origin for handling in image.handlings] == ["by hand", "upload"]
    assert image.state.outcome == "succeeded"


def reprocess(stack: Stack, version: str, step: str) -> None:
    """Start an execution as a message of a reprocess does."""
    item = {"key": "photos/a.jpg", "versionId": version}
    given = {"s3": {"bucket": {"name": stack.deployment.source_bucket}, "object": item}}
    stack.clients.stepfunctions.start_execution(
        stateMachineArn=stack.deployment.state_machine_arn,
        name=keys.execution_name("destination", COPY, step),
        input=json.dumps({**given, "reprocess": {"key": COPY}}),
    )
    stack.until_all_have_ended()


@both_types
@pytest.mark.parametrize("deleted", [False, True])
def test_executions_of_a_reprocess_are_found(stack: Stack, deleted: bool) -> None:
    key, bucket = "photos/a.jpg", stack.deployment.source_bucket
    version = stack.put(key)
    stack.become(**DONE)
    stack.start(version, key)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    described = [{"original": {"key": COPY}}]
    stack.write_record(version, key, sourceLastModified=now, writtenAt=now, images=described)
    if deleted:
        stack.clients.s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    reprocess(stack, version, "other settings")
    stack.start(stack.put("elsewhere/a.jpg"), "elsewhere/a.jpg")
    stack.become(**FAILS)
    reprocess(stack, version, "yet other settings")

    image = known(stack, key)

    assert handled(image) == [
        ("FAILED", "reprocess", False),
        ("SUCCEEDED", "reprocess", False),
        ("SUCCEEDED", "upload", False),
    ]
    assert image.state.outcome == "succeeded", "what was made before is still there"


@both_types
def test_an_upload_that_is_older_than_the_stack_is_not_looked_for_in_older_logs(
    stack: Stack,
) -> None:
    version = stack.put()
    stack.deployment = replace(stack.deployment, created=datetime.now(UTC))
    stack.become(**DONE)
    stack.start(version)

    image = known(stack)

    assert [handling.origin for handling in image.handlings] == ["upload"]
    assert image.notes == []


@both_types
def test_a_failure_after_the_success_does_not_undo_it(stack: Stack) -> None:
    version = stack.put()
    stack.become(**DONE)
    stack.start(version)
    stack.become(**FAILS)
    stack.start(version, name="again")

    image = known(stack)

    assert image.state.outcome == "succeeded"
    assert [handling.since_fixed for handling in image.handlings] == [True, False]


@both_types
def test_the_state_is_that_of_the_newest_upload(stack: Stack) -> None:
    stack.become(**DONE)
    stack.start(stack.put())
    stack.become(**FAILS)
    newer = stack.put(body=b"newer")
    assert known(stack).state.kind == "waiting"
    stack.start(newer)

    image = known(stack)

    assert image.state.kind == "failed"
    assert image.state.sentence == "SlowDown: S3 is busy"
    assert len(image.handlings) == 2


@both_types
def test_what_no_execution_will_handle_is_said_at_once(stack: Stack) -> None:
    stack.filter(("photos/", ".jpg"))
    stack.put("other.jpg")
    state = known(stack, "other.jpg").state
    assert state.kind == "not handled"
    assert "source_filter only accepts photos/*.jpg" in state.sentence


@both_types
def test_a_dead_letter_is_a_failure(stack: Stack) -> None:
    version = stack.put("a b.jpg")
    body = stack.add_dead_letter(key="a+b.jpg", versionId=version)
    assert known(stack, "a b.jpg").state.kind == "failed"
    assert stack.messages(stack.dead_letters) == [body], "it was only looked at"


def test_nothing_is_known_of_what_never_was(stack: Stack) -> None:
    assert images.find(stack.clients, stack.deployment, "never.jpg") is None


def accepted(stack: Stack, *keys: str) -> list[str]:
    accepted = arrival.source_filter(stack.clients, stack.deployment)
    assert accepted is not None
    return [key for key in keys if accepted.accepts(key)]


def test_a_filter_is_read_as_s3_keeps_it(stack: Stack) -> None:
    stack.notify()
    assert accepted(stack, "anything") == ["anything"]
    stack.notify(Prefix="my+photos%3D/")
    assert accepted(stack, "my photos=/a.jpg", "my+photos%3D/a.jpg") == ["my photos=/a.jpg"]


@pytest.mark.parametrize(
    ("prefixes", "suffixes", "expected"),
    [
        (["photos/"], [], ["photos/a.jpg", "photos/a.txt"]),
        ([], [".jpg"], ["photos/a.jpg", "a.jpg"]),
        (["photos/"], [".jpg"], ["photos/a.jpg"]),
        ([], [], ["photos/a.jpg", "photos/a.txt", "a.jpg"]),
    ],
)
def test_the_filter_of_an_existing_bucket_is_read_from_the_triggers_settings(
    stack: Stack, prefixes: list[str], suffixes: list[str], expected: list[str]
) -> None:
    setting = json.dumps({"prefixes": prefixes, "suffixes": suffixes})
    stack.deployment = replace(stack.deployment, pairs=deployed._pairs(setting))
    assert accepted(stack, "photos/a.jpg", "photos/a.txt", "a.jpg") == expected


def test_where_nothing_says_what_is_handled_nothing_is_claimed(stack: Stack) -> None:
    stack.deployment = replace(stack.deployment, pairs=None)
    stack.put()
    assert arrival.source_filter(stack.clients, stack.deployment) is None
    assert known(stack).state.kind == "waiting"
    assert stack.redrive() == []
