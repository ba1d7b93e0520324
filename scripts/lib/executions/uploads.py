"""Uploads, as the notification of one becomes an execution."""

from image_converter import keys
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import collect


def execution_arn(stack: Deployment, key: str, version: str) -> str:
    """Return the ARN of the execution that an upload's notification starts."""
    return stack.execution_arn(keys.execution_name(stack.source_bucket, key, version))


def convert(clients: Clients, stack: Deployment, key: str, jpeg: bytes) -> str:
    """Put an image into the source bucket; return its execution's ARN once that has ended.

    Raises:
        TimeoutError: it has not.
    """
    put = clients.s3.put_object(
        Bucket=stack.source_bucket, Key=key, Body=jpeg, ContentType="image/jpeg"
    )
    arn = execution_arn(stack, key, put["VersionId"])
    collect.wait_for(clients, arn)
    return arn
