"""What a deployment shows of AWS, in a form that two deployments can be compared in.

Only forms are kept (which fields there are, and of which type), and values that every deployment
should share; no name, no time and no identifier.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from image_converter import locations
from scripts.lib import functions
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions.model import Execution
from scripts.lib.text import json_object

Facts = Mapping[str, str]

# What the local AWS shows; `make smoke` compares with it. After a change that is meant:
# make smoke against the local AWS, then cp build/smoke/observed.json scripts/smoke/local.json
LOCAL = Path(__file__).parent / "local.json"

_VALUES_OF_OBJECT = ("ServerSideEncryption", "BucketKeyEnabled", "ContentType")
_SETTINGS = ("PackageType", "LastUpdateStatus", "State")
# The client's own, not the service's.
_NOT_COMPARED = frozenset({"ResponseMetadata", "Body"})


def observe(clients: Clients, stack: Deployment, execution: Execution) -> dict[str, str]:
    """Return what can be seen of a deployment that has converted an image.

    Parameters:
        clients: of the account.
        stack: the deployment.
        execution: the one that converted the image.
    """
    event = json_object(execution.input)
    png = locations.resized_of(execution.result)["key"]
    head = clients.s3.head_object(Bucket=stack.destination_bucket, Key=png)
    record = clients.dynamodb.get_item(
        TableName=stack.table_name, Key={"imageName": {"S": execution.key}}
    )
    function = clients.functions.get_function_configuration(
        FunctionName=f"{stack.name}-{functions.on_aws('resize_image')}"
    )
    seen = {
        "event": event,
        "output": execution.result,
        "record": record.get("Item"),
        "png": {name: value for name, value in head.items() if name not in _NOT_COMPARED},
    }
    facts = {path: kind for name, value in seen.items() for path, kind in _shapes(name, value)}
    facts |= {f"png.{name}": str(head.get(name)) for name in _VALUES_OF_OBJECT}
    facts |= {f"function.{name}": str(function.get(name)) for name in _SETTINGS}
    facts |= {f"history.{event.type}": "happens" for event in execution.events}
    return dict(sorted(facts.items()))


def differences(facts: Facts, local: Facts) -> list[str]:
    """Return in what a deployment differs from the local one, a line each."""
    lines = []
    for path in sorted(facts.keys() | local.keys()):
        here, there = facts.get(path), local.get(path)
        if here != there:
            lines.append(f"{path}: {here or 'not here'} (local: {there or 'not there'})")
    return lines


def local() -> Facts:
    """Return what the local AWS shows, as it was recorded."""
    facts: Facts = json.loads(LOCAL.read_text(encoding="utf-8"))
    return facts


def write(facts: Facts, file: Path) -> None:
    """Write what was seen to a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _shapes(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield every leaf's path with its type; metadata's names are the project's own."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _shapes(f"{path}.{name}", inner)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _shapes(f"{path}[]", inner)
    else:
        yield path, type(value).__name__
