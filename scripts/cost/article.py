"""The bill of the article's design, as it is written.

Its seven functions run on Node.js with what the Serverless Framework gives them where nothing is
said: 1,024 MB (https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml), on
x86_64. S3 calls the trigger itself, the API is a REST API (`http` event), the buckets are not
versioned, nothing is traced, and executions are not logged. Services take as long to answer as they
take this pipeline.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from scripts.cost import model, prices
from scripts.cost.model import GB, WHOLE_PROCESSOR_MB, Bill, Line, Work, gb_seconds
from scripts.cost.observation import Observation

# GetFileType, CheckFileType, ProcessFile, CopyToDestination, ResizeImage, WriteToDynamoDb,
# DeleteSourceFile.
TRANSITIONS: Final = 7
MEMORY_MB: Final = 1024
ARCHITECTURE: Final = "x86_64"
TASK_TIMEOUT_SECONDS: Final = 3

# A call of the AWS SDK for JavaScript: serialise, sign, TLS, parse.
_PROCESSOR_MS_OF_A_CALL: Final = 5
_WAITING: Final[Mapping[str, tuple[int, ...]]] = {
    "trigger": (model.STATES_MS,),
    "get_file_type": (),
    "copy_file": (model.S3_MS,),
    "resize_image": (model.S3_MS, model.S3_MS),
    "write_to_dynamodb": (model.DYNAMODB_MS,),
    "delete_file": (model.S3_MS,),
}
_LOG_BYTES_OF_A_CALL: Final = 400  # START, END, REPORT


@dataclass(frozen=True)
class ImageMagick:
    """What ImageMagick takes, measured by `make bench`.

    Attributes:
        ms_per_megapixel: of a whole processor.
        size_ratio: of its PNGs to this pipeline's.
    """

    ms_per_megapixel: float
    size_ratio: float


# The first measurement, of November 2026. Later ones are in docs/speed.md.
MEASURED: Final = ImageMagick(ms_per_megapixel=420.0, size_ratio=0.993 / 1.086)


def bill(seen: Observation, engine: ImageMagick) -> Bill:
    """Return what a million images like the observed one cost with the article's design.

    Args:
        seen: what one used with this pipeline; the image's size counts.
        engine: what converts.
    """
    time = sum(gb_seconds(MEMORY_MB, ms) for ms in milliseconds(seen, engine).values())
    calls = len(_WAITING)
    upload_ms = Work(2 * _PROCESSOR_MS_OF_A_CALL, model.S3_MS).duration_ms(MEMORY_MB)
    return Bill(
        "The article",
        (
            model.transitions(TRANSITIONS),
            *model.usage(time, ARCHITECTURE, calls, s3=(2, 1), table_units=1),
            Line("Logs of functions", calls * _LOG_BYTES_OF_A_CALL / GB, prices.LOG_GB),
        ),
        model.upload(
            Line("REST API", 1, prices.REST_API),
            gb_seconds(MEMORY_MB, upload_ms),
            ARCHITECTURE,
            _LOG_BYTES_OF_A_CALL,
        ),
        (
            Line("PNGs", seen.png_bytes * engine.size_ratio / GB, prices.S3_GB_MONTH),
            Line("Originals", seen.jpeg_bytes / GB, prices.S3_GB_MONTH),
        ),
    )


def milliseconds(seen: Observation, engine: ImageMagick) -> dict[str, float]:
    """Return how long each function takes."""
    works = {
        function: Work(_PROCESSOR_MS_OF_A_CALL * len(waits), sum(waits))
        for function, waits in _WAITING.items()
    }
    converting = works["resize_image"]
    works["resize_image"] = Work(
        converting.processor_ms + engine.ms_per_megapixel * seen.megapixels, converting.waiting_ms
    )
    return {function: work.duration_ms(MEMORY_MB) for function, work in works.items()}


def largest_megapixels(engine: ImageMagick) -> float:
    """Return the size of image that is converted before its state times out."""
    available = TASK_TIMEOUT_SECONDS * 1000 - sum(_WAITING["resize_image"])
    share = MEMORY_MB / WHOLE_PROCESSOR_MB
    return available * share / engine.ms_per_megapixel
