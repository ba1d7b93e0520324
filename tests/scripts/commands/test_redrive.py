"""Starting again what failed: on the local AWS, and on answers as AWS gives them."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from scripts.commands.redrive import Redrive, Result
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.local_aws import LocalAws

FAILS = {"Type": "Fail", "Error": "SlowDown", "Cause": "S3 is busy"}
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "states.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
)
_numbers = itertools.count(1)


def definition(**state: object) -> str:
    return json.dumps({"StartAt": "Only", "States": {"Only": state}})


def event(key: str = "a.jpg") -> str:
    return json.dumps({"s3": {"bucket": {"name": "b"}, "object": {"key": key, "versionId": "v1"}}})


def notification(key: str = "a.jpg") -> str:
    record = {"eventName": "ObjectCreated:Put", **json.loads(event(key))}
    return json.dumps({"Records": [record]})


@dataclass
class Stack:
    """A state machine of one state, and the two queues."""

    clients: Clients
    deployment: Deployment
    queue: str
    dead_letters: str

    def start(self, name: str = "a-jpg-1") -> None:
        self.clients.stepfunctions.start_execution(
            stateMachineArn=self.deployment.state_machine_arn, name=name, input=event()
        )
        self.until_all_have_ended()

    def until_all_have_ended(self) -> None:
        wait.until("the executions' end", lambda: "RUNNING" not in self.statuses().values())

    def statuses(self) -> dict[str, str]:
        listed = self.clients.stepfunctions.list_executions(
            stateMachineArn=self.deployment.state_machine_arn
        )
        return {one["name"]: one["status"] for one in listed["executions"]}

    def become(self, **state: object) -> None:
        self.clients.stepfunctions.update_state_machine(
            stateMachineArn=self.deployment.state_machine_arn, definition=definition(**state)
        )

    def redrive(self, **options: bool) -> list[Result]:
        return list(Redrive(self.clients, self.deployment, **options).executions())

    def redrive_letters(self, **options: bool) -> list[Result]:
        return list(Redrive(self.clients, self.deployment, **options).dead_letters())

    def messages(self, queue: str) -> list[str]:
        """Return the bodies of the messages that can be received, which stay in the queue."""
        answer = self.clients.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [one["Body"] for one in answer.get("Messages", [])]


@pytest.fixture
def stack(local_aws: LocalAws) -> Iterator[Stack]:
    clients = Clients(local_aws.env)
    name = f"redrive-{next(_numbers)}"
    role = clients.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    machine = clients.stepfunctions.create_state_machine(
        name=name, definition=definition(**FAILS), roleArn=role
    )["stateMachineArn"]
    queues = [
        clients.sqs.create_queue(QueueName=queue)["QueueUrl"]
        for queue in (name, f"{name}-dead-letters")
    ]
    yield Stack(clients, Deployment(name, "", "", "", machine, express=False), *queues)
    listed = clients.stepfunctions.list_executions(stateMachineArn=machine, statusFilter="RUNNING")
    for execution in listed["executions"]:
        clients.stepfunctions.stop_execution(executionArn=execution["executionArn"])
    clients.stepfunctions.delete_state_machine(stateMachineArn=machine)
    for queue in queues:
        clients.sqs.delete_queue(QueueUrl=queue)
    clients.iam.delete_role(RoleName=name)


@pytest.mark.e2e
class TestOnTheLocalAws:
    def test_what_failed_is_started_again_and_succeeds(self, stack: Stack) -> None:
        stack.start()
        stack.become(Type="Succeed")
        [result] = stack.redrive()
        assert result.did == "started again"
        assert result.subject == "a.jpg (version v1)"
        assert "SlowDown: S3 is busy" in result.why
        stack.until_all_have_ended()
        assert stack.statuses() == {"a-jpg-1": "FAILED", "a-jpg-1-redo1": "SUCCEEDED"}

    def test_run_twice_it_starts_nothing_twice(self, stack: Stack) -> None:
        stack.start()
        stack.become(Type="Wait", Seconds=60, End=True)
        stack.redrive()
        assert [result.did for result in stack.redrive()] == ["left"]
        assert stack.statuses() == {"a-jpg-1": "FAILED", "a-jpg-1-redo1": "RUNNING"}

    def test_what_fails_again_is_started_once_more(self, stack: Stack) -> None:
        stack.start()
        for _ in range(2):
            stack.redrive()
            stack.until_all_have_ended()
        assert set(stack.statuses()) == {"a-jpg-1", "a-jpg-1-redo1", "a-jpg-1-redo2"}

    def test_what_cannot_succeed_is_left_unless_asked_for(self, stack: Stack) -> None:
        stack.become(Type="Fail", Error="DamagedImage", Cause="it is cut off")
        stack.start()
        [result] = stack.redrive()
        assert (result.did, set(stack.statuses())) == ("left", {"a-jpg-1"})
        assert "DamagedImage: it is cut off" in result.why
        [result] = stack.redrive(everything=True)
        assert (result.did, set(stack.statuses())) == (
            "started again",
            {"a-jpg-1", "a-jpg-1-redo1"},
        )

    def test_a_dry_run_says_the_same_and_does_nothing(self, stack: Stack) -> None:
        stack.start()
        stack.clients.sqs.send_message(QueueUrl=stack.dead_letters, MessageBody=notification())
        dry = [*stack.redrive(dry_run=True), *stack.redrive_letters(dry_run=True)]
        assert [result.did for result in dry] == ["started again", "sent again"]
        assert set(stack.statuses()) == {"a-jpg-1"}
        assert (stack.messages(stack.queue), stack.messages(stack.dead_letters)) == (
            [],
            [notification()],
        )

    def test_what_succeeded_is_not_looked_at(self, stack: Stack) -> None:
        stack.become(Type="Succeed")
        stack.start()
        assert stack.redrive() == []

    def test_dead_letters_go_back_to_the_queue(self, stack: Stack) -> None:
        bodies = {notification(f"{number}.jpg") for number in range(12)}
        for body in bodies:
            stack.clients.sqs.send_message(QueueUrl=stack.dead_letters, MessageBody=body)
        results = stack.redrive_letters()
        assert [result.did for result in results] == ["sent again"] * 12
        assert {result.why for result in results} == {f"{number}.jpg" for number in range(12)}
        assert stack.redrive_letters() == []
        received: set[str] = set()
        while len(received) < len(bodies):
            answer = stack.clients.sqs.receive_message(
                QueueUrl=stack.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            received |= {one["Body"] for one in answer.get("Messages", [])}
        assert received == bodies

    def test_a_poison_message_stays_where_it_can_be_looked_at(self, stack: Stack) -> None:
        stack.clients.sqs.send_message(QueueUrl=stack.dead_letters, MessageBody="poison")
        [result] = stack.redrive_letters()
        assert result.did == "left"
        assert "not an S3 notification" in result.why
        assert stack.messages(stack.dead_letters) == ["poison"]


ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
FAILED_ARN = "arn:aws:states:us-east-1:123456789012:execution:m:a-jpg-1"


@pytest.mark.exercised("schema")
class TestOnAnswersOfAws:
    """RedriveExecution, which no emulator has."""

    @pytest.fixture
    def clients(self) -> Clients:
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        return Clients({**keys, "AWS_REGION": "us-east-1"})

    @pytest.fixture
    def stub(self, clients: Clients) -> Iterator[Stubber]:
        with Stubber(clients.stepfunctions) as stub:
            yield stub
            stub.assert_no_pending_responses()

    @pytest.fixture
    def redrive(self, clients: Clients) -> Redrive:
        return Redrive(clients, Deployment("m", "", "", "", ARN, express=False))

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
        told = {**listed, "input": event(), "redriveStatus": "REDRIVABLE", **described}
        stub.add_response("describe_execution", told, {"executionArn": FAILED_ARN})
        stub.add_client_error("describe_execution", "ExecutionDoesNotExist")
        if told["redriveStatus"] == "REDRIVABLE":
            events = [{"id": 1, "timestamp": 0, "type": last_state}]
            stub.add_response("get_execution_history", {"events": events}, ANY_HISTORY)

    def started(self, stub: Stubber) -> None:
        asked = {"stateMachineArn": ARN, "name": "a-jpg-1-redo1", "input": event()}
        stub.add_response("start_execution", {"executionArn": ARN, "startDate": 0}, asked)

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
        assert [result.did for result in redrive.executions()] == ["started again"]

    def test_what_can_no_longer_be_redriven_gets_a_new_execution(
        self, stub: Stubber, redrive: Redrive
    ) -> None:
        self.failed(stub, "ExecutionTimedOut")
        stub.add_client_error("redrive_execution", "ExecutionNotRedrivable")
        self.started(stub)
        assert [result.did for result in redrive.executions()] == ["started again"]

    def test_a_refusal_is_reported_and_the_next_one_is_tried(
        self, stub: Stubber, redrive: Redrive
    ) -> None:
        self.failed(stub, "ExecutionTimedOut")
        stub.add_client_error("redrive_execution", "AccessDeniedException")
        [result] = redrive.executions()
        assert result.did == "failed"
        assert "AWS denied RedriveExecution" in result.why


ANY_HISTORY: dict[str, Any] = {"executionArn": ANY, "reverseOrder": True, "maxResults": ANY}
