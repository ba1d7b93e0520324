"""Executions: starting them, once for each version of each object, and reading their input."""

import json
from typing import Any

from botocore.exceptions import ClientError

from image_converter import clients, events, keys, tracing
from image_converter.events import Event
from image_converter.s3_errors import error_code


def input_of(execution_arn: str) -> dict[str, Any] | None:
    """Return the input of an execution; None for EXPRESS, which AWS does not describe.

    Raises:
        ClientError: Step Functions refused.
    """
    if execution_arn.split(":")[5] == "express":
        return None
    described = clients.stepfunctions().describe_execution(executionArn=execution_arn)
    execution_input: dict[str, Any] = json.loads(described["input"])
    return execution_input


def start(state_machine_arn: str, record: Event) -> bool:
    """Start the execution for a record that S3 sent; False if an earlier delivery has started it.

    The execution's name follows from the object's version, so Step Functions itself refuses a
    second one, for 90 days after the first has ended. (An EXPRESS machine runs a duplicate again;
    every step is idempotent.)

    Raises:
        InvalidRecord: the record names no bucket or key.
        ClientError: Step Functions refused for another reason; nothing was started.
    """
    execution_input = events.execution_input(record)
    parsed = events.parse_record(execution_input)
    version = events.real_version_id(parsed.version_id) or parsed.sequencer or parsed.etag or ""
    name = keys.execution_name(parsed.bucket, parsed.key, version)
    return start_once(state_machine_arn, name, execution_input)


def start_once(state_machine_arn: str, name: str, execution_input: Event) -> bool:
    """Start the execution of that name; False if there has been one.

    Raises:
        ClientError: as `start`.
    """
    try:
        clients.stepfunctions().start_execution(
            stateMachineArn=state_machine_arn,
            name=name,
            input=json.dumps(execution_input, separators=(",", ":")),
            **tracing.header(),
        )
    except ClientError as error:
        if error_code(error) == "ExecutionAlreadyExists":
            return False
        raise
    return True
