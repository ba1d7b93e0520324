"""Reduces botocore's data to what the functions call.

botocore reads the models of a service when a client is made, compressed, with every operation and
every word of documentation: for the services here that is most of a cold start.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import DataNotFoundError
from botocore.loaders import Loader

from scripts.package import PackageError

# What the functions' own code calls; tests/scripts/package/test_models.py compares the two.
CALLED: Final[Mapping[str, frozenset[str]]] = {
    "s3": frozenset(
        {
            "AbortMultipartUpload",
            "CompleteMultipartUpload",
            "CopyObject",
            "CreateMultipartUpload",
            "DeleteObject",
            "GetObject",
            "GetObjectTagging",
            "HeadObject",
            "ListObjectVersions",
            "PutObject",
            "UploadPartCopy",
        }
    ),
    "dynamodb": frozenset({"GetItem", "PutItem"}),
    "events": frozenset({"PutEvents"}),
    "stepfunctions": frozenset({"DescribeExecution", "StartExecution"}),
}

# What botocore calls by itself: where a bucket lives once S3 says that it is elsewhere, a session
# for a directory bucket, and the endpoints that DynamoDB's model lets a client discover. It takes
# the address of an upload form from CreateBucket, and calls that nowhere.
BY_ITSELF: Final[Mapping[str, frozenset[str]]] = {
    "s3": frozenset({"CreateBucket", "CreateSession", "HeadBucket"}),
    "dynamodb": frozenset({"DescribeEndpoints"}),
}

_MODEL: Final = "service-2"
# The files of a service that a client reads; waiters and paginators are read when asked for.
_READ_BY_CLIENTS: Final = (_MODEL, "endpoint-rule-set-1")
_DOCUMENTATION: Final = frozenset({"documentation", "documentationUrl"})
_DOCUMENTED: Final = "clientContextParams"

Json = dict[str, Any]


def reduce_data(data: Path) -> None:
    """Keep in botocore's data the operations and the services that are called, uncompressed.

    Parameters:
        data: the folder botocore/data of the unpacked layer.

    Raises:
        PackageError: this botocore lacks a service or an operation.
    """
    files: dict[Path, Json] = {}
    for service in CALLED:
        files |= _service(data, service)
    prefixes = {
        content["metadata"]["endpointPrefix"]
        for file, content in files.items()
        if file.stem == _MODEL
    }
    endpoints = json.loads((data / "endpoints.json").read_text("utf-8"))
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in prefixes}
    files[data / "endpoints.json"] = endpoints
    for folder in [path for path in data.iterdir() if path.is_dir()]:
        shutil.rmtree(folder)
    for file, content in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def reduce_model(model: Json, operations: frozenset[str]) -> Json:
    """Return a service's model with these operations and what they refer to.

    Raises:
        KeyError: the model lacks an operation.
    """
    kept = {name: model["operations"][name] for name in sorted(operations)}
    shapes: Json = {}
    wanted = list(referred(kept))
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            wanted += referred(shapes[name])
    ordered = {name: shapes[name] for name in sorted(shapes)}
    return {**model, "operations": kept, "shapes": ordered}


def referred(value: Any) -> Iterator[str]:
    """Yield the name of each shape that a part of a model refers to, as often as it does."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "shape" and isinstance(inner, str):
                yield inner
            else:
                yield from referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from referred(inner)


def without_documentation(value: Any) -> Any:
    """Return JSON without what is written for readers.

    A structure may have a member of that name; what is written for readers is always a string. That
    of the client's parameters botocore reads, and fails where there is none.
    """
    if isinstance(value, dict):
        return {
            name: inner if name == _DOCUMENTED else without_documentation(inner)
            for name, inner in value.items()
            if not (name in _DOCUMENTATION and isinstance(inner, str))
        }
    if isinstance(value, list):
        return [without_documentation(inner) for inner in value]
    return value


def _service(data: Path, service: str) -> dict[Path, Json]:
    """Return the reduced files of a service's newest version, as botocore itself reads them."""
    loader = Loader(extra_search_paths=[str(data)], include_default_search_paths=False)
    operations = CALLED[service] | BY_ITSELF.get(service, frozenset())
    try:
        version = loader.determine_latest_version(service, _MODEL)
        read = {
            kind: loader.load_service_model(service, kind, version) for kind in _READ_BY_CLIENTS
        }
        read[_MODEL] = reduce_model(read[_MODEL], operations)
    except (DataNotFoundError, KeyError) as error:
        raise PackageError(
            f"The pinned botocore does not know {error} of {service}, which the functions call. "
            "Pin another version in requirements/layer.in, then run make requirements."
        ) from error
    return {
        data / service / version / f"{kind}.json": without_documentation(content)
        for kind, content in read.items()
    }
