"""AWS clients: made once per execution environment, and only where used."""

from functools import lru_cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from image_converter import tracing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

# Chosen so that all attempts end well inside the functions' own timeouts: a function that is killed
# cannot say what failed, one whose client gives up can. Standard mode backs off with jitter and
# retries throttling, 5xx and resets.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=10,
)
COPY_CONNECTIONS = 64
_COPY_CONFIG = Config(read_timeout=60, max_pool_connections=COPY_CONNECTIONS)


@lru_cache(maxsize=1)
def s3() -> "S3Client":
    """Return the S3 client."""
    tracing.start()
    return boto3.client("s3", config=_CONFIG)


@lru_cache(maxsize=1)
def s3_copies() -> "S3Client":
    """Return the S3 client for copies: S3 answers one when it has copied, up to 5 GB at a time."""
    tracing.start()
    return boto3.client("s3", config=_CONFIG.merge(_COPY_CONFIG))


@lru_cache(maxsize=1)
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client."""
    tracing.start()
    return boto3.client("dynamodb", config=_CONFIG)


@lru_cache(maxsize=1)
def stepfunctions() -> "SFNClient":
    """Return the Step Functions client."""
    tracing.start()
    return boto3.client("stepfunctions", config=_CONFIG)
