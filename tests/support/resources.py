"""Single resources of a stack, made without Terraform."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient


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


def messages(sqs: SQSClient, url: str) -> int:
    """Return how many messages a queue holds, those that somebody has received included."""
    attributes = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return sum(map(int, attributes.values()))


def user(iam: IAMClient, name: str) -> dict[str, str]:
    """Make a user; return the environment variables of an access key."""
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
