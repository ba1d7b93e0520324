"""State machines of both types: made by tests, or the applied one without another apply."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from scripts.lib import wait
from scripts.lib.aws import Clients

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions.literals import StateMachineTypeType

TYPES: tuple[StateMachineTypeType, ...] = ("STANDARD", "EXPRESS")


def logging(group: str, level: str = "ALL") -> Any:
    """Return the logging configuration that has everything in a group."""
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{group}:*"
    place = {"cloudWatchLogsLogGroup": {"logGroupArn": arn}}
    return {"level": level, "includeExecutionData": True, "destinations": [place]}


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
