"""The live page of a stack, served for tests; and a stack that is made in a moment."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from scripts.console.server import Console, served
from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect
from scripts.local_aws import LocalAws
from tests.support import resources

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import StateMachineTypeType

# Does what its input's `do` says: runs for a minute, fails, or succeeds.
DEFINITION = {
    "StartAt": "Choose",
    "States": {
        "Choose": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.do", "StringEquals": "run", "Next": "Run"},
                {"Variable": "$.do", "StringEquals": "fail", "Next": "Fail"},
            ],
            "Default": "Succeed",
        },
        "Run": {"Type": "Wait", "Seconds": 60, "Next": "Succeed"},
        "Fail": {"Type": "Fail", "Error": "SlowDown", "Cause": "S3 is busy"},
        "Succeed": {"Type": "Succeed"},
    },
}
_numbers = itertools.count(1)

Serve = Callable[[Clients, Deployment], AbstractContextManager[Console]]


@dataclass(frozen=True)
class Small:
    """A stack without functions: its state machine calls nothing."""

    clients: Clients
    deployment: Deployment

    def start(self, name: str, do: str, key: str = "") -> str:
        """Start an execution of an image; return its ARN."""
        item = {"key": key or f"{name}.jpg", "versionId": "1"}
        given = {"do": do, "s3": {"bucket": {"name": "gone"}, "object": item}}
        return self.clients.stepfunctions.start_execution(
            stateMachineArn=self.deployment.state_machine_arn, name=name, input=json.dumps(given)
        )["executionArn"]

    def become(self, definition: Any) -> None:
        """Have executions from now on run another definition."""
        self.clients.stepfunctions.update_state_machine(
            stateMachineArn=self.deployment.state_machine_arn, definition=json.dumps(definition)
        )

    def settle(self, status: str, count: int) -> None:
        """Wait until that many executions have a status."""
        source = collect.source(self.clients, self.deployment)

        def settled() -> bool:
            return len(list(source.listed(status))) == count

        wait.until(f"{count} executions to be {status}", settled)


def small_stack(
    unguarded_aws: LocalAws, kind: StateMachineTypeType = "STANDARD", level: str = "ALL"
) -> Small:
    """Make a stack of its own, whose state machine logs at a level."""
    clients = Clients(unguarded_aws.env)
    name = f"console-{next(_numbers)}"
    made = resources.stack(
        clients, name, json.dumps(DEFINITION), kind, level, f"{name}-destination"
    )
    return Small(clients, made)


@pytest.fixture
def small(unguarded_aws: LocalAws, workflow_type: StateMachineTypeType) -> Small:
    return small_stack(unguarded_aws, workflow_type)


@pytest.fixture(scope="session")
def serve() -> Serve:
    return served


@pytest.fixture
def own(small: Small, serve: Serve) -> Iterator[Console]:
    """The page of a stack whose executions the test chooses."""
    with serve(small.clients, small.deployment) as console:
        yield console
