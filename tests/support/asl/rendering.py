"""The state machines as Terraform renders it, with values for every substitution."""

import json
from collections.abc import Mapping
from typing import Any

from image_converter import errors
from scripts.lib import asl
from scripts.lib.functions import TASKS

# Terraform's own defaults; test_inventory.py compares them with what Terraform renders.
NUMBERS: dict[str, float] = {
    "execution_timeout": 3600,
    "retry_interval": 5,
    "retry_max_attempts": 2,
    "retry_backoff": 2,
    "any_error_interval": 2,
    "transient_interval": 1,
    "transient_max_attempts": 60,
    "transient_backoff": 2,
    "transient_max_delay": 60,
    "get_file_type_timeout": 35,
    "copy_file_timeout": 365,
    "resize_image_timeout": 245,
    "write_to_dynamodb_timeout": 35,
    "delete_file_timeout": 85,
}

# Of a stack that sends events; without them, the execution is not named.
WRITE_INPUT = '{"state.$": "$", "execution.$": "$$.Execution.Id"}'

# Numbers of the Retry rules; the others are substituted one by one.
_OF_RETRY = ("retry_", "any_error_", "transient_")
TIMES = {name: value for name, value in NUMBERS.items() if not name.startswith(_OF_RETRY)}

# The names that the functions' errors have in Lambda's answer and in ErrorEquals.
FUNCTION_ERRORS = frozenset(
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.PermanentError)
)


def function_arn(function: str, prefix: str = "image-converter") -> str:
    """Return the ARN of one of the functions, as tests name them."""
    return f"arn:aws:lambda:us-east-1:123456789012:function:{prefix}-{function.replace('_', '-')}"


# Those that are raised, in the order in which they are defined.
PERMANENT_ERRORS = tuple(
    name for name in vars(errors) if name in FUNCTION_ERRORS - {"PermanentError", "ConversionError"}
)


def task_retry(numbers: Mapping[str, float]) -> str:
    """Return the Retry rules of every task, as state_machine.tf builds them.

    Args:
        numbers: as NUMBERS.
    """
    attempts = {
        "MaxAttempts": numbers["retry_max_attempts"],
        "BackoffRate": numbers["retry_backoff"],
    }
    rules: list[dict[str, Any]] = [
        {"ErrorEquals": PERMANENT_ERRORS, "MaxAttempts": 0},
        {
            "ErrorEquals": [
                "Lambda.ServiceException",
                "Lambda.AWSLambdaException",
                "Lambda.SdkClientException",
                "Lambda.TooManyRequestsException",
                "Lambda.ClientExecutionTimeoutException",
            ],
            "IntervalSeconds": numbers["transient_interval"],
            "MaxAttempts": numbers["transient_max_attempts"],
            "BackoffRate": numbers["transient_backoff"],
            "MaxDelaySeconds": numbers["transient_max_delay"],
            "JitterStrategy": "FULL",
        },
        {
            "ErrorEquals": ["States.TaskFailed", "States.Timeout"],
            "IntervalSeconds": numbers["retry_interval"],
            **attempts,
        },
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": numbers["any_error_interval"],
            **attempts,
        },
    ]
    return json.dumps(rules)


def filled(arns: Mapping[str, str], **changed: float) -> str:
    """Return the definition's text with these functions.

    Args:
        arns: of the functions, or what stands for them, by their names in the code.
        changed: numbers in place of Terraform's defaults.
    """
    numbers = {**NUMBERS, **changed}
    values: dict[str, object] = {name: numbers[name] for name in TIMES}
    values |= {f"{function}_arn": arn for function, arn in arns.items()}
    values |= {"task_retry": task_retry(numbers), "write_to_dynamodb_input": WRITE_INPUT}
    return asl.render(asl.template(), values)


def rendered(prefix: str = "image-converter", **changed: float) -> str:
    """Return the definition's text.

    Args:
        prefix: what the functions' names begin with.
        changed: numbers in place of Terraform's defaults.
    """
    return filled({function: function_arn(function, prefix) for function in TASKS}, **changed)


# Of the backfill, with a filter that accepts everything.
EVERYTHING: Mapping[str, Any] = {"prefixes": [], "suffixes": [], "encoded": True}
_BACKFILL: Mapping[str, Any] = {
    "partition": "aws",
    "source_bucket": "source",
    "destination_bucket": "destination",
    "queue_url": "https://sqs.us-east-1.amazonaws.com/123456789012/image-converter",
    "source_filter": EVERYTHING,
    "max_concurrency": 100,
    "tolerated_failure_percentage": 0,
    "timeout": 86400,
    "task_retry": task_retry(NUMBERS),
}


def backfill(**changed: Any) -> str:
    """Return the text of the backfill's definition, as backfill.tf renders it.

    Args:
        changed: what differs from Terraform's defaults, by the names of `_BACKFILL`.
    """
    values = {**_BACKFILL, **changed}
    states = f"arn:{values['partition']}:states:::"
    child = {
        "source_bucket": values["source_bucket"],
        "destination_bucket": values["destination_bucket"],
        "source_filter": json.dumps(values["source_filter"]),
        "send_batch_arn": f"{states}aws-sdk:sqs:sendMessageBatch",
        "send_message_arn": f"{states}sqs:sendMessage",
        "send_message_timeout": 10,
        "queue_url": values["queue_url"],
        "task_retry": values["task_retry"],
    }
    children = {
        f"send_{item.lower()}": asl.render(
            asl.template(asl.BACKFILL_BATCH), {**child, "item": item}
        )
        for item in ("Object", "Row", "Line", "Entry")
    }
    results = {
        "Resource": f"{states}s3:putObject",
        "Parameters": {"Bucket": values["destination_bucket"], "Prefix": "backfill/results"},
        "WriterConfig": {"Transformation": "COMPACT", "OutputType": "JSONL"},
    }
    numbers = ("max_concurrency", "tolerated_failure_percentage", "timeout")
    return asl.render(
        asl.template(asl.BACKFILL),
        {
            **children,
            **{name: values[name] for name in numbers},
            "list_objects_arn": f"{states}s3:listObjectsV2",
            "get_object_arn": f"{states}s3:getObject",
            "result_writer": json.dumps(results),
        },
    )


def backfill_child(**changed: Any) -> str:
    """Return the states of the children of one of the backfill's Maps, as a state machine.

    Args:
        changed: as of `backfill`.
    """
    child = json.loads(backfill(**changed))["States"]["SendLines"]["ItemProcessor"]
    del child["ProcessorConfig"]
    return json.dumps(child)


def machine(prefix: str = "image-converter", **changed: float) -> dict[str, Any]:
    """Return the definition as JSON; arguments as of `rendered`."""
    definition: dict[str, Any] = json.loads(rendered(prefix, **changed))
    return definition
