"""The stack that is deployed, as AWS itself reports it, found only by its name.

The functions' own settings say which bucket, table and state machine belong together; so neither
Terraform nor its state is needed to work with a stack, on AWS or on the local one. All functions
raise BotoCoreError or ClientError where AWS does not answer or refuses.
"""

import dataclasses
import itertools
import json
import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Self
from urllib.parse import urlsplit

from botocore.exceptions import EndpointConnectionError

from image_converter import renditions, settings
from image_converter.settings import ResizeSettings
from scripts.lib.aws import Clients
from scripts.lib.user_errors import ExitStatus, UserError

DEFAULT_NAME = "image-converter"
_CONNECT_TIMEOUT_SECONDS = 1.5
_CACHE_SECONDS = 60  # for which a state machine is taken not to change


@dataclass(frozen=True)
class Function:
    """A deployed function.

    Attributes:
        name: AWS's name for it.
        memory_mb: its memory.
        architecture: arm64 or x86_64.
        log_group: where it logs.
        settings: its environment variables.
    """

    name: str
    memory_mb: int
    architecture: str
    log_group: str
    settings: Mapping[str, str]


@dataclass(frozen=True)
class ExecutionLog:
    """Where a state machine logs its executions, and what of them.

    Attributes:
        group: the log group; empty if there is none.
        level: ALL, ERROR, FATAL or OFF.
        data: whether inputs and outputs are logged.
    """

    group: str = ""
    level: str = "OFF"
    data: bool = False

    @classmethod
    def read(cls, described: Mapping[str, Any]) -> Self:
        """Return it as DescribeStateMachine answers."""
        configuration = described.get("loggingConfiguration") or {}
        level, destinations = configuration.get("level"), configuration.get("destinations")
        if level in (None, "OFF") or not destinations:
            return cls()
        arn = destinations[0]["cloudWatchLogsLogGroup"]["logGroupArn"]
        group = arn.partition(":log-group:")[2].removesuffix(":*")
        data = bool(configuration.get("includeExecutionData"))
        return cls(group=group, level=level, data=data)

    @property
    def missing(self) -> str:
        """What is left out, in a sentence with the setting that logs it; or an empty string."""
        if self.level == "OFF":
            return 'Executions are not logged; state_machine_log_level = "ALL" logs them.'
        if self.level != "ALL":
            return (
                "Only failures of executions are logged; "
                'state_machine_log_level = "ALL" logs every execution, state by state.'
            )
        if not self.data:
            return (
                "Inputs and outputs of executions are not logged; "
                "state_machine_log_execution_data = true logs them."
            )
        return ""


@dataclass(frozen=True)
class Deployment:
    """A deployed stack.

    Attributes:
        keeps_converted: whether JPEGs stay in the source bucket.
        keeps_others: whether files that are not JPEGs do.
        pairs: for an existing source bucket, pairs of a prefix and a suffix, of which the stack's
            rule accepts any; None for the stack's own bucket, whose notifications have them.
        log: where executions are logged, the only place that has EXPRESS ones.
        created: when the stack was created; it ignores older objects of an existing bucket.
    """

    name: str
    source_bucket: str
    destination_bucket: str
    table_name: str
    state_machine_arn: str
    express: bool
    keeps_converted: bool = False
    keeps_others: bool = False
    pairs: tuple[tuple[str, str], ...] | None = None
    created: datetime | None = None
    log: ExecutionLog = field(default_factory=ExecutionLog)

    @property
    def not_logged(self) -> str:
        """What is unknown of EXPRESS executions for want of logs, in a sentence; or nothing."""
        return self.log.missing if self.express else ""

    def execution_arn(self, execution_name: str) -> str:
        """Return the ARN of the execution of that name."""
        arn = self.state_machine_arn.replace(":stateMachine:", ":execution:")
        return f"{arn}:{execution_name}"

    @property
    def backfill(self) -> Self:
        """The stack with the state machine of its backfill, if it has one, for the pipeline's."""
        arn = f"{self.state_machine_arn}-backfill"
        return dataclasses.replace(self, state_machine_arn=arn, express=False)


def stack_name(env: Mapping[str, str] = os.environ) -> str:
    """Return the stack's name: its own variable, or what Terraform would take, or the default."""
    return env.get("IMAGE_CONVERTER_NAME") or env.get("TF_VAR_name") or DEFAULT_NAME


def connect(env: Mapping[str, str] = os.environ) -> Clients:
    """Return clients for the AWS that an environment names.

    Raises:
        UserError: only half of the credentials is there.
    """
    names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    missing = [variable for variable in names if not env.get(variable)]
    if len(missing) == 1:
        raise UserError(
            f"{missing[0]} is not set, although its counterpart is. Set both or neither.",
            ExitStatus.NO_STACK,
        )
    if endpoint := env.get("AWS_ENDPOINT_URL"):
        _connect_once(endpoint)
    return Clients(env)


def _connect_once(endpoint: str) -> None:
    """Fail at once where nothing listens; boto3 would try again and again for half a minute."""
    url = urlsplit(endpoint)
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
        socket.create_connection((url.hostname or "", port), _CONNECT_TIMEOUT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise EndpointConnectionError(endpoint_url=endpoint) from error


def find(clients: Clients, stack: str) -> Deployment:
    """Return the stack of that name.

    Raises:
        UserError: there is none.
    """
    try:
        resize, write, delete, trigger = (
            function(clients, f"{stack}-{part}")
            for part in ("resize-image", "write-to-dynamodb", "delete-file", "trigger")
        )
    except UserError as error:
        where = clients.functions.meta
        raise UserError(
            f"There is no stack named {stack} in {where.region_name} at {where.endpoint_url}. "
            "Deploy it with `terraform -chdir=terraform apply`, or select another one with "
            "--name, --region, --profile or --endpoint-url.",
            ExitStatus.NO_STACK,
        ) from error
    try:
        source_bucket = trigger.settings["SOURCE_BUCKET"]
        destination_bucket = resize.settings["DESTINATION_BUCKET"]
        table_name = write.settings["TABLE_NAME"]
        state_machine_arn = trigger.settings["STATE_MACHINE_ARN"]
    except KeyError as error:
        raise UserError(
            f"The stack {stack} was deployed by another version of image-converter: its functions "
            f"have no setting {error}. Deploy this version, or use that one's command.",
            ExitStatus.NO_STACK,
        ) from error
    machine = clients.stepfunctions.describe_state_machine(stateMachineArn=state_machine_arn)
    return Deployment(
        name=stack,
        source_bucket=source_bucket,
        destination_bucket=destination_bucket,
        table_name=table_name,
        state_machine_arn=state_machine_arn,
        express=machine.get("type") == "EXPRESS",
        keeps_converted=delete.settings.get("SOURCE_AFTER") == "keep",
        keeps_others=delete.settings.get("OTHER_TYPES") == "keep",
        pairs=_pairs(trigger.settings.get("SOURCE_FILTER")),
        created=machine["creationDate"],
        log=ExecutionLog.read(machine),
    )


def _pairs(setting: str | None) -> tuple[tuple[str, str], ...] | None:
    if setting is None:
        return None
    keys = json.loads(setting)
    return tuple(itertools.product(keys["prefixes"] or [""], keys["suffixes"] or [""]))


def function(clients: Clients, function_name: str) -> Function:
    """Return a deployed function.

    Raises:
        UserError: there is none of that name.
    """
    where = clients.functions.meta
    try:
        answer: Any = clients.functions.get_function_configuration(FunctionName=function_name)
    except clients.functions.exceptions.ResourceNotFoundException as error:
        raise UserError(
            f"There is no function {function_name} in {where.region_name} at {where.endpoint_url}."
        ) from error
    return Function(
        name=function_name,
        memory_mb=answer.get("MemorySize", 128),
        architecture=(answer.get("Architectures") or ["x86_64"])[0],
        log_group=answer.get("LoggingConfig", {}).get("LogGroup", f"/aws/lambda/{function_name}"),
        settings=answer.get("Environment", {}).get("Variables", {}),
    )


def definition(clients: Clients, state_machine_arn: str) -> dict[str, Any]:
    """Return the definition of a state machine as it is now, or was up to a minute ago."""
    return _definition_in(clients, state_machine_arn, int(time.monotonic() // _CACHE_SECONDS))


@lru_cache(maxsize=64)
def _definition_in(clients: Clients, state_machine_arn: str, _span: int) -> dict[str, Any]:
    """Return the definition of a state machine, for which AWS is asked once in a span of time."""
    machine = clients.stepfunctions.describe_state_machine(stateMachineArn=state_machine_arn)
    document: dict[str, Any] = json.loads(machine["definition"])
    return document


@lru_cache(maxsize=64)
def log_group(clients: Clients, function_name: str) -> str:
    """Return where a function logs. No update of a stack changes that, so it is asked once.

    Raises: as `function`.
    """
    return function(clients, function_name).log_group


def resize_settings(clients: Clients, stack: Deployment) -> ResizeSettings:
    """Return the settings with which the stack makes renditions.

    Raises: as `function`.
    """
    resize = function(clients, f"{stack.name}-resize-image")
    return settings.load(ResizeSettings, resize.settings)


def settings_hash(resize: ResizeSettings) -> str:
    """Return what a record says of renditions that were made with those settings."""
    return renditions.settings_hash(renditions.parse(resize.renditions, resize.png_compression))
