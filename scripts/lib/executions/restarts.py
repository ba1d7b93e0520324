"""Starting executions again, under names by which all executions of an upload are found."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from image_converter import keys
from scripts.lib import text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions.model import Summary, readable, source_of
from scripts.lib.user_errors import UserError

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
_MAX_NAME = 80
_SUFFIX = "-redo"
_AGAIN = re.compile(rf"{_SUFFIX}[1-9][0-9]?$")
MOST_TIMES = 99


def first_name(name: str) -> str:
    """Return the name under which an execution was started first."""
    return _AGAIN.sub("", name)


def is_of_an_upload(name: str) -> bool:
    """Return whether the name follows from an upload, so that it need not be searched for."""
    return readable(name) != name


def names(first: str) -> Iterator[str]:
    """Yield the names under which an execution is started, one after the other."""
    yield first
    for number in range(1, MOST_TIMES + 1):
        suffix = f"{_SUFFIX}{number}"
        yield first[: _MAX_NAME - len(suffix)] + suffix


def described(clients: Clients, arn: str) -> Summary | None:
    """Return what DescribeExecution answers, or None if there is no such execution."""
    states = clients.stepfunctions
    try:
        return dict(states.describe_execution(executionArn=arn))
    except states.exceptions.ExecutionDoesNotExist:
        return None


def source(described: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """Return the key and the version that an execution's input names."""
    item = source_of(described.get("input"))
    return item.get("key"), item.get("versionId")


def is_reprocess(described: Mapping[str, Any]) -> bool:
    """Return whether an execution makes the renditions of an image again that has a record."""
    return "reprocess" in text.json_object(described.get("input") or "")


def start(
    clients: Clients, stack: Deployment, first: str, execution_input: str, count: int = 1
) -> str:
    """Start an execution under the first name that is free; return its ARN.

    Parameters:
        first: the name to begin with.
        execution_input: as JSON.
        count: how many such executions there are of an EXPRESS state machine, where all names are
            free.

    Raises:
        UserError: no name is free.
    """
    states = clients.stepfunctions
    for name in itertools.islice(names(first), count if stack.express else 0, None):
        try:
            started = states.start_execution(
                stateMachineArn=stack.state_machine_arn, name=name, input=execution_input
            )
        except states.exceptions.ExecutionAlreadyExists:
            continue
        return started["executionArn"]
    raise UserError(f"{first} has been started {MOST_TIMES} times.")


def start_upload(clients: Clients, stack: Deployment, key: str, version: str) -> str:
    """Start an execution for a version of an image, as by hand; return its ARN.

    Raises: as `start`.
    """
    item = {"key": key, "versionId": version}
    record = {"s3": {"bucket": {"name": stack.source_bucket}, "object": item}}
    name = keys.execution_name(stack.source_bucket, key, version)
    return start(clients, stack, name, json.dumps(record))
