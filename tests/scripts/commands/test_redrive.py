"""Starting again what failed: on the local AWS, and on answers as AWS gives them."""

import io
import json
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError
from botocore.stub import ANY, Stubber

from image_converter import keys, renditions
from image_converter.conversion import Limits, convert
from image_converter.conversion import renditions as conversion_renditions
from image_converter.destination import Place
from image_converter.errors import ImageTooLarge, UnsupportedImage
from image_converter.handlers import resize_image
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import restarts
from scripts.lib.executions.redrive import HOPELESS, Redrive
from tests.scripts.commands.conftest import Stack
from tests.support import images, workflow
from tests.support.asl import rendering
from tests.support.jpeg.editing import resize
from tests.support.pipeline import all_results
from tests.support.stubs import ANY_ACCOUNT


def event(key: str = "a.jpg") -> str:
    return json.dumps({"s3": {"bucket": {"name": "b"}, "object": {"key": key, "versionId": "v1"}}})


def notification(key: str = "a.jpg") -> str:
    record = {"eventName": "ObjectCreated:Put", **json.loads(event(key))}
    return json.dumps({"Records": [record]})


def test_all_permanent_errors_are_hopeless_that_no_setting_can_fix() -> None:
    assert {"ImageTooLarge", "InvalidSettings"} == rendering.FUNCTION_ERRORS - HOPELESS


JPEG = images.jpeg(60, 40)
WEBP = renditions.parse('[{"name": "small", "format": "webp"}]')
AMPLE = Limits(10**12, 10**12)


def _refuse_before_reading(limits: Limits) -> None:
    record = SimpleNamespace(bucket="b", key="a.jpg")
    config: Any = SimpleNamespace(max_image_bytes=limits.max_bytes, max_image_pixels=1)
    source: Any = SimpleNamespace(size=2_000, record=record)
    body: Any = io.BytesIO()
    with suppress(UnsupportedImage):  # which is empty
        resize_image._convert(config, Place("b"), [], source, body)


def _refuse_renditions(width: int, height: int, limits: Limits) -> None:
    work = conversion_renditions.plan(WEBP, (width, height))
    conversion_renditions.refuse_too_large(work, limits)


# All refusals of an image as too large; whether more memory for the function would help.
TOO_LARGE: dict[str, tuple[Callable[[Limits], object], bool]] = {
    "bytes, before they are read": (_refuse_before_reading, True),
    "bytes": (lambda limits: convert(JPEG, io.BytesIO(), limits._replace(max_pixels=10**9)), True),
    "pixels": (lambda limits: convert(JPEG, io.BytesIO(), limits._replace(max_bytes=10**9)), True),
    "renditions": (lambda limits: _refuse_renditions(60, 40, limits), True),
    "a side": (lambda _: convert(resize(JPEG, 65_501, 1), io.BytesIO(), AMPLE), False),
    "a side of a rendition": (lambda _: _refuse_renditions(20_000, 10, AMPLE), False),
}


def _refused(refuse: Callable[[Limits], object], limits: Limits) -> str:
    """Return what a function with these limits says of an image; nothing if it converts it."""
    try:
        refuse(limits)
    except ImageTooLarge as error:
        return str(error)
    return ""


both_types = pytest.mark.parametrize("workflow_type", workflow.TYPES)


@pytest.mark.e2e
@both_types
class TestOnTheLocalAws:
    def test_what_failed_is_started_again_and_succeeds(self, stack: Stack) -> None:
        version = stack.put()
        stack.start(version)
        stack.become(Type="Succeed")
        [result] = stack.redrive()
        assert result.did == "started"
        assert result.subject == f"a.jpg (version {version})"
        assert (result.key, result.version) == ("a.jpg", version)
        assert "SlowDown: S3 is busy" in result.why
        stack.until_all_have_ended()
        assert stack.ends() == ["FAILED", "SUCCEEDED"]
        assert stack.redrive() == [], "a failure that is fixed is not left"

    def test_run_twice_it_starts_nothing_twice(self, stack: Stack) -> None:
        stack.start(stack.put())
        stack.become(Type="Wait", Seconds=600, End=True)
        stack.redrive()
        assert stack.redrive() == []
        assert stack.ends() == ["FAILED", "RUNNING"]

    def test_what_fails_again_is_started_once_more(self, stack: Stack) -> None:
        stack.start(stack.put())
        for _ in range(2):
            stack.redrive()
            stack.until_all_have_ended()
        first, *again = sorted(stack.statuses())
        assert again == [f"{first}-redo1", f"{first}-redo2"]

    def test_what_cannot_succeed_is_left_unless_asked_for(self, stack: Stack) -> None:
        stack.become(Type="Fail", Error="DamagedImage", Cause="it is cut off")
        stack.start(stack.put())
        [result] = stack.redrive()
        assert (result.did, stack.ends()) == ("left", ["FAILED"])
        assert "DamagedImage: it is cut off" in result.why
        [result] = stack.redrive(everything=True)
        assert (result.did, len(stack.ends())) == ("started", 2)

    @pytest.mark.parametrize("how", ["replaced", "deleted", "converted by hand"])
    def test_what_cannot_succeed_is_not_left_once_it_is_settled(
        self, stack: Stack, how: str
    ) -> None:
        stack.become(Type="Fail", Error="DamagedImage", Cause="it is cut off")
        version = stack.put()
        stack.start(version)
        if how == "replaced":
            stack.write_record(stack.put(body=b"whole"))
        elif how == "deleted":
            stack.delete()
        else:
            stack.write_record(version)
        assert stack.redrive() == []

    @pytest.mark.parametrize(("kept", "did"), [(False, ["started"]), (True, [])])
    def test_what_is_converted_is_settled_once_its_source_is_where_it_should_be(
        self, stack: Stack, kept: bool, did: list[str]
    ) -> None:
        """An execution may end between its record and the delete."""
        stack.deployment = replace(stack.deployment, keeps_converted=kept)
        version = stack.put()
        stack.start(version)
        stack.write_record(version)
        assert [result.did for result in stack.redrive(dry_run=True)] == [
            answer.replace("started", "would start") for answer in did
        ]
        assert [result.did for result in stack.redrive()] == did
        stack.delete()
        stack.until_all_have_ended()
        assert stack.redrive() == []

    def test_an_older_upload_that_may_succeed_is_started_again(self, stack: Stack) -> None:
        """Every upload is converted, also one that was replaced."""
        stack.start(stack.put())
        stack.write_record(stack.put(body=b"newer"))
        assert [result.did for result in stack.redrive()] == ["started"]

    @pytest.mark.parametrize("more", [0, 1])
    @pytest.mark.parametrize(("refuse", "memory_helps"), TOO_LARGE.values(), ids=TOO_LARGE)
    def test_what_is_too_large_is_started_again_once_it_fits(
        self, stack: Stack, refuse: Callable[[Limits], object], memory_helps: bool, more: int
    ) -> None:
        enough = bisect_left(
            range(10**9), 1, key=lambda limit: int(not _refused(refuse, Limits(limit, limit)))
        )
        limits = Limits(enough - 1 + more, enough - 1 + more) if memory_helps else AMPLE
        cause = _refused(refuse, Limits(1, 1))
        assert cause
        stack.clients.functions.update_function_configuration(
            FunctionName=f"{stack.deployment.name}-resize-image",
            Environment={
                "Variables": {
                    "MAX_IMAGE_BYTES": str(limits.max_bytes),
                    "MAX_IMAGE_PIXELS": str(limits.max_pixels),
                }
            },
        )
        did = "started" if memory_helps and more else "left"
        error = json.dumps({"errorType": "ImageTooLarge", "errorMessage": cause})
        stack.become(Type="Fail", Error="ImageTooLarge", Cause=error)
        stack.start(stack.put())
        assert [result.did for result in stack.redrive()] == [did]

    def test_a_dry_run_says_what_would_be_done_and_does_nothing(self, stack: Stack) -> None:
        stack.start(stack.put())
        stack.put("waiting.jpg")
        stack.clients.sqs.send_message(QueueUrl=stack.dead_letters, MessageBody=notification())
        dry = stack.redrive(dry_run=True)
        assert [result.did for result in dry] == ["would start", "would send", "would start"]
        assert len(stack.ends()) == 1
        assert (stack.messages(stack.queue), stack.messages(stack.dead_letters)) == (
            [],
            [notification()],
        )

    def test_what_succeeded_is_not_looked_at(self, stack: Stack) -> None:
        stack.become(Type="Succeed")
        stack.start(stack.put())
        assert stack.redrive() == []

    def test_dead_letters_go_back_to_the_queue(self, stack: Stack) -> None:
        bodies = {notification(f"{number}.jpg") for number in range(12)}
        for body in bodies:
            stack.clients.sqs.send_message(QueueUrl=stack.dead_letters, MessageBody=body)
        results = stack.redrive()
        assert [result.did for result in results] == ["sent"] * 12
        assert {result.why for result in results} == {f"{number}.jpg" for number in range(12)}
        received: set[str] = set()
        while len(received) < len(bodies):
            answer = stack.clients.sqs.receive_message(
                QueueUrl=stack.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            received |= {message["Body"] for message in answer.get("Messages", [])}
        assert received == bodies

    def test_a_poison_message_stays_where_it_can_be_looked_at(self, stack: Stack) -> None:
        stack.clients.sqs.send_message(QueueUrl=stack.dead_letters, MessageBody="poison")
        [result] = stack.redrive()
        assert result.did == "left"
        assert "not an S3 notification" in result.why
        assert stack.messages(stack.dead_letters) == ["poison"]


@pytest.mark.e2e
@both_types
class TestObjectsWithoutAnExecution:
    """After a change of workflow_type, or after 90 days."""

    def test_it_is_started_under_the_name_of_its_upload(self, stack: Stack) -> None:
        stack.become(Type="Succeed")
        version = stack.put("lies here.jpg")
        [result] = stack.redrive()
        assert (result.did, result.key, result.version) == ("started", "lies here.jpg", version)
        assert "No execution of it is known" in result.why
        stack.until_all_have_ended()
        name = keys.execution_name(stack.deployment.source_bucket, "lies here.jpg", version)
        assert [(restarts.first_name(name), end) for name, end in stack.statuses().items()] == [
            (name, "SUCCEEDED")
        ]

    def test_what_may_be_on_the_way_is_left_alone(self, stack: Stack) -> None:
        stack.put()
        assert all_results(Redrive(stack.clients, stack.deployment)) == [], "it has just come"
        stack.clients.sqs.send_message(QueueUrl=stack.queue, MessageBody=notification())
        assert stack.redrive() == [], "its notification may be in the queue"

    def test_what_starts_no_execution_is_left_alone(self, stack: Stack) -> None:
        stack.put("other.jpg")
        stack.put("photos/notes.txt")
        version = stack.put("photos/a.jpg")
        stack.filter(("photos/", ".jpg"))
        assert [result.version for result in stack.redrive(dry_run=True)] == [version]

    def test_a_folder_is_left_alone(self, stack: Stack) -> None:
        stack.put("photos/", body=b"")
        assert stack.redrive() == []

    def test_what_a_dead_letter_is_about_is_not_started_as_well(self, stack: Stack) -> None:
        stack.add_dead_letter(key="a.jpg", versionId=stack.put())
        assert [result.did for result in stack.redrive(dry_run=True)] == ["would send"]

    def test_what_was_handled_and_kept_is_left_alone(self, stack: Stack) -> None:
        stack.write_record(stack.put())
        assert stack.redrive() == []

    def test_what_was_stopped_is_left_unless_asked_for(
        self, stack: Stack, workflow_type: str
    ) -> None:
        if workflow_type == "EXPRESS":
            pytest.skip("AWS stops no EXPRESS execution")
        stack.become(Type="Wait", Seconds=600, End=True)
        version = stack.put()
        name = keys.execution_name(stack.deployment.source_bucket, "a.jpg", version)
        arn = stack.clients.stepfunctions.start_execution(
            stateMachineArn=stack.deployment.state_machine_arn, name=name, input=event()
        )["executionArn"]
        stack.clients.stepfunctions.stop_execution(executionArn=arn)
        stack.until_all_have_ended()
        [result] = stack.redrive()
        assert result.did == "left"
        assert "was stopped" in result.why


@pytest.mark.e2e
@pytest.mark.parametrize("workflow_type", ["EXPRESS"])
@pytest.mark.parametrize("level", ["ERROR", "FATAL"])
def test_whatever_is_logged_of_it_what_failed_is_started_again(stack: Stack, level: str) -> None:
    stack.log_at(level)
    version = stack.put()
    stack.start(version)
    wait.until("the failure to be logged", lambda: stack.ends() == ["FAILED"])

    [result] = stack.redrive()

    assert (result.did, result.key, result.version) == ("started", "a.jpg", version)
    wait.until("another failure", lambda: stack.ends() == ["FAILED", "FAILED"])


ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
FAILED_ARN = "arn:aws:states:us-east-1:123456789012:execution:m:a-jpg-1"


@pytest.mark.exercised("schema")
class TestOnAnswersOfAws:
    """RedriveExecution, which no emulator has."""

    BACKFILL: ClassVar = {
        "executionArn": FAILED_ARN,
        "stateMachineArn": ARN,
        "name": "r",
        "startDate": 0,
        "status": "FAILED",
    }

    @pytest.fixture
    def clients(self) -> Clients:
        return Clients(ANY_ACCOUNT)

    @pytest.fixture
    def stub(self, clients: Clients) -> Iterator[Stubber]:
        with Stubber(clients.stepfunctions) as stub:
            yield stub
            stub.assert_no_pending_responses()

    @pytest.fixture
    def redrive(self, clients: Clients) -> Iterator[Redrive]:
        with Stubber(clients.dynamodb) as no_record:
            no_record.add_response("get_item", {})
            yield Redrive(clients, Deployment("m", "", "", "pictures", ARN, express=False))

    def failed(self, stub: Stubber, last_state: str, **described: str) -> None:
        """Answer until an execution has been found to have failed."""
        listed = {
            "executionArn": FAILED_ARN,
            "stateMachineArn": ARN,
            "name": "a-jpg-1",
            "status": "TIMED_OUT",
            "startDate": 0,
        }
        stub.add_response(
            "list_executions",
            {"executions": []},
            {"stateMachineArn": ARN, "statusFilter": "FAILED"},
        )
        stub.add_response(
            "list_executions",
            {"executions": [listed]},
            {"stateMachineArn": ARN, "statusFilter": "TIMED_OUT"},
        )
        answer = {**listed, "input": event(), "redriveStatus": "REDRIVABLE", **described}
        stub.add_response("describe_execution", answer, {"executionArn": FAILED_ARN})
        stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
        if answer["redriveStatus"] == "REDRIVABLE":
            events = [{"id": 1, "timestamp": 0, "type": last_state}]
            stub.add_response("get_execution_history", {"events": events}, ANY_HISTORY)

    def started(self, stub: Stubber) -> None:
        stub.add_client_error("start_execution", "ExecutionAlreadyExists")
        asked = {"stateMachineArn": ARN, "name": "a-jpg-1-redo1", "input": event()}
        answer = {"executionArn": f"{FAILED_ARN}-redo1", "startDate": 0}
        stub.add_response("start_execution", answer, asked)

    def test_what_ended_within_a_task_goes_on_there(self, stub: Stubber, redrive: Redrive) -> None:
        self.failed(stub, "ExecutionTimedOut")
        stub.add_response("redrive_execution", {"redriveDate": 0}, {"executionArn": FAILED_ARN})
        [result] = redrive.executions()
        assert "redriven from where it stopped" in result.why

    def test_what_ended_in_a_fail_state_gets_a_new_execution(
        self, stub: Stubber, redrive: Redrive
    ) -> None:
        self.failed(stub, "FailStateEntered")
        self.started(stub)
        [result] = redrive.executions()
        assert result.why.endswith("now a-jpg-1-redo1")

    def test_what_is_too_old_to_be_redriven_gets_a_new_execution(
        self, stub: Stubber, redrive: Redrive
    ) -> None:
        self.failed(stub, "ExecutionTimedOut", redriveStatus="NOT_REDRIVABLE")
        self.started(stub)
        assert [result.did for result in redrive.executions()] == ["started"]

    def test_what_can_no_longer_be_redriven_gets_a_new_execution(
        self, stub: Stubber, redrive: Redrive
    ) -> None:
        self.failed(stub, "ExecutionTimedOut")
        stub.add_client_error("redrive_execution", "ExecutionNotRedrivable")
        self.started(stub)
        assert [result.did for result in redrive.executions()] == ["started"]

    def test_a_failed_backfill_goes_on_with_what_failed(
        self, stub: Stubber, clients: Clients
    ) -> None:
        run = self.BACKFILL
        asked = {"stateMachineArn": f"{ARN}-backfill"}
        stub.add_response("list_executions", {"executions": [run]}, asked)
        answer = {**run, "input": "{}", "redriveStatus": "REDRIVABLE", "error": "States.Timeout"}
        stub.add_response("describe_execution", answer, {"executionArn": FAILED_ARN})
        events = [{"id": 1, "timestamp": 0, "type": "ExecutionFailed"}]
        stub.add_response("get_execution_history", {"events": events}, ANY_HISTORY)
        stub.add_response("redrive_execution", {"redriveDate": 0}, {"executionArn": FAILED_ARN})
        stack = Deployment("m", "", "", "pictures", ARN, express=False)
        [result] = Redrive(clients, stack).backfills()
        assert (result.subject, result.did) == ("backfill r", "started")
        assert result.why == "States.Timeout; redriven from where it stopped"

    @pytest.mark.parametrize("denied", ["ListExecutions", "DescribeExecution"])
    def test_without_a_permission_for_backfills_the_rest_is_redriven(
        self, stub: Stubber, redrive: Redrive, denied: str
    ) -> None:
        if denied == "DescribeExecution":
            stub.add_response("list_executions", {"executions": [self.BACKFILL]})
        stub.add_client_error(xform_name(denied), "AccessDeniedException", "Not authorised.")
        assert list(redrive.backfills()) == []
        [note] = redrive.notes
        assert note.startswith(f"Backfills were not looked at. AWS denied {denied}")

        self.failed(stub, "FailStateEntered")
        self.started(stub)
        assert [result.did for result in redrive.executions()] == ["started"]

    def test_a_backfill_that_may_not_be_started_is_reported(
        self, stub: Stubber, redrive: Redrive
    ) -> None:
        stub.add_response("list_executions", {"executions": [self.BACKFILL]})
        described = {**self.BACKFILL, "input": "{}", "redriveStatus": "NOT_REDRIVABLE"}
        stub.add_response("describe_execution", described)
        stub.add_client_error("start_execution", "AccessDeniedException")
        [result] = redrive.backfills()
        assert (result.subject, result.did) == ("backfill r", "failed")
        assert "AWS denied StartExecution" in result.why

    def test_other_refusals_of_backfills_are_errors(self, stub: Stubber, redrive: Redrive) -> None:
        stub.add_client_error("list_executions", "ThrottlingException", http_status_code=400)
        with pytest.raises(ClientError, match="Throttling"):
            list(redrive.backfills())

    def test_a_refusal_is_reported_and_the_next_one_is_tried(
        self, stub: Stubber, redrive: Redrive
    ) -> None:
        self.failed(stub, "ExecutionTimedOut")
        stub.add_client_error("redrive_execution", "AccessDeniedException")
        [result] = redrive.executions()
        assert result.did == "failed"
        assert "AWS denied RedriveExecution" in result.why


ANY_HISTORY: dict[str, Any] = {"executionArn": ANY, "reverseOrder": True, "maxResults": ANY}
