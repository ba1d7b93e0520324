"""What the end-to-end tests do with the deployed pipeline."""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from scripts.lib import deployed, wait
from scripts.lib.executions import collect
from scripts.lib.executions.model import RUNNING, Execution
from scripts.lib.executions.redrive import Redrive, Result
from tests.conftest import Deployment

# What decides whether an image is outdated, and what makes its renditions.
DECIDING = ("trigger", "resize-image")
PNG_AND_THUMBNAIL = json.dumps(
    [
        {"name": "png", "format": "png"},
        {"name": "thumb", "format": "webp", "max_width": 8},
    ]
)


def upload(deployment: Deployment, key: str, content: bytes) -> str:
    """Put an object into the source bucket and return its version id."""
    bucket = deployment.outputs["source_bucket"]
    return deployment.clients.s3.put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]


def execution_of(deployment: Deployment, version_id: str) -> Execution:
    """Wait for the execution that an upload has started to end, and return it."""
    source = executions(deployment)

    def find() -> Execution | None:
        for run in source.listed():
            arn: str = run["executionArn"]
            execution_input = run.get("input") or _input(deployment, arn)
            if version_id in execution_input and run["status"] != RUNNING:
                return source.execution(arn)
        return None

    return wait.until(f"an execution for version {version_id} to end", find)


def _input(deployment: Deployment, arn: str) -> str:
    return deployment.clients.stepfunctions.describe_execution(executionArn=arn)["input"]


def executions(deployment: Deployment) -> collect.Source:
    """Return what reads the executions of the deployed stack."""
    stack = deployed.find(deployment.clients, deployed.DEFAULT_NAME)
    return collect.source(deployment.clients, stack)


def all_results(redrive: Redrive) -> list[Result]:
    """Do all parts of a redrive; return what became of each thing."""
    return list(itertools.chain.from_iterable(redrive.parts().values()))


def start(deployment: Deployment, record: Mapping[str, Any]) -> Execution:
    """Start an execution by hand, wait until it has ended, and return it."""
    started = deployment.clients.stepfunctions.start_execution(
        stateMachineArn=deployment.outputs["state_machine_arn"], input=json.dumps(record)
    )
    return ended(deployment, started["executionArn"])


def ended(deployment: Deployment, arn: str) -> Execution:
    """Wait until an execution has ended, and return it."""
    return listed_as_ended(executions(deployment), executionArn=arn)


def ended_by_name(deployment: Deployment, name: str) -> Execution:
    """Wait until an execution of that name has ended, and return it."""
    return listed_as_ended(executions(deployment), name=name)


def listed_as_ended(source: collect.Source, **wanted: str) -> Execution:
    """Wait until an execution that is listed with these values has ended, and return it."""

    def find() -> Execution | None:
        runs = (run for run in source.listed() if wanted.items() <= run.items())
        done = next((run for run in runs if run["status"] != RUNNING), None)
        return source.execution(done["executionArn"]) if done else None

    return wait.until(f"the execution {wanted} to end", find)


def destination(deployment: Deployment, key: str) -> bytes:
    """Return an object of the destination bucket."""
    return _content(deployment, "destination_bucket", key)


def source(deployment: Deployment, key: str) -> bytes:
    """Return an object of the source bucket."""
    return _content(deployment, "source_bucket", key)


def _content(deployment: Deployment, bucket: str, key: str) -> bytes:
    answer = deployment.clients.s3.get_object(Bucket=deployment.outputs[bucket], Key=key)
    return answer["Body"].read()


def destination_keys(deployment: Deployment) -> set[str]:
    """Return the keys of the destination bucket's current objects."""
    return _keys(deployment, "destination_bucket")


def source_keys(deployment: Deployment) -> set[str]:
    """Return the keys of the source bucket's current objects."""
    return _keys(deployment, "source_bucket")


def _keys(deployment: Deployment, bucket: str) -> set[str]:
    pages = deployment.clients.s3.get_paginator("list_objects_v2").paginate(
        Bucket=deployment.outputs[bucket]
    )
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


@contextmanager
def paused(deployment: Deployment) -> Iterator[None]:
    """Have messages wait in the queue meanwhile, as with Terraform's variable `paused`."""
    functions = deployment.clients.functions
    [mapping] = functions.list_event_source_mappings(
        FunctionName=deployment.outputs["function_names"]["trigger"]
    )["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def set_renditions(deployment: Deployment, text: str) -> str:
    """Change what is made, as Terraform's variable `renditions` does; return what was before.

    The default is an empty text: then Terraform leaves the variable out of the environment.
    """
    functions, before = deployment.clients.functions, ""
    for name in DECIDING:
        function = f"{deployed.DEFAULT_NAME}-{name}"
        configuration = functions.get_function_configuration(FunctionName=function)
        variables = configuration["Environment"]["Variables"]
        before = variables.pop("RENDITIONS", "")
        if text:
            variables["RENDITIONS"] = text
        functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )
    return before


@contextmanager
def making(deployment: Deployment, renditions: str) -> Iterator[None]:
    """Have these renditions made meanwhile."""
    before = set_renditions(deployment, renditions)
    try:
        yield
    finally:
        set_renditions(deployment, before)
