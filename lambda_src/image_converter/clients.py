"""AWS clients: made once per execution environment, and only where used.

They are made by botocore, as boto3's own `client` does: importing boto3, too, would add a third to
a cold start, for resources and transfers that nothing here uses.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from image_converter import cold_start, tracing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

# All attempts end within the functions' own timeouts: a function that is killed cannot report what
# failed, a function whose client gives up can. Standard mode backs off with jitter and retries
# throttling, 5xx and resets. A call takes 3 * (2 + 5) seconds at most, and the two waits between
# its attempts 1 + 2: 24 seconds. A test compares this with Terraform's timeouts.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 3},
    connect_timeout=2,
    read_timeout=5,
)
# Upload forms are signed by version 4 and name the region: objects under a KMS key accept no other
# signature, and for a new bucket the address without a region redirects.
_S3_CONFIG = Config(signature_version="s3v4", s3={"addressing_style": "virtual"})
COPY_CONNECTIONS = 64
_COPY_CONFIG = Config(read_timeout=60, max_pool_connections=COPY_CONNECTIONS)


@lru_cache(maxsize=1)
def s3() -> "S3Client":
    """Return the S3 client."""
    client: S3Client = _client("s3", _CONFIG.merge(_S3_CONFIG))
    return client


@lru_cache(maxsize=1)
def s3_copies() -> "S3Client":
    """Return the S3 client for copies, which S3 answers only when it has copied up to 5 GB."""
    client: S3Client = _client("s3", _CONFIG.merge(_COPY_CONFIG))
    return client


@lru_cache(maxsize=1)
def dynamodb() -> "DynamoDBClient":
    """Return the DynamoDB client."""
    client: DynamoDBClient = _client("dynamodb", _CONFIG)
    return client


@lru_cache(maxsize=1)
def stepfunctions() -> "SFNClient":
    """Return the Step Functions client."""
    client: SFNClient = _client("stepfunctions", _CONFIG)
    return client


@lru_cache(maxsize=1)
def events() -> Any:
    """Return the EventBridge client, which only a stack that sends events makes."""
    return _client("events", _CONFIG)


def warm_up(*clients: Callable[[], object]) -> None:
    """Make the clients while Lambda initialises the function, as the last step of that.

    During the initialisation, a function has more processor time than its memory setting gives it
    later, and SnapStart keeps what was made.
    """
    if cold_start.on_lambda():
        for client in clients:
            client()
    cold_start.end()


def _client(service: str, config: Config) -> Any:
    tracing.start()
    return _session().create_client(service, config=config)


@lru_cache(maxsize=1)
def _session() -> botocore.session.Session:
    return botocore.session.Session()
