"""Resources of a stack, made without Terraform: single ones, or all but its functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment, ExecutionLog
from tests.support import workflow

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions.literals import StateMachineTypeType


def stack(
    clients: Clients,
    name: str,
    definition: str,
    kind: StateMachineTypeType = "STANDARD",
    level: str = "ALL",
    destination: str = "",
) -> Deployment:
    """Make buckets, a table, queues, and a state machine that logs.

    Parameters:
        kind, level: the state machine's type, and at which level it logs.
        destination: the name of the destination bucket; by default there is none.
    """
    group = f"/aws/vendedlogs/states/{name}"
    clients.logs.create_log_group(logGroupName=group)
    logging = workflow.logging(group, level)
    machine = workflow.made(clients, name, definition, type=kind, loggingConfiguration=logging)
    for bucket_name in filter(None, (name, destination)):
        bucket(clients.s3, bucket_name)
    table(clients.dynamodb, name)
    for queue in (name, f"{name}-dead-letters"):
        clients.sqs.create_queue(QueueName=queue)
    log = ExecutionLog(group, level, data=True)
    return Deployment(name, name, destination, name, machine, express=kind == "EXPRESS", log=log)


def bucket(s3: S3Client, name: str) -> None:
    """Make a bucket that keeps versions."""
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def table(dynamodb: DynamoDBClient, name: str) -> None:
    """Make a table of records."""
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "imageName", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "imageName", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def user(iam: IAMClient, name: str) -> dict[str, str]:
    """Make a user; return the environment variables of an access key."""
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
