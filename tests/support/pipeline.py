"""What the end-to-end tests do with the deployed pipeline."""

import json
from collections.abc import Mapping
from typing import Any

from scripts.lib import wait
from scripts.lib.executions import collect
from scripts.lib.executions.model import Execution
from tests.conftest import Deployment


def upload(deployment: Deployment, key: str, content: bytes) -> str:
    """Put an object into the source bucket and return its version id."""
    bucket = deployment.outputs["source_bucket"]
    return deployment.clients.s3.put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]


def execution_of(deployment: Deployment, version_id: str) -> Execution:
    """Wait for the execution that an upload has started to end, and return it."""
    stepfunctions = deployment.clients.stepfunctions
    state_machine_arn = deployment.outputs["state_machine_arn"]

    def find() -> str | None:
        for one in collect.listed(deployment.clients, state_machine_arn):
            arn: str = one["executionArn"]
            described = stepfunctions.describe_execution(executionArn=arn)
            if version_id in described["input"]:
                return arn
        return None

    return ended(deployment, wait.until(f"an execution for version {version_id}", find))


def start(deployment: Deployment, record: Mapping[str, Any]) -> Execution:
    """Start an execution by hand, wait until it has ended, and return it."""
    started = deployment.clients.stepfunctions.start_execution(
        stateMachineArn=deployment.outputs["state_machine_arn"], input=json.dumps(record)
    )
    return ended(deployment, started["executionArn"])


def ended(deployment: Deployment, arn: str) -> Execution:
    """Wait until an execution has ended, and return it."""
    collect.wait_for(deployment.clients, arn, 60)
    return collect.execution(deployment.clients, arn)


def destination(deployment: Deployment, key: str) -> bytes:
    """Return an object of the destination bucket."""
    bucket = deployment.outputs["destination_bucket"]
    return deployment.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def source_keys(deployment: Deployment) -> set[str]:
    """Return the keys of the source bucket's current objects."""
    pages = deployment.clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=deployment.outputs["source_bucket"]
    )
    return {item["Key"] for page in pages for item in page.get("Contents", [])}
