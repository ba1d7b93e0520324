"""Executions from AWS or the local one: by their history alone, or with all that a report shows."""

import itertools
import json
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from PIL import Image

from image_converter.errors import DamagedImage
from scripts.lib import deployed, storage, user_errors
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import history, invocations, logged, restarts, thumbnails
from scripts.lib.executions.model import NOT_A_JPEG, RUNNING, Execution, Summary, format_of
from scripts.lib.executions.run import Invocation, InvocationLog, Picture, Run
from scripts.lib.executions.traces import Traces
from scripts.lib.user_errors import UserError

_AT_A_TIME = 8
_LONGEST_DOWNLOAD = 60 * 1024**2  # bytes; a preview is not worth more
_LONGEST_PAGE = 1000  # of ListExecutions
_AROUND = timedelta(seconds=5)  # of an execution, in which its functions log
_CLOCKS_DIFFER = timedelta(seconds=5)
_SEARCHED = 10_000  # executions of the stack, for those that no upload has started
_DESCRIBED = 200  # of those that no upload has started; each costs a request


class _StepFunctions:
    """Reads the executions of one STANDARD state machine, which Step Functions remembers.

    What its methods return is described with those of `logged.Log`.
    """

    def __init__(self, clients: Clients, stack: Deployment) -> None:
        self._clients = clients
        self._stack = stack

    def listed(self, status: str | None = None, most: int | None = None) -> Iterator[Summary]:
        wanted: dict[str, Any] = {"statusFilter": status} if status else {}
        page: Any = {"MaxItems": most, "PageSize": min(most, _LONGEST_PAGE)} if most else {}
        pages = self._clients.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self._stack.state_machine_arn, PaginationConfig=page, **wanted
        )
        yield from pages.search("executions[]")

    def execution(self, arn: str, definition: Mapping[str, Any] | None = None) -> Execution:
        return execution(self._clients, arn, definition)

    def ended(self, name: str) -> Execution | None:
        # Its notification may be on the way, or the execution forgotten after 90 days.
        described = restarts.described(self._clients, self._stack.execution_arn(name))
        if described is None or described["status"] == RUNNING:
            return None
        return self.execution(described["executionArn"])

    def named(self, name: str, _uploaded: datetime | None = None, /) -> list[Summary]:
        runs = []
        for place, started in enumerate(restarts.names(name)):
            if run := restarts.described(self._clients, self._stack.execution_arn(started)):
                runs.append(run)
            elif place:  # the first is forgotten before those that follow
                break
        return runs

    def failed(self, statuses: Collection[str]) -> tuple[list[Summary], str]:
        return [run for status in statuses for run in self.listed(status)], ""

    def of_image(self, traces: Traces) -> tuple[list[Summary], str]:
        runs = [run for name in traces.names for run in self.named(name)]
        arns_by_name = {run["executionArn"] for run in runs}
        arns, not_searched = self._without_upload(traces)
        for arn in arns:
            described = None if arn in arns_by_name else restarts.described(self._clients, arn)
            if described and restarts.source(described)[0] == traces.key:
                runs.append(described)
        return runs, not_searched

    def _without_upload(self, traces: Traces) -> tuple[list[str], str]:
        """Return executions since the oldest upload whose names follow from no version of it.

        Where the bucket keeps no versions, they follow from the sequencer; those of a reprocess
        follow from what the record was before.
        """
        if traces.uploads:
            since = traces.uploads[-1]["LastModified"]
        else:
            since = datetime.fromisoformat((traces.record or {})["sourceLastModified"])
        since -= _CLOCKS_DIFFER
        newest = self.listed(most=_SEARCHED)
        listed = list(itertools.takewhile(lambda run: run["startDate"] >= since, newest))
        beginnings = traces.beginnings if traces.record or traces.is_unversioned else ()
        arns = [
            run["executionArn"]
            for run in listed
            if not restarts.is_of_an_upload(run["name"]) or run["name"].startswith(beginnings)
        ]
        if len(listed) < _SEARCHED and len(arns) <= _DESCRIBED:
            return arns, ""
        too_many = "Older executions that no upload has started are not shown: there are many."
        return arns[:_DESCRIBED], too_many


# Where a stack's executions are read.
Source = _StepFunctions | logged.Log


def source(
    clients: Clients,
    stack: Deployment,
    *,
    since: datetime | None = None,
    progress: logged.Progress | None = None,
) -> Source:
    """Return where a stack's executions are read.

    Parameters:
        since: of an EXPRESS stack, the log is not searched before it.
        progress: called with a sentence for each page of a log that was read.
    """
    if not stack.express:
        return _StepFunctions(clients, stack)
    # A stack of the same name may have been there before.
    moments = [moment for moment in (since, stack.created) if moment]
    since = max(moments, default=None)
    return logged.Log(clients, stack.state_machine_arn, stack.log, since=since, progress=progress)


def execution(clients: Clients, arn: str, definition: Mapping[str, Any] | None = None) -> Execution:
    """Return an execution by its history.

    Parameters:
        definition: the state machine as it is now; it saves a request to AWS, unless the execution
            was in a state that is not in it.

    Raises:
        UserError: it does not exist, or its history is not available.
    """
    if ":express:" in arn:
        return logged.of_execution(clients, arn).execution(arn, definition)
    states = clients.stepfunctions
    try:
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events: list[Any] = list(pages.search("events[]"))
        if definition is not None:
            current = history.read(arn, events, definition)
            if current.states.keys() == {state.name for state in current.machine.walk()}:
                return current
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


def runs(clients: Clients, arns: Sequence[str], read_by: Source | None = None) -> list[Run]:
    """Return the executions with all that belongs to them, in the order of their ARNs.

    Parameters:
        read_by: what has listed them, if anything has.

    Raises: as `execution`.
    """
    read = read_by.execution if read_by else partial(execution, clients)
    with warnings.catch_warnings(), ThreadPoolExecutor(_AT_A_TIME) as pool:
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the page says its size
        executions = list(pool.map(read, arns))
        functions = _Functions(clients, executions)
        return list(pool.map(lambda execution: _run(clients, execution, functions), executions))


class _Functions:
    """The functions that the executions called, and what they logged meanwhile."""

    def __init__(self, clients: Clients, executions: Sequence[Execution]) -> None:
        self.memory_mb: dict[str, int] = {}
        self.architecture = "x86_64"
        self.logged: dict[str, list[InvocationLog]] = {}
        self.table: str | None = None
        self.notes: list[str] = []
        attempts = (attempt for execution in executions for attempt in execution.attempts)
        resources = {attempt.resource for attempt in attempts}
        arns = (resource for resource in resources if ":function:" in resource)
        for name in sorted(set(map(invocations.function_name, arns))):
            first = min(execution.started for execution in executions) - _AROUND
            last = max(execution.known_until for execution in executions) + _AROUND
            try:
                function = deployed.function(clients, name)
                self.memory_mb[name] = function.memory_mb
                self.architecture = function.architecture
                self.table = function.settings.get("TABLE_NAME", self.table)
                events = storage.log_events(clients, function.log_group, first, last)
                self.logged[name] = invocations.read(events)
            except (UserError, BotoCoreError, ClientError) as error:
                sentence = user_errors.sentence(error)
                self.notes.append(f"The logs of {name} are missing. {sentence}")


def _run(clients: Clients, execution: Execution, functions: _Functions) -> Run:
    notes = [execution.not_logged] if execution.not_logged else []
    run = Run(execution, architecture=functions.architecture, notes=[*notes, *functions.notes])
    key = str(execution.source.get("key", ""))
    for name, state in execution.states.items():
        if not state.attempts:
            continue
        function = invocations.function_name(state.attempts[0].resource)
        logged = functions.logged.get(function, [])
        run.logs[name] = invocations.match(state.attempts, logged, key)
        run.invocations += [
            Invocation(
                function,
                log.ms,
                log.memory_mb or functions.memory_mb[function],
                "Lambda" if log.billed_ms else "function",
            )
            for log in run.logs[name]
            if log.ms
        ]
    estimated = invocations.estimate(execution, functions.memory_mb)
    if len(run.invocations) < len(estimated):
        run.invocations = estimated
    if key and functions.table:
        try:
            run.record = storage.record(clients, functions.table, key)
        except (BotoCoreError, ClientError) as error:
            run.notes.append(f"The table could not be read. {user_errors.sentence(error)}")
    run.pictures = list(pictures(clients, execution))
    return run


def pictures(clients: Clients, execution: Execution) -> Iterable[Picture]:
    """Yield the original, from wherever it is now, and what was made of it."""
    written = execution.objects
    if original := written.get("Original") or execution.source:
        yield _picture(clients, "Original", original, execution)
    if made := written.get("PNG"):
        yield _picture(clients, format_of(made), made, execution)
        for further in made.get("renditions", ()):
            yield _picture(clients, further["name"], further, execution)


def _picture(clients: Clients, role: str, where: dict[str, Any], execution: Execution) -> Picture:
    place = f"s3://{where['bucket']}/{where['key']}"
    version = {"VersionId": where["versionId"]} if where.get("versionId") else {}
    try:
        answer = clients.s3.get_object(Bucket=where["bucket"], Key=where["key"], **version)
    except ClientError as error:
        gone = storage.is_gone(error)
        note = "It no longer exists." if gone else user_errors.sentence(error)
        return Picture(role, place, int(where.get("size") or 0), note=note)
    picture = Picture(role, place, answer["ContentLength"], answer.get("ContentType", ""))
    with answer["Body"] as body:
        if picture.size > _LONGEST_DOWNLOAD:
            return replace(picture, note="It is too large for a preview.")
        shown = thumbnails.with_preview(picture, body.read())
    if role == "Original" and execution.kind == NOT_A_JPEG:
        return replace(picture, note=shown.note or "It is not a JPEG.")
    # The preview's decoder takes some damaged images for whole ones.
    if shown.preview and not shown.damaged and execution.error == DamagedImage.__name__:
        return thumbnails.damaged(shown)
    return shown
