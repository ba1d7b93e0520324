"""The bill of this pipeline, from what an execution of it used."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from scripts.cost import model, prices
from scripts.cost.model import (
    DYNAMODB_MS,
    GB,
    MILLION,
    S3_MS,
    S3_REQUESTS,
    STATES_MS,
    Architecture,
    Bill,
    Line,
    Work,
    gb_seconds,
)
from scripts.cost.observation import Call, Observation
from scripts.cost.prices import Price
from scripts.lib.functions import TASKS

_WAITING_ELSEWHERE: Final = {"trigger": STATES_MS, "write_to_dynamodb": DYNAMODB_MS}

# S3 sends a message, Lambda receives and deletes it; in a flood it does so for ten at a time.
_QUEUE_REQUESTS: Final = 3
# X-Ray's default rule keeps one request a second and a twentieth of the others. The execution is a
# part of the trigger's trace.
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
_SAMPLED: Final = 0.05
_TRACES: Final = 1

# https://aws.amazon.com/step-functions/pricing/, examples 3 and 4.
_EXPRESS_BASE_MB: Final = 50
_EXPRESS_CHUNK_MB: Final = 64
_EXPRESS_CHUNK_SECONDS: Final = 0.1
_BRANCHES: Final = 2
EXPRESS_EXECUTION: Final = Line("EXPRESS executions", 1, prices.EXPRESS_REQUEST, "workflow_type")
# From the end of one state to the call of the next.
_BETWEEN_STATES_MS: Final = 25

_HTTP_API_CHUNK: Final = 512 * 1024
_UPLOAD_MEMORY_MB: Final = 512
_UPLOAD_WORK: Final = Work(processor_ms=15, waiting_ms=S3_MS)
# What each of two WebPs adds to an image of 2 megapixels, and the bytes of both: measured on
# 2026-11-27 with two photographs of the benchmark.
_WEBP_MS: Final = 70
_WEBPS_BYTES: Final = 78_000
_RENDITION_BYTES: Final = 500  # in the record
# START, END and REPORT of an invocation, and a line of the function's own.
_SYSTEM_BYTES: Final = 335
_OWN_BYTES: Final = 150


@dataclass(frozen=True)
class Settings:
    """Terraform's variables, as far as they move the bill; the defaults are Terraform's.

    Attributes:
        memory_mb: memory of single functions, where it is not what was observed.
        events: whether an event is sent for each image.
        existing_source_bucket: whether S3 sends an event for each object to a bus.
        two_webps: whether `renditions` adds WebPs of 1280 and 320 pixels to the PNG.
        system_log_level: None is INFO for STANDARD and WARN for EXPRESS.
        state_machine_log_level: None is ERROR for STANDARD and ALL for EXPRESS.
        state_machine_log_class: None is INFREQUENT_ACCESS for EXPRESS without events.
    """

    workflow_type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
    architecture: Architecture = "arm64"
    tracing: bool = True
    log_level: Literal["INFO", "ERROR"] = "INFO"
    system_log_level: Literal["INFO", "WARN"] | None = None
    state_machine_log_level: Literal["ALL", "ERROR"] | None = None
    state_machine_log_execution_data: bool = True
    state_machine_log_class: Literal["STANDARD", "INFREQUENT_ACCESS"] | None = None
    memory_mb: Mapping[str, int] = field(default_factory=dict)
    events: bool = False
    existing_source_bucket: bool = False
    two_webps: bool = False

    @property
    def further_renditions(self) -> int:
        """How many images are made besides the PNG."""
        return 2 if self.two_webps else 0

    @property
    def log_gb(self) -> Price:
        """What a GB of the state machine's log costs."""
        express = self.workflow_type == "EXPRESS" and not self.events
        default = "INFREQUENT_ACCESS" if express else "STANDARD"
        infrequent = (self.state_machine_log_class or default) == "INFREQUENT_ACCESS"
        return prices.LOG_GB_INFREQUENT if infrequent else prices.LOG_GB

    @property
    def logs_invocations(self) -> bool:
        """Whether Lambda itself logs each invocation."""
        default = "WARN" if self.workflow_type == "EXPRESS" else "INFO"
        return (self.system_log_level or default) == "INFO"

    @property
    def logs_all_events(self) -> bool:
        """Whether each event of an execution that succeeds is logged."""
        default = "ALL" if self.workflow_type == "EXPRESS" else "ERROR"
        return (self.state_machine_log_level or default) == "ALL"


def bill(seen: Observation, settings: Settings, name: str) -> Bill:
    """Return what a million images like the observed one cost.

    Args:
        seen: what one used.
        settings: of the deployment to calculate for.
        name: what to call it.
    """
    writes, reads, _ = map(sum, zip(*S3_REQUESTS.values(), strict=True))
    further = seen.further_renditions or settings.further_renditions
    durations = {call.function: milliseconds(call, seen, settings) for call in seen.calls}
    seconds = sum(
        gb_seconds(_memory(call, settings), durations[call.function]) for call in seen.calls
    )
    converting = (
        *_workflow(seen, settings, durations),
        *model.usage(
            seconds,
            settings.architecture,
            len(seen.calls),
            s3=(writes + further, reads + bool(further)),  # the first is looked for
            table_units=model.table_writes(
                seen.record_bytes + settings.further_renditions * _RENDITION_BYTES
            ),
        ),
        Line("Queue", _QUEUE_REQUESTS, prices.QUEUE_REQUEST),
        Line(
            "Logs of functions",
            _function_logs(seen, settings) / GB,
            prices.LOG_GB,
            "log_level, system_log_level",
        ),
        Line(
            "Logs of executions",
            _execution_log(seen, settings) / GB,
            settings.log_gb,
            "state_machine_log_level, state_machine_log_execution_data, state_machine_log_class",
        ),
        Line("Events", int(settings.events), prices.EVENT, "events"),
        Line(
            "Events of S3",
            int(settings.existing_source_bucket),
            prices.EVENT,
            "existing_source_bucket",
        ),
        Line("Traces", _TRACES * _SAMPLED if settings.tracing else 0, prices.TRACE, "tracing"),
    )
    return Bill(
        name,
        tuple(line for line in converting if line.quantity),
        _upload(seen, settings),
        _storage(seen, settings),
    )


def _workflow(
    seen: Observation, settings: Settings, durations: Mapping[str, float]
) -> tuple[Line, ...]:
    if settings.workflow_type == "STANDARD":
        return (model.transitions(seen.transitions),)
    seconds = seen.seconds
    if seen.whole_processor:
        together = max(durations["copy_file"], durations["resize_image"])
        in_turn = (durations[task] for task in TASKS if task not in ("copy_file", "resize_image"))
        between = seen.transitions * _BETWEEN_STATES_MS
        seconds = (together + sum(in_turn) + between) / 1000
    return (
        EXPRESS_EXECUTION,
        express_time(seconds, seen.definition_bytes, seen.payload_bytes),
    )


def express_time(seconds: float, definition_bytes: int, payload_bytes: int) -> Line:
    """Return what an EXPRESS execution of that length is charged for.

    Args:
        seconds: how long it took.
        definition_bytes: of the state machine.
        payload_bytes: of the largest state.
    """
    data_mb = (definition_bytes + _BRANCHES * payload_bytes) / 1024**2
    chunks = math.ceil((_EXPRESS_BASE_MB + data_mb) / _EXPRESS_CHUNK_MB)
    billed = math.ceil(round(seconds / _EXPRESS_CHUNK_SECONDS, 6)) * _EXPRESS_CHUNK_SECONDS
    quantity = chunks * _EXPRESS_CHUNK_MB / 1024 * billed
    return Line("EXPRESS time", quantity, prices.EXPRESS_GB_SECOND, unit="GB-s")


def _memory(call: Call, settings: Settings) -> int:
    return settings.memory_mb.get(call.function, call.memory_mb)


def milliseconds(call: Call, seen: Observation, settings: Settings) -> float:
    """Return how long a call takes on Lambda: as it was reported, or from its processor time."""
    if not seen.whole_processor:
        return call.billed_ms
    requests, work = sum(S3_REQUESTS.get(call.function, ())), call.billed_ms
    if call.function == "resize_image":
        requests += settings.further_renditions + bool(settings.further_renditions)
        work += _WEBP_MS * settings.further_renditions
    waiting = requests * S3_MS
    waiting += _WAITING_ELSEWHERE.get(call.function, 0)
    return Work(work, waiting).duration_ms(_memory(call, settings))


def _function_logs(seen: Observation, settings: Settings) -> int:
    own = sum(call.log_bytes - call.system_bytes for call in seen.calls)
    # Where Lambda itself has logged nothing, as much as it usually does.
    system = sum(call.system_bytes or _SYSTEM_BYTES for call in seen.calls)
    return own * (settings.log_level == "INFO") + system * settings.logs_invocations


def _execution_log(seen: Observation, settings: Settings) -> int:
    if not settings.logs_all_events:
        return 0
    with_data = settings.state_machine_log_execution_data
    return seen.history_bytes if with_data else seen.history_bytes_bare


def _upload(seen: Observation, settings: Settings) -> tuple[Line, ...]:
    time = gb_seconds(_UPLOAD_MEMORY_MB, _UPLOAD_WORK.duration_ms(_UPLOAD_MEMORY_MB))
    api = Line("HTTP API", math.ceil(seen.jpeg_bytes / _HTTP_API_CHUNK), prices.HTTP_API)
    log_bytes = _OWN_BYTES + _SYSTEM_BYTES * settings.logs_invocations
    return model.upload(api, time, settings.architecture, log_bytes, "log_level, system_log_level")


def _storage(seen: Observation, settings: Settings) -> tuple[Line, ...]:
    further = seen.further_bytes or settings.two_webps * _WEBPS_BYTES
    renditions = Line("Further renditions", further / GB, prices.S3_GB_MONTH, "renditions")
    return (
        Line("PNGs", seen.png_bytes / GB, prices.S3_GB_MONTH, "png_compression"),
        Line("Originals", seen.jpeg_bytes / GB, prices.S3_GB_MONTH),
        Line(
            "Deleted originals, recoverable",
            seen.jpeg_bytes / GB,  # for 30 days, the default: a month
            prices.S3_GB_MONTH,
            "noncurrent_version_expiration_days",
        ),
        *((renditions,) if further else ()),
    )


def by_memory(
    seen: Observation, function: str, memories: Iterable[int]
) -> Iterable[tuple[int, float, float]]:
    """Yield memory sizes, how long a function takes with each, and what a million calls cost."""
    [call] = [call for call in seen.calls if call.function == function]
    for memory in memories:
        settings = Settings(memory_mb={function: memory})
        ms = milliseconds(call, seen, settings)
        gb_second = prices.LAMBDA_GB_SECOND[settings.architecture].dollars
        yield memory, ms, gb_seconds(memory, ms) * gb_second * MILLION


def savings(seen: Observation, settings: Settings) -> Iterable[tuple[str, float]]:
    """Yield what each function costs for a million images: its time, its calls, its log.

    That would be saved if Step Functions called S3 and DynamoDB itself.
    """
    for call in seen.calls:
        log_bytes = _function_logs(dataclasses.replace(seen, calls=(call,)), settings)
        seconds = gb_seconds(call.memory_mb, milliseconds(call, seen, settings))
        dollars = (
            seconds * prices.LAMBDA_GB_SECOND[settings.architecture].dollars
            + prices.LAMBDA_REQUEST.dollars
            + log_bytes / GB * prices.LOG_GB.dollars
        )
        yield call.function, dollars * MILLION
