"""Everything that a report shows of executions, from AWS or the local one."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from scripts.lib import deployed, user_errors
from scripts.lib.aws import Clients
from scripts.lib.executions import history, invocations, thumbnails
from scripts.lib.executions.invocations import Logged
from scripts.lib.executions.model import Attempt, Execution, Outcome
from scripts.lib.executions.run import LogLine, Picture, Run, source
from scripts.lib.user_errors import UserError
from scripts.report import cost
from scripts.report.cost import Invocation

_AT_A_TIME = 8
_LONGEST_DOWNLOAD = 60 * 1024**2  # bytes; a preview is not worth more
_AROUND = timedelta(seconds=5)  # of an execution, in which its functions log


def runs(clients: Clients, arns: Sequence[str]) -> list[Run]:
    """Return the executions with all that belongs to them, in the order of their ARNs.

    Raises:
        UserError: one of them does not exist, or its history cannot be had.
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    _make_clients(clients)
    with warnings.catch_warnings(), ThreadPoolExecutor(_AT_A_TIME) as pool:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the page says its size
        executions = list(pool.map(lambda arn: _execution(clients, arn), arns))
        functions = _Functions(clients, executions)
        return list(pool.map(lambda one: _run(clients, one, functions), executions))


def bare(clients: Clients, arn: str) -> Run:
    """Return an execution by its history alone, without pictures, record and logs.

    Raises: as `runs`.
    """
    execution = _execution(clients, arn)
    return Run(execution, cost.bill(execution, cost.from_attempts(execution, {})))


def _make_clients(clients: Clients) -> None:
    """Make the clients before threads may: boto3 does not make them in two threads at a time."""
    _ = (clients.stepfunctions, clients.s3, clients.dynamodb, clients.logs, clients.functions)


def _execution(clients: Clients, arn: str) -> Execution:
    if ":express:" in arn:
        raise UserError(
            f"{arn} is an EXPRESS execution, of which AWS tells nothing but in the state machine's "
            "log group. `make status IMAGE=...` tells what became of an image."
        )
    states = clients.stepfunctions
    try:
        machine = states.describe_state_machine_for_execution(executionArn=arn)
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events: list[Any] = [event for page in pages for event in page["events"]]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("ExecutionDoesNotExist", "InvalidArn"):
            raise UserError(
                f"There is no execution {arn} in {states.meta.region_name}. `make watch` and "
                "`aws stepfunctions list-executions` tell the ARNs; AWS forgets them after 90 days."
            ) from error
        raise
    return history.read(arn, events, json.loads(machine["definition"]))


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
        for name in sorted({cost.function_name(one) for one in resources if ":function:" in one}):
            self._note(name, executions)

    def _note(self, name: str, executions: Sequence[Execution]) -> None:
        first = min(execution.started for execution in executions) - _AROUND
        last = max(one.ended or max(e.time for e in one.events) for one in executions) + _AROUND
        try:
            function = deployed.function(self._clients, name)
            self.memory_mb[name] = function.memory_mb
            self.architecture = function.architecture
            self.table = function.settings.get("TABLE_NAME", self.table)
            pages = self._clients.logs.get_paginator("filter_log_events").paginate(
                logGroupName=function.log_group,
                startTime=int(first.timestamp() * 1000),
                endTime=int(last.timestamp() * 1000),
            )
            events: list[Any] = [event for page in pages for event in page["events"]]
            self.logged[name] = invocations.read(events)
        except (UserError, BotoCoreError, ClientError) as error:
            self.notes.append(f"The logs of {name} are missing. {user_errors.sentence(error)}")


def _run(clients: Clients, execution: Execution, functions: _Functions) -> Run:
    key = str(source(execution).get("key", ""))
    logs: dict[str, list[LogLine]] = {}
    billed: list[Invocation] = []
    function_ms: dict[str, list[int]] = {}
    for name, state in execution.states.items():
        for function, attempts in _by_function(state.attempts).items():
            matched = invocations.match(attempts, functions.logged.get(function, []), key)
            logs[name] = [line for one in matched.values() for line in one.lines]
            told = [one for one in matched.values() if one.billed_ms]
            billed += [Invocation(function, one.billed_ms, one.memory_mb) for one in told]
            function_ms.setdefault(name, []).extend(one.billed_ms for one in told)
    estimated = cost.from_attempts(execution, functions.memory_mb)
    complete = len(billed) >= len(estimated)
    notes = list(functions.notes)
    record = _record(clients, functions.table, key, notes) if key else None
    calls = billed if complete else estimated
    bill = cost.bill(execution, calls, functions.architecture, record)
    run = Run(execution, bill, record=record, logs=logs, function_ms=function_ms, notes=notes)
    run.pictures = list(_pictures(clients, execution, run))
    return run


def _by_function(attempts: Iterable[Attempt]) -> dict[str, list[Attempt]]:
    found: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        found.setdefault(cost.function_name(attempt.resource), []).append(attempt)
    return found


def _pictures(clients: Clients, execution: Execution, run: Run) -> Iterable[Picture]:
    """Yield the original, from wherever it is now, and the PNG if one was made."""
    written = made(execution)
    original = written.get("Original") or source(execution)
    if original:
        yield _picture(clients, "Original", original, run)
    if "PNG" in written:
        yield _picture(clients, "PNG", written["PNG"], run)


def made(execution: Execution) -> dict[str, dict[str, Any]]:
    """Return the objects that the execution's tasks say they wrote, by their role."""
    found: dict[str, dict[str, Any]] = {}
    for state in execution.states.values():
        for attempt in state.attempts:
            answer: Any = json.loads(attempt.output) if attempt.output else None
            if attempt.outcome is Outcome.SUCCEEDED and _is_location(answer):
                role = "PNG" if answer.get("contentType") == "image/png" else "Original"
                found[role] = answer
    return found


def _is_location(answer: object) -> bool:
    return isinstance(answer, dict) and {"bucket", "key"} <= answer.keys()


def _picture(clients: Clients, role: str, where: dict[str, Any], run: Run) -> Picture:
    place = f"s3://{where['bucket']}/{where['key']}"
    picture = Picture(role, place, size=int(where.get("size") or 0))
    version = {"VersionId": where["versionId"]} if where.get("versionId") else {}
    try:
        found = clients.s3.get_object(Bucket=where["bucket"], Key=where["key"], **version)
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchVersion", "404", "NoSuchBucket"):
            return Picture(role, place, picture.size, note="It is no longer there.")
        return Picture(role, place, picture.size, note=user_errors.sentence(error))
    with found["Body"] as body:
        size = found["ContentLength"]
        known = Picture(role, place, size, found.get("ContentType", ""))
        if size > _LONGEST_DOWNLOAD:
            return Picture(
                role, place, size, known.content_type, note="It is too big for a preview."
            )
        shown = thumbnails.with_preview(known, body.read())
    if role == "Original" and run.kind == "no JPEG":
        return Picture(role, place, size, known.content_type, note=shown.note or "It is no JPEG.")
    return shown


def _record(
    clients: Clients, table: str | None, key: str, notes: list[str]
) -> dict[str, Any] | None:
    if table is None:
        return None
    try:
        return record(clients, table, key)
    except (BotoCoreError, ClientError) as error:
        notes.append(f"The table could not be read. {user_errors.sentence(error)}")
        return None


def record(clients: Clients, table: str, key: str) -> dict[str, Any] | None:
    """Return an image's record as JSON has it, or None.

    Raises:
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    item = clients.dynamodb.get_item(TableName=table, Key={"imageName": {"S": key}}).get("Item")
    if item is None:
        return None
    plain: dict[str, Any] = json.loads(
        json.dumps({name: _plain(value) for name, value in item.items()}, default=_number)
    )
    return plain


def _plain(value: Any) -> Any:
    return TypeDeserializer().deserialize(value)


def _number(value: Any) -> int | float:
    """Return DynamoDB's decimal as JSON has numbers."""
    return int(value) if value == int(value) else float(value)
