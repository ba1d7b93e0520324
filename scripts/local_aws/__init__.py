"""An AWS on this machine: ministack on 127.0.0.1, completed for this project.

with LocalAws(directory) as aws:
    aws.endpoint, aws.env
"""

from scripts.local_aws.instance import (
    REGION,
    LocalAws,
    LocalAwsError,
    Options,
    Running,
    client_environment,
)

__all__ = ["REGION", "LocalAws", "LocalAwsError", "Options", "Running", "client_environment"]
