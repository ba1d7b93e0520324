"""The bill of this pipeline, from what an execution of it used."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from scripts.cost import model
from scripts.cost.model import GB, S3_MS, S3_REQUESTS, Bill, duration_ms, gb_seconds, lines
from scripts.cost.observation import Call, Observation
from scripts.lib.functions import TASKS

_WAITING_ELSEWHERE: Final = {"trigger": model.STATES_MS, "write_to_dynamodb": model.DYNAMODB_MS}

# S3 sends a message, Lambda receives and deletes it; in a flood it does so for ten at a time.
_QUEUE_REQUESTS: Final = 3
# X-Ray's default rule keeps one request a second and a twentieth of the others. The execution is a
# part of the trigger's trace.
# https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
_TRACES: Final = 0.05

# https://aws.amazon.com/step-functions/pricing/, examples 3 and 4: AWS rounds the memory up to
# multiples of 64 MB. An execution has 50 MB and its data, which here are the definition, of 1 MB at
# most, and for each of two branches what a state passes on, of 256 KB at most.
_EXPRESS_MB: Final = 64
_EXPRESS_CHUNK_SECONDS: Final = 0.1
# From the end of one state to the call of the next.
_BETWEEN_STATES_MS: Final = 25

_HTTP_API_CHUNK: Final = 512 * 1024
_UPLOAD_MEMORY_MB: Final = 512
_UPLOAD_PROCESSOR_MS: Final = 15
# What each of two WebPs adds to an image of 2 megapixels, and the bytes of one: measured on
# 2026-11-27 with two photographs of the benchmark.
_WEBP_MS: Final = 70
_WEBP_BYTES: Final = 39_000
_RENDITION_BYTES: Final = 500  # in the record
# START, END and REPORT of an invocation, and a line of the function's own.
_SYSTEM_BYTES: Final = 335
_OWN_BYTES: Final = 150

_CHARGED_BY_FUNCTION: Final = ("Function time", "Function calls", "Logs of functions")


@dataclass(frozen=True)
class Settings:
    """Terraform's variables, as far as they change the bill; the defaults are those of STANDARD.

    Attributes:
        memory_mb: memory of single functions, where it is not what was observed.
        events: whether an event is sent for each image; EXPRESS then needs a log of STANDARD.
        existing_source_bucket: whether S3 sends an event for each object to a bus.
        webps: how many WebPs `renditions` adds to the PNG, of 1280 and 320 pixels.
    """

    workflow_type: Literal["STANDARD", "EXPRESS"] = "STANDARD"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    tracing: bool = True
    log_level: Literal["INFO", "ERROR"] = "INFO"
    system_log_level: Literal["INFO", "WARN"] = "INFO"
    state_machine_log_level: Literal["ALL", "ERROR"] = "ERROR"
    state_machine_log_execution_data: bool = True
    state_machine_log_class: Literal["STANDARD", "INFREQUENT_ACCESS"] = "STANDARD"
    memory_mb: Mapping[str, int] = field(default_factory=dict)
    events: bool = False
    existing_source_bucket: bool = False
    webps: int = 0

    def memory(self, call: Call) -> int:
        """Return the memory of the function that was called."""
        return self.memory_mb.get(call.function, call.memory_mb)


# Terraform's defaults with either type of workflow.
STANDARD: Final = Settings()
EXPRESS: Final = Settings(
    workflow_type="EXPRESS",
    system_log_level="WARN",
    state_machine_log_level="ALL",
    state_machine_log_class="INFREQUENT_ACCESS",
)


def bill(seen: Observation, settings: Settings) -> Bill:
    """Return what a million images like the observed one cost.

    Parameters:
        seen: what one used.
        settings: of the deployment to calculate for.
    """
    writes = sum(requests.writes for requests in S3_REQUESTS.values())
    reads = sum(requests.reads for requests in S3_REQUESTS.values())
    renditions = seen.further_renditions or settings.webps
    converting = {
        **_workflow(seen, settings),
        "Function time": sum(
            gb_seconds(settings.memory(call), milliseconds(call, seen, settings))
            for call in seen.calls
        ),
        "Function calls": len(seen.calls),
        "S3: copies and PNGs": writes + renditions,
        "S3: GET and HEAD requests": reads + bool(renditions),  # the first is looked for
        "Table": model.table_writes(seen.record_bytes + settings.webps * _RENDITION_BYTES),
        "Queue": _QUEUE_REQUESTS,
        "Logs of functions": _function_logs(seen, settings) / GB,
        "Logs of executions": _execution_log(seen, settings) / GB,
        "Events": int(settings.events),
        "Events of S3": int(settings.existing_source_bucket),
        "Traces": _TRACES * settings.tracing,
    }
    upload_ms = duration_ms(_UPLOAD_MEMORY_MB, _UPLOAD_PROCESSOR_MS, S3_MS)
    upload = {
        "HTTP API": math.ceil(seen.jpeg_bytes / _HTTP_API_CHUNK),
        "Function time": gb_seconds(_UPLOAD_MEMORY_MB, upload_ms),
        "Function call": 1,
        "S3: the upload": 1,
        "Logs": (_OWN_BYTES + _SYSTEM_BYTES * (settings.system_log_level == "INFO")) / GB,
    }
    storage = {
        "PNGs": seen.png_bytes / GB,
        "Originals": seen.jpeg_bytes / GB,
        # For 30 days, the default: a month.
        "Deleted originals, recoverable": seen.jpeg_bytes / GB,
        "Further renditions": (seen.further_bytes or settings.webps * _WEBP_BYTES) / GB,
    }
    log_class = "STANDARD" if settings.events else settings.state_machine_log_class
    return Bill(
        settings.workflow_type,
        lines(model.CONVERTING, _used(converting), settings.architecture, log_class),
        lines(model.UPLOAD, upload, settings.architecture),
        lines(model.STORAGE, _used(storage)),
    )


def _used(quantities: Mapping[str, float]) -> dict[str, float]:
    return {what: quantity for what, quantity in quantities.items() if quantity}


def _workflow(seen: Observation, settings: Settings) -> dict[str, float]:
    if settings.workflow_type == "STANDARD":
        return {"State transitions": seen.transitions}
    seconds = seen.seconds
    if seen.whole_processor:
        takes = {call.function: milliseconds(call, seen, settings) for call in seen.calls}
        shorter_branch = min(takes["copy_file"], takes["resize_image"])
        between = seen.transitions * _BETWEEN_STATES_MS
        seconds = (sum(takes[task] for task in TASKS) - shorter_branch + between) / 1000
    return express(seconds)


def express(seconds: float) -> dict[str, float]:
    """Return what an EXPRESS execution of that length is charged for."""
    billed = math.ceil(round(seconds / _EXPRESS_CHUNK_SECONDS, 6)) * _EXPRESS_CHUNK_SECONDS
    return {"EXPRESS executions": 1, "EXPRESS time": gb_seconds(_EXPRESS_MB, billed * 1000)}


def milliseconds(call: Call, seen: Observation, settings: Settings) -> float:
    """Return how long a call takes on Lambda: as it was reported, or from its processor time."""
    if not seen.whole_processor:
        return call.billed_ms
    requests, processor_ms = sum(S3_REQUESTS.get(call.function, ())), call.billed_ms
    if call.function == "resize_image":
        requests += settings.webps + bool(settings.webps)
        processor_ms += _WEBP_MS * settings.webps
    waiting_ms = requests * S3_MS + _WAITING_ELSEWHERE.get(call.function, 0)
    return duration_ms(settings.memory(call), processor_ms, waiting_ms)


def function_costs(seen: Observation) -> dict[str, float]:
    """Return what each function costs for a million images: its time, its calls, its log.

    That would be saved if Step Functions called S3 and DynamoDB itself.
    """
    costs = {}
    for call in seen.calls:
        converting = bill(dataclasses.replace(seen, calls=(call,)), STANDARD).converting
        charged = (line for line in converting if line.what in _CHARGED_BY_FUNCTION)
        costs[call.function] = model.per_million(charged)
    return costs


def _function_logs(seen: Observation, settings: Settings) -> int:
    own = sum(call.log_bytes - call.system_bytes for call in seen.calls)
    # Where Lambda itself has logged nothing, as much as it usually does.
    system = sum(call.system_bytes or _SYSTEM_BYTES for call in seen.calls)
    return own * (settings.log_level == "INFO") + system * (settings.system_log_level == "INFO")


def _execution_log(seen: Observation, settings: Settings) -> int:
    if settings.state_machine_log_level == "ERROR":
        return 0  # of an execution that succeeds
    with_data = settings.state_machine_log_execution_data
    return seen.history_bytes if with_data else seen.history_bytes_bare
