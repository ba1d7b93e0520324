"""AWS clients for scripts and tests, for AWS or for a local AWS, as an environment says."""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader, create_loader

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

_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 5})


@functools.cache
def _loader() -> Loader:
    """Return what reads botocore's data on services, each of them once in a process."""
    return create_loader()


def is_local(endpoint: str | None) -> bool:
    """Return whether an endpoint's URL is that of a local AWS, not AWS's own or none."""
    return bool(endpoint) and "amazonaws" not in str(endpoint)


class Clients:
    """One client for each service, made when first used, in whichever thread.

    The environment is given, not taken from this process: tests work with several local AWSs at a
    time, and with none.
    """

    cloudwatch: CloudWatchClient
    dynamodb: DynamoDBClient
    functions: LambdaClient
    iam: IAMClient
    kms: KMSClient
    logs: CloudWatchLogsClient
    s3: S3Client
    sqs: SQSClient
    stepfunctions: SFNClient
    sts: STSClient

    _SERVICES: Final = {"functions": "lambda"}  # a keyword of Python

    def __init__(self, env: Mapping[str, str]) -> None:
        """Prepare, without a connection.

        Parameters:
            env: an environment as the AWS CLI reads it; where it names no endpoint, credentials and
                region come from wherever the CLI would find them.
        """
        self._endpoint = env.get("AWS_ENDPOINT_URL")
        # boto3 does not make clients in two threads at a time. A client, once made, may be shared.
        self._making = threading.RLock()
        # A local AWS has keys of its own; the profile of a person is about another AWS.
        needs_no_profile = self._endpoint and env.get("AWS_ACCESS_KEY_ID")
        core = botocore.session.get_session()
        core.register_component("data_loader", _loader())
        self._session = boto3.Session(
            botocore_session=core,
            aws_access_key_id=env.get("AWS_ACCESS_KEY_ID"),
            aws_secret_access_key=env.get("AWS_SECRET_ACCESS_KEY"),
            aws_session_token=env.get("AWS_SESSION_TOKEN"),
            region_name=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
            profile_name=None if needs_no_profile else env.get("AWS_PROFILE"),
        )

    def client(self, service: str) -> Any:
        """Return a new client of any service, by its boto3 name."""
        # A proxy leads away from this machine.
        config = _CONFIG.merge(Config(proxies={})) if self._endpoint else _CONFIG
        make: Any = self._session.client  # its types know literal names only
        with self._making:
            return make(service, endpoint_url=self._endpoint, config=config)

    if not TYPE_CHECKING:  # the types above are all there is

        def __getattr__(self, name: str) -> Any:
            """Make one of the clients above; Python asks only for what is not there yet."""
            if name not in type(self).__annotations__:
                raise AttributeError(f"there is no client {name}")
            with self._making:
                if name not in vars(self):  # another thread may have made it meanwhile
                    setattr(self, name, self.client(self._SERVICES.get(name, name)))
            return vars(self)[name]
