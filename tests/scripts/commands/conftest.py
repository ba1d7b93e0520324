"""A stack small enough for a test: a state machine of one state, and what is around it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from image_converter import keys
from scripts.lib import functions, wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect
from scripts.lib.executions.redrive import Redrive, Result
from scripts.local_aws import LocalAws
from tests.support import resources, workflow
from tests.support.emulator import Emulator
from tests.support.pipeline import all_results

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import StateMachineTypeType

FAILS = {"Type": "Fail", "Error": "SlowDown", "Cause": "S3 is busy"}
_numbers = itertools.count(1)


def definition(**state: object) -> str:
    return json.dumps({"StartAt": "Only", "States": {"Only": state}})


@dataclass
class Stack:
    """Buckets without notifications, a table, a state machine of one state, and two queues."""

    clients: Clients
    deployment: Deployment
    queue: str
    dead_letters: str

    def put(self, key: str = "a.jpg", body: bytes = b"a JPEG") -> str:
        """Put an object into the source bucket; return its version."""
        bucket = self.deployment.source_bucket
        return self.clients.s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]

    def delete(self, key: str = "a.jpg") -> None:
        """Hide an object behind a delete marker."""
        self.clients.s3.delete_object(Bucket=self.deployment.source_bucket, Key=key)

    def start(self, version: str, key: str = "a.jpg", name: str | None = None) -> str:
        """Start an execution as an upload does, or by hand under a name; return its ARN."""
        name = name or keys.execution_name(self.deployment.source_bucket, key, version)
        item = {"key": key, "versionId": version}
        execution_input = {
            "s3": {"bucket": {"name": self.deployment.source_bucket}, "object": item}
        }
        started = self.clients.stepfunctions.start_execution(
            stateMachineArn=self.deployment.state_machine_arn,
            name=name,
            input=json.dumps(execution_input),
        )
        self.until_all_have_ended()
        return started["executionArn"]

    def until_all_have_ended(self) -> None:
        wait.until("the executions' end", lambda: "RUNNING" not in self.statuses().values())

    def statuses(self) -> dict[str, str]:
        listed = collect.source(self.clients, self.deployment).listed()
        return {execution["name"]: execution["status"] for execution in listed}

    def ends(self) -> list[str]:
        """Return the statuses in the order of names: the first, then those started again."""
        return [status for _, status in sorted(self.statuses().items())]

    def add_dead_letter(self, **item: str) -> str:
        """Put the notification of an object among the dead letters; return its body."""
        record = {"eventName": "ObjectCreated:Put", "s3": {"object": item}}
        body = json.dumps({"Records": [record]})
        self.clients.sqs.send_message(QueueUrl=self.dead_letters, MessageBody=body)
        return body

    def become(self, **state: object) -> None:
        """Change the only state of the state machine."""
        self.clients.stepfunctions.update_state_machine(
            stateMachineArn=self.deployment.state_machine_arn, definition=definition(**state)
        )

    def log_at(self, level: str) -> None:
        """Have the state machine log at another level."""
        log = replace(self.deployment.log, level=level)
        self.clients.stepfunctions.update_state_machine(
            stateMachineArn=self.deployment.state_machine_arn,
            loggingConfiguration=workflow.logging(log.group, level),
        )
        self.deployment = replace(self.deployment, log=log)

    def write_record(self, version: str, key: str = "a.jpg", **further: Any) -> None:
        """Write a record, as if a version had been converted."""
        fields = {"imageName": key, "sourceVersionId": version, **further}
        item = {name: TypeSerializer().serialize(value) for name, value in fields.items()}
        self.clients.dynamodb.put_item(TableName=self.deployment.table_name, Item=item)

    def redrive(self, *, dry_run: bool = False, everything: bool = False) -> list[Result]:
        """Start again what failed, and what no execution has handled however new it is."""
        redrive = Redrive(
            self.clients,
            self.deployment,
            dry_run=dry_run,
            everything=everything,
            settled_after=timedelta(0),
        )
        return all_results(redrive)

    def messages(self, queue: str) -> list[str]:
        """Return the bodies of the messages that can be received, which stay in the queue."""
        answer = self.clients.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    def filter(self, *pairs: tuple[str, str]) -> None:
        """Have only keys with these prefixes and suffixes start executions.

        As for an existing bucket, so that nothing arrives in the queue; all keys without any.
        """
        self.deployment = replace(self.deployment, pairs=pairs or (("", ""),))

    def notify(self, **rules: str) -> None:
        """Have S3 notify the queue of keys that fit the rules."""
        self.deployment = replace(self.deployment, pairs=None)
        arn = f"arn:aws:sqs:us-east-1:000000000000:{self.deployment.name}"
        statement = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}}
        statement |= {"Action": "sqs:SendMessage", "Resource": arn}
        self.clients.sqs.set_queue_attributes(
            QueueUrl=self.queue,
            Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": statement})},
        )
        named: Any = [{"Name": name, "Value": value} for name, value in rules.items()]
        self.clients.s3.put_bucket_notification_configuration(
            Bucket=self.deployment.source_bucket,
            NotificationConfiguration={
                "QueueConfigurations": [
                    {
                        "QueueArn": arn,
                        "Events": ["s3:ObjectCreated:*"],
                        "Filter": {"Key": {"FilterRules": named}},
                    }
                ]
            },
        )


@pytest.fixture(scope="session")
def little(unguarded_aws: LocalAws) -> Emulator:
    """What makes functions; state machines take their time to wait, as they do on AWS."""
    return Emulator(unguarded_aws, Clients(unguarded_aws.env))


@pytest.fixture
def stack(little: Emulator, workflow_type: StateMachineTypeType) -> Iterator[Stack]:
    """A stack whose executions fail, because S3 is busy."""
    clients = little.clients
    name = f"small-{next(_numbers)}"
    deployment = resources.stack(clients, name, definition(**FAILS), workflow_type)
    # What became of an image of an EXPRESS one is also looked for in the logs of functions.
    for function in ("trigger", *map(functions.on_aws, functions.TASKS)):
        little.function(f"{name}-{function}", "def handler(event, context):\n    pass\n")
        clients.logs.create_log_group(logGroupName=f"/aws/lambda/{name}-{function}")
    queues = [
        clients.sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        for queue in (name, f"{name}-dead-letters")
    ]
    little_stack = Stack(clients, deployment, *queues)
    little_stack.filter()
    yield little_stack
    if deployment.express:
        return  # nothing can stop them; they end with the local AWS
    listed = clients.stepfunctions.list_executions(
        stateMachineArn=deployment.state_machine_arn, statusFilter="RUNNING"
    )
    for execution in listed["executions"]:
        with suppress(ClientError):  # it has just ended
            clients.stepfunctions.stop_execution(executionArn=execution["executionArn"])
