"""AWS clients for scripts and tests, for AWS or for a local AWS, as an environment says."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 5})


class Clients:
    """One client for each service, made when first used.

    The environment is given, not taken from this process: tests work with several local AWSs at a
    time, and with none.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        """Prepare, without a connection.

        Parameters:
            env: an environment as the AWS CLI reads it; where it names no endpoint, credentials and
                region come from wherever the CLI would find them.
        """
        self._endpoint = env.get("AWS_ENDPOINT_URL")
        self._session = boto3.Session(
            aws_access_key_id=env.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=env.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=env.get("AWS_SESSION_TOKEN"),
            region_name=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
            profile_name=None if self._endpoint else env.get("AWS_PROFILE"),
        )

    def client(self, service: str) -> Any:
        """Return a new client of any service, by its boto3 name."""
        # A proxy leads away from this machine.
        config = _PATIENT.merge(Config(proxies={})) if self._endpoint else _PATIENT
        make: Any = self._session.client  # its types know literal names only
        return make(service, endpoint_url=self._endpoint, config=config)

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """CloudWatch: alarms and metrics."""
        return self.client("cloudwatch")  # type: ignore[no-any-return]

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        return self.client("dynamodb")  # type: ignore[no-any-return]

    @cached_property
    def iam(self) -> "IAMClient":
        """IAM."""
        return self.client("iam")  # type: ignore[no-any-return]

    @cached_property
    def kms(self) -> "KMSClient":
        """KMS."""
        return self.client("kms")  # type: ignore[no-any-return]

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda (a word that Python has taken)."""
        return self.client("lambda")  # type: ignore[no-any-return]

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        """CloudWatch Logs."""
        return self.client("logs")  # type: ignore[no-any-return]

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        return self.client("s3")  # type: ignore[no-any-return]

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        return self.client("sqs")  # type: ignore[no-any-return]

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        """Step Functions."""
        return self.client("stepfunctions")  # type: ignore[no-any-return]

    @cached_property
    def sts(self) -> "STSClient":
        """STS: who am I."""
        return self.client("sts")  # type: ignore[no-any-return]
