"""State machines of both types: made by tests, or the applied one without another apply."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scripts.lib import wait
from scripts.lib.aws import Clients
from tests.support.emulator import ROLE

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import StateMachineTypeType

_PATIENCE_SECONDS = 120
TYPES: tuple[StateMachineTypeType, ...] = ("STANDARD", "EXPRESS")


def logging(group: str, level: str = "ALL") -> Any:
    """Return the logging configuration that has everything in a group."""
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    place = {"cloudWatchLogsLogGroup": {"logGroupArn": arn}}
    return {"level": level, "includeExecutionData": True, "destinations": [place]}


def made(clients: Clients, name: str, definition: str, **options: Any) -> str:
    """Make a state machine; return its ARN.

    Parameters:
        options: what CreateStateMachine takes besides.
    """
    machine = clients.stepfunctions.create_state_machine(
        name=name, definition=definition, roleArn=ROLE, **options
    )
    return machine["stateMachineArn"]


def started(clients: Clients, machine: str, given: object) -> str:
    """Start an execution with an input; return its ARN."""
    execution = clients.stepfunctions.start_execution(
        stateMachineArn=machine, input=json.dumps(given)
    )
    return execution["executionArn"]


def ended(clients: Clients, execution: str) -> dict[str, Any]:
    """Wait until a STANDARD execution has ended; return its description."""

    def description() -> dict[str, Any] | None:
        described = clients.stepfunctions.describe_execution(executionArn=execution)
        return dict(described) if described["status"] != "RUNNING" else None

    return wait.until(f"{execution} to end", description, _PATIENCE_SECONDS)


@contextmanager
def of_type(clients: Clients, arn: str, kind: StateMachineTypeType) -> Iterator[None]:
    """Have a STANDARD state machine be of a type meanwhile, with Terraform's defaults for it.

    As Terraform does, this replaces it by another one of the same name.
    """
    if kind == "STANDARD":
        yield
        return
    level = clients.stepfunctions.describe_state_machine(stateMachineArn=arn)[
        "loggingConfiguration"
    ]["level"]
    _replace(clients, arn, "EXPRESS", "ALL")
    try:
        yield
    finally:
        _replace(clients, arn, "STANDARD", level)


def _replace(clients: Clients, arn: str, kind: StateMachineTypeType, level: str) -> None:
    states = clients.stepfunctions
    described = states.describe_state_machine(stateMachineArn=arn)
    tags = states.list_tags_for_resource(resourceArn=arn)["tags"]
    states.delete_state_machine(stateMachineArn=arn)
    wait.until(
        "the state machine to be gone",
        lambda: (
            arn
            not in [
                machine["stateMachineArn"]
                for machine in states.list_state_machines(maxResults=1000)["stateMachines"]
            ]
        ),
    )
    logging = {**described["loggingConfiguration"], "level": level}
    states.create_state_machine(
        name=described["name"],
        type=kind,
        definition=described["definition"],
        roleArn=described["roleArn"],
        tags=tags,
        loggingConfiguration=logging,  # type: ignore[arg-type]
        tracingConfiguration=described.get("tracingConfiguration", {"enabled": False}),
    )
