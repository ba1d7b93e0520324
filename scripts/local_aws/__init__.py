"""An AWS on this machine: ministack on 127.0.0.1, completed for this project.

with LocalAws(directory) as aws:
    aws.endpoint, aws.env
"""

from scripts.local_aws.instance import (
    DEFAULT_DIRECTORY,
    REGION,
    LocalAws,
    LocalAwsError,
    Options,
    Running,
    client_environment,
    find,
    log_file,
    stop,
)

__all__ = [
    "DEFAULT_DIRECTORY",
    "REGION",
    "LocalAws",
    "LocalAwsError",
    "Options",
    "Running",
    "client_environment",
    "find",
    "log_file",
    "stop",
]
