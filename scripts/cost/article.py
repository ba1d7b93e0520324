"""The bill of the article's design, as it is written.

Its seven functions run on Node.js with what the Serverless Framework gives them where nothing is
said: 1,024 MB (https://www.serverless.com/framework/docs/providers/aws/guide/serverless.yml), on
x86_64. S3 calls the trigger itself, the API is a REST API (`http` event), the buckets are not
versioned, nothing is traced, and executions are not logged. Services take as long to answer as they
take this pipeline.
"""

from collections.abc import Mapping
from typing import Final

from scripts.cost import model
from scripts.cost.model import GB, S3_MS, Bill, duration_ms, gb_seconds, lines
from scripts.cost.observation import Observation

# GetFileType, CheckFileType, ProcessFile, CopyToDestination, ResizeImage, WriteToDynamoDb,
# DeleteSourceFile.
TRANSITIONS: Final = 7
MEMORY_MB: Final = 1024
ARCHITECTURE: Final = "x86_64"
TASK_TIMEOUT_SECONDS: Final = 3

# What ImageMagick takes of a whole processor, and the size of its PNGs compared with ours, by the
# first measurement of `make bench`, in November 2026. Later ones are in docs/speed.md.
MS_PER_MEGAPIXEL: Final = 420.0
SIZE_RATIO: Final = 0.993 / 1.086

# A call of the AWS SDK for JavaScript: serialise, sign, TLS, parse.
_PROCESSOR_MS_OF_A_CALL: Final = 5
# How long each function waits for each call of a service.
_WAITING: Final[Mapping[str, tuple[int, ...]]] = {
    "trigger": (model.STATES_MS,),
    "get_file_type": (),
    "copy_file": (S3_MS,),
    "resize_image": (S3_MS, S3_MS),
    "write_to_dynamodb": (model.DYNAMODB_MS,),
    "delete_file": (S3_MS,),
}
_LOG_BYTES_OF_A_CALL: Final = 400  # START, END, REPORT


def bill(seen: Observation) -> Bill:
    """Return what a million images like the observed one cost with the article's design."""
    seconds = 0.0
    for function, waits in _WAITING.items():
        processor_ms = float(_PROCESSOR_MS_OF_A_CALL * len(waits))
        if function == "resize_image":
            processor_ms += MS_PER_MEGAPIXEL * seen.megapixels
        seconds += gb_seconds(MEMORY_MB, duration_ms(MEMORY_MB, processor_ms, sum(waits)))
    converting = {
        "State transitions": TRANSITIONS,
        "Function time": seconds,
        "Function calls": len(_WAITING),
        "S3: copies and PNGs": 2,
        "S3: GET and HEAD requests": 1,
        "Table": 1,
        "Logs of functions": len(_WAITING) * _LOG_BYTES_OF_A_CALL / GB,
    }
    upload_ms = duration_ms(MEMORY_MB, 2 * _PROCESSOR_MS_OF_A_CALL, S3_MS)
    upload = {
        "REST API": 1,
        "Function time": gb_seconds(MEMORY_MB, upload_ms),
        "Function call": 1,
        "S3: the upload": 1,
        "Logs": _LOG_BYTES_OF_A_CALL / GB,
    }
    storage = {"PNGs": seen.png_bytes * SIZE_RATIO / GB, "Originals": seen.jpeg_bytes / GB}
    return Bill(
        "The article",
        lines(model.CONVERTING, converting, ARCHITECTURE),
        lines(model.UPLOAD, upload, ARCHITECTURE),
        lines(model.STORAGE, storage),
    )


def largest_megapixels() -> float:
    """Return the size of image that is converted before its state times out."""
    available = TASK_TIMEOUT_SECONDS * 1000 - sum(_WAITING["resize_image"])
    return available * MEMORY_MB / model.WHOLE_PROCESSOR_MB / MS_PER_MEGAPIXEL
