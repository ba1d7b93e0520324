"""Executions from AWS or the local one: by their history alone, or with all that a report shows."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from image_converter.errors import DamagedImage
from scripts.lib import deployed, storage, user_errors, wait
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import history, invocations, logged, restarts, thumbnails
from scripts.lib.executions.invocations import Logged
from scripts.lib.executions.model import NOT_A_JPEG, RUNNING, Attempt, Execution, format_of
from scripts.lib.executions.run import Invocation, Picture, Run
from scripts.lib.user_errors import UserError

_AT_A_TIME = 8
_LONGEST_DOWNLOAD = 60 * 1024**2  # bytes; a preview is not worth more
_LONGEST_PAGE = 1000  # of ListExecutions
_AROUND = timedelta(seconds=5)  # of an execution, in which its functions log


class Source(Protocol):
    """Where a stack's executions are read: Step Functions, or the log of an EXPRESS one."""

    def listed(self, status: str | None = None, most: int | None = None) -> Iterable[Any]:
        """Return executions as ListExecutions has them, the newest first."""

    def execution(self, arn: str, definition: Mapping[str, Any] | None = None) -> Execution:
        """Return an execution by its events."""


class _Histories:
    """Executions that Step Functions itself remembers."""

    def __init__(self, clients: Clients, state_machine_arn: str) -> None:
        self._clients = clients
        self._machine = state_machine_arn

    def listed(self, status: str | None = None, most: int | None = None) -> Iterable[Any]:
        return listed(self._clients, self._machine, status, most)

    def execution(self, arn: str, definition: Mapping[str, Any] | None = None) -> Execution:
        return execution(self._clients, arn, definition)


def source(
    clients: Clients,
    stack: Deployment,
    *,
    since: datetime | None = None,
    progress: logged.Progress | None = None,
) -> Source:
    """Return where a stack's executions are read.

    Args:
        clients: of the AWS that they are on.
        stack: whose.
        since: where they are logged only, nothing earlier is looked for.
        progress: called with a sentence for each page of a log that was read.
    """
    if stack.express:
        return logged.of_stack(clients, stack, since=since, progress=progress)
    return _Histories(clients, stack.state_machine_arn)


def listed(
    clients: Clients, state_machine_arn: str, status: str | None = None, most: int | None = None
) -> Iterator[Any]:
    """Yield a state machine's executions as ListExecutions has them, the newest first.

    Args:
        clients: of the AWS that they are on.
        state_machine_arn: whose.
        status: only those with that status.
        most: how many at the most.
    """
    chosen: dict[str, Any] = {"statusFilter": status} if status else {}
    pages = clients.stepfunctions.get_paginator("list_executions").paginate(
        stateMachineArn=state_machine_arn,
        PaginationConfig={"MaxItems": most, "PageSize": min(most, _LONGEST_PAGE)} if most else {},
        **chosen,
    )
    for page in pages:
        yield from page["executions"]


def execution(clients: Clients, arn: str, definition: Mapping[str, Any] | None = None) -> Execution:
    """Return an execution by its history.

    Args:
        clients: of the AWS that it is on.
        arn: the execution's.
        definition: the state machine as it is now; it saves a request to AWS, unless the execution
            was in a state that is not in it.

    Raises:
        UserError: it does not exist, or its history is not available.
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    if ":express:" in arn:
        return logged.of_execution(clients, arn).execution(arn, definition)
    states = clients.stepfunctions
    try:
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events: list[Any] = [event for page in pages for event in page["events"]]
        if definition is not None:
            found = history.read(arn, events, definition)
            if found.states.keys() == {state.name for state in found.machine.walk()}:
                return found
        machine = states.describe_state_machine_for_execution(executionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("ExecutionDoesNotExist", "InvalidArn"):
            raise UserError(
                f"There is no execution {arn} in {states.meta.region_name}. `aws stepfunctions "
                "list-executions` and `image-converter status KEY` list the ARNs; AWS deletes "
                "executions after 90 days."
            ) from error
        raise
    return history.read(arn, events, json.loads(machine["definition"]))


def definition(clients: Clients, arn: str) -> str:
    """Return the definition that an execution ran; of an EXPRESS one, that of its state machine.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    states = clients.stepfunctions
    if ":express:" in arn:
        machine = logged.state_machine_arn(arn)
        return states.describe_state_machine(stateMachineArn=machine)["definition"]
    return states.describe_state_machine_for_execution(executionArn=arn)["definition"]


def has_ended(clients: Clients, arn: str) -> bool:
    """Return whether a STANDARD execution has ended; one that is not there has not begun."""
    described = restarts.described(clients, arn)
    return described is not None and described["status"] != RUNNING


def wait_for(clients: Clients, arn: str, seconds: float = 120) -> None:
    """Wait until an execution, which may not have begun, has ended.

    Raises:
        TimeoutError: it has not.
    """
    if ":express:" not in arn:
        wait.until(f"{arn} to end", lambda: has_ended(clients, arn), seconds)
        return
    log = logged.of_execution(clients, arn, since=datetime.now(UTC) - 2 * logged.LONGEST)

    def is_logged() -> bool:
        return any(one["executionArn"] == arn and one["status"] != RUNNING for one in log.listed())

    wait.until(f"{arn} to end", is_logged, seconds)


def runs(clients: Clients, arns: Sequence[str], read_by: Source | None = None) -> list[Run]:
    """Return the executions with all that belongs to them, in the order of their ARNs.

    Args:
        clients: of the AWS that they are on.
        arns: the executions'.
        read_by: what has listed them, if anything has.

    Raises: as `execution`.
    """
    # Made before threads may: boto3 does not make clients in two threads at a time.
    _ = (clients.stepfunctions, clients.s3, clients.dynamodb, clients.logs, clients.functions)

    def read(arn: str) -> Execution:
        return read_by.execution(arn) if read_by else execution(clients, arn)

    with warnings.catch_warnings(), ThreadPoolExecutor(_AT_A_TIME) as pool:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the page says its size
        executions = list(pool.map(read, arns))
        functions = _Functions(clients, executions)
        return list(pool.map(lambda one: _run(clients, one, functions), executions))


class _Functions:
    """The functions that the executions called, and what they logged meanwhile."""

    def __init__(self, clients: Clients, executions: Sequence[Execution]) -> None:
        self._clients = clients
        self.memory_mb: dict[str, int] = {}
        self.architecture = "x86_64"
        self.logged: dict[str, list[Logged]] = {}
        self.table: str | None = None
        self.notes: list[str] = []
        resources = {
            attempt.resource
            for execution in executions
            for run in execution.states.values()
            for attempt in run.attempts
        }
        names = {invocations.function_name(one) for one in resources if ":function:" in one}
        for name in sorted(names):
            self._note(name, executions)

    def _note(self, name: str, executions: Sequence[Execution]) -> None:
        first = min(execution.started for execution in executions) - _AROUND
        last = max(one.ended or max(e.time for e in one.events) for one in executions) + _AROUND
        try:
            function = deployed.function(self._clients, name)
            self.memory_mb[name] = function.memory_mb
            self.architecture = function.architecture
            self.table = function.settings.get("TABLE_NAME", self.table)
            events = storage.log_events(self._clients, function.log_group, first, last)
            self.logged[name] = invocations.read(events)
        except (UserError, BotoCoreError, ClientError) as error:
            self.notes.append(f"The logs of {name} are missing. {user_errors.sentence(error)}")


def _run(clients: Clients, execution: Execution, functions: _Functions) -> Run:
    notes = [execution.not_logged] if execution.not_logged else []
    run = Run(execution, architecture=functions.architecture, notes=[*notes, *functions.notes])
    key = str(execution.source.get("key", ""))
    for name, state in execution.states.items():
        for function, attempts in _by_function(state.attempts).items():
            matched = invocations.match(attempts, functions.logged.get(function, []), key).values()
            run.logs[name] = [line for one in matched for line in one.lines]
            timed = [one for one in matched if one.ms]
            run.function_ms.setdefault(name, []).extend(one.ms for one in timed)
            run.invocations += [
                Invocation(
                    function,
                    one.ms,
                    one.memory_mb or functions.memory_mb[function],
                    "Lambda" if one.billed_ms else "function",
                )
                for one in timed
            ]
    estimated = invocations.estimate(execution, functions.memory_mb)
    if len(run.invocations) < len(estimated):
        run.invocations = estimated
    run.record = _record(clients, functions.table, key, run.notes) if key else None
    run.pictures = list(pictures(clients, execution))
    return run


def _by_function(attempts: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(invocations.function_name(attempt.resource), []).append(attempt)
    return found


def pictures(clients: Clients, execution: Execution) -> Iterable[Picture]:
    """Yield the original, from wherever it is now, and what was made of it."""
    written = execution.objects
    original = written.get("Original") or execution.source
    if original:
        yield _picture(clients, "Original", original, execution)
    if made := written.get("PNG"):
        yield _picture(clients, format_of(made), made, execution)
        for further in made.get("renditions", ()):
            yield _picture(clients, further["name"], further, execution)


def _picture(clients: Clients, role: str, where: dict[str, Any], execution: Execution) -> Picture:
    place = f"s3://{where['bucket']}/{where['key']}"
    version = {"VersionId": where["versionId"]} if where.get("versionId") else {}
    try:
        found = clients.s3.get_object(Bucket=where["bucket"], Key=where["key"], **version)
    except ClientError as error:
        gone = storage.is_gone(error)
        note = "It no longer exists." if gone else user_errors.sentence(error)
        return Picture(role, place, int(where.get("size") or 0), note=note)
    with found["Body"] as body:
        known = Picture(role, place, found["ContentLength"], found.get("ContentType", ""))
        if known.size > _LONGEST_DOWNLOAD:
            return known.without_preview("It is too large for a preview.")
        shown = thumbnails.with_preview(known, body.read())
    if role == "Original" and execution.kind == NOT_A_JPEG:
        return known.without_preview(shown.note or "It is not a JPEG.")
    # The preview's decoder takes some damaged images for whole ones.
    if shown.preview and not shown.damaged and execution.error == DamagedImage.__name__:
        return thumbnails.damaged(shown)
    return shown


def _record(
    clients: Clients, table: str | None, key: str, notes: list[str]
) -> dict[str, Any] | None:
    if table is None:
        return None
    try:
        return storage.record(clients, table, key)
    except (BotoCoreError, ClientError) as error:
        notes.append(f"The table could not be read. {user_errors.sentence(error)}")
        return None
