"""What one execution used, read from AWS or from the local one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from scripts.cost.model import item_bytes
from scripts.lib import deployed, functions, storage
from scripts.lib.aws import Clients
from scripts.lib.executions import collect, invocations
from scripts.lib.executions.events import HistoryEvent
from scripts.lib.executions.model import Execution
from scripts.lib.executions.run import StateTime, times_by_state
from scripts.lib.user_errors import UserError

# What CloudWatch Logs adds to each event:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
_LOG_EVENT_OVERHEAD: Final = 26
# What Step Functions appends to the ARN of an EXPRESS execution: a colon and a UUID.
_RUN_OF_EXPRESS: Final = ":00000000-0000-0000-0000-000000000000"

# What Lambda logs of each invocation, as text or as JSON.
_SYSTEM_LINE: Final = re.compile(r'(START|END|REPORT) RequestId: |\{.*"type": ?"platform\.')

LOCAL: Final = "the local AWS"
# What one execution used there; `python -m tests.support.recordings.record_cost` records it again.
RECORDED: Final = Path(__file__).with_name("recorded.json")
# How long before and after an execution its functions may have logged.
_AROUND: Final = timedelta(seconds=30)


@dataclass(frozen=True)
class Call:
    """One call of a function.

    Attributes:
        function: its name in the code, such as resize_image.
        memory_mb: its memory.
        billed_ms: what was charged, or would be.
        log_bytes: what it logged, Lambda's own lines among it.
        system_bytes: of these, what Lambda's own lines are.
    """

    function: str
    memory_mb: int
    billed_ms: float
    log_bytes: int
    system_bytes: int = 0


@dataclass(frozen=True)
class Observation:
    """What an execution used.

    Attributes:
        where: which AWS, in words.
        date: of the execution, ISO 8601.
        whole_processor: True where each billed_ms is processor time, measured on the local AWS;
            False where it is what Lambda reported as billed, or what the function measured.
        seconds: how long the execution took.
        transitions: of states, as AWS counts them.
        calls: of functions; the trigger's among them.
        history_bytes: of the execution's events, as EXPRESS would log them, with their data.
        history_bytes_bare: the same without data.
        record_bytes: of the item in the table.
        jpeg_bytes, png_bytes: of the image.
        megapixels: of the image, in 10^6.
        executions: how many the times are of.
        times: how long each state takes.
        further_renditions: how many images were made besides the first.
        further_bytes: of all of them.
    """

    where: str
    date: str
    whole_processor: bool
    seconds: float
    transitions: int
    calls: tuple[Call, ...]
    history_bytes: int
    history_bytes_bare: int
    record_bytes: int
    jpeg_bytes: int
    png_bytes: int
    megapixels: float
    executions: int = 1
    times: tuple[StateTime, ...] = ()
    further_renditions: int = 0
    further_bytes: int = 0


def read(file: Path) -> Observation:
    """Return an observation that was written.

    Raises:
        OSError, ValueError, TypeError: there is no such file, or it does not hold an observation.
    """
    fields = json.loads(file.read_text(encoding="utf-8"))
    calls = tuple(Call(**call) for call in fields.pop("calls"))
    times = tuple(StateTime(**time) for time in fields.pop("times"))
    return Observation(**fields, calls=calls, times=times)


def observe(clients: Clients, arn: str, *, local: bool) -> Observation:
    """Return what an execution used.

    Parameters:
        clients: of the AWS that it ran on.
        arn: the execution's.
        local: whether that AWS is the local one.

    Raises:
        UserError: there is no such execution, it has not succeeded, or no JPEG was converted.
        BotoCoreError, ClientError: AWS cannot be asked.
    """
    [run] = collect.runs(clients, [arn])
    execution = run.execution
    if execution.kind != "converted":
        raise UserError(
            f"The image of execution {execution.name} was not converted at the first attempt "
            f"({execution.kind}). Name an execution that did convert a JPEG at the first attempt."
        )
    original, png = run.pictures[:2]
    logged = [log_line(arn, event, with_data=True) for event in execution.events]
    bare = [log_line(arn, event, with_data=False) for event in execution.events]
    return Observation(
        where=LOCAL if local else f"AWS, {clients.stepfunctions.meta.region_name}",
        date=execution.started.date().isoformat(),
        whole_processor=False,
        seconds=round(execution.seconds, 3),
        transitions=execution.transitions,
        calls=tuple(_calls(clients, execution)),
        history_bytes=_ingested(logged),
        history_bytes_bare=_ingested(bare),
        record_bytes=item_bytes(run.record or {}),
        jpeg_bytes=original.size,
        png_bytes=png.size,
        megapixels=round(png.width * png.height / 1e6, 3),
        times=times_by_state([run]),
        further_renditions=len(run.pictures) - 2,
        further_bytes=sum(picture.size for picture in run.pictures[2:]),
    )


def log_line(arn: str, event: HistoryEvent, *, with_data: bool) -> str:
    """Return an event of an execution as Step Functions logs it for EXPRESS.

    The local AWS has spaces in the states' JSON, which AWS does not write; only what a function
    answers is passed on as the function wrote it.
    """
    details = dict(event.details)
    if event.type != "LambdaFunctionSucceeded":
        for name in details.keys() & {"input", "output"}:
            details[name] = _compact(json.loads(details[name]))
    express = arn.replace(":execution:", ":express:", 1)
    logged_as = express if express == arn else express + _RUN_OF_EXPRESS
    compact = replace(event, details=details)
    return _compact(compact.logged(logged_as, with_data=with_data))


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _ingested(lines: Iterable[str]) -> int:
    """Return the bytes that CloudWatch Logs charges for."""
    return sum(len(line.encode()) + _LOG_EVENT_OVERHEAD for line in lines)


def _calls(clients: Clients, execution: Execution) -> Iterator[Call]:
    """Yield what each function logged of its call; the trigger's, too.

    Raises:
        UserError: a log does not have it.
    """
    attempts = {
        invocations.function_name(attempt.resource): [attempt]
        for state in execution.states.values()
        for attempt in state.attempts
    }
    stack = next(iter(attempts)).removesuffix("-get-file-type")
    first = execution.started - _AROUND
    last = (execution.ended or datetime.now(UTC)) + _AROUND
    for function in (functions.TRIGGER, *functions.TASKS):
        about = deployed.function(clients, f"{stack}-{functions.on_aws(function)}")
        events = storage.log_events(clients, about.log_group, first, last)
        logged = invocations.read(events)
        if about.name in attempts:
            own = invocations.match(attempts[about.name], logged, execution.key)
        else:  # the trigger, which no state calls
            own = [log for log in logged if execution.key in log.keys]
        if not own or not own[0].ms:
            raise UserError(
                f"{about.log_group} does not have how long {about.name} took for this image. Its "
                "logs may have expired, or may arrive in a minute; log_level must be INFO."
            )
        messages = [event["message"] for event in events]
        all_lines = _ingested(messages) // len(logged)
        system_lines = _ingested(filter(_SYSTEM_LINE.match, messages)) // len(logged)
        yield Call(function, about.memory_mb, own[0].ms, all_lines, system_lines)
