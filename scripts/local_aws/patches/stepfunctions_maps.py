"""Step Functions: Distributed Maps run batches, read inventories and write results, within limits.

Left to the emulator, a Map would ignore its ItemBatcher and its ResultWriter, and could not read
the manifest of an inventory.
Sources: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html,
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html and
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

import csv
import gzip
import io
import json
import math
import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import s3, stepfunctions

from scripts.local_aws.patches.answers import Call, Json
from scripts.local_aws.patches.around import around

# Of an input or output: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MAX_BYTES = 256 * 1024

# What an ItemBatcher may have here. AWS also takes the limits from paths.
_BATCHER_FIELDS = {"BatchInput", "MaxInputBytesPerBatch", "MaxItemsPerBatch"}
# What the emulator applies to a Map itself, or would apply to each batch.
_OF_OUTPUT = {"ResultSelector", "ResultPath", "OutputPath"}
_OF_ITEMS = {"ItemBatcher", "ItemReader", "ItemSelector", "ItemsPath"}
# What stands for the children of a status in the manifest of the results.
_STATUSES = ("FAILED", "PENDING", "SUCCEEDED")
# Of the emulator's execution: how many items its Maps in batches have, by their labels.
_BATCHED_ITEMS = "batchedItems"


def refusals(definition: str) -> list[str]:
    """Return what of a definition AWS would run, and the local AWS does not, in sentences.

    Parameters:
        definition: the JSON text of a definition that has no other faults.
    """
    machine = json.loads(definition)
    sentences = []
    for name, state in _states(machine):
        fields = state.get("ItemBatcher", {}).keys()
        refused = sorted(fields - _BATCHER_FIELDS)
        if fields and "JSONata" in (state.get("QueryLanguage"), machine.get("QueryLanguage")):
            refused.append("ItemBatcher with JSONata")
        sentences += [f"{name} has {field}, which the local AWS does not run" for field in refused]
    return sentences


def starts_express_children(definition: str) -> bool:
    """Return whether a Map of the definition runs its items as EXPRESS executions."""
    processors = (state.get("ItemProcessor", {}) for _, state in _states(json.loads(definition)))
    return any(
        processor.get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS"
        for processor in processors
    )


def _states(machine: Json) -> Iterator[tuple[str, Json]]:
    """Yield all states of a machine, those of branches and Maps too, with their names."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in (*state.get("Branches", []), state.get("ItemProcessor")):
            if inner:
                yield from _states(inner)


@around(stepfunctions._run_distributed_map)
def run_distributed_map(
    run_map: Call,
    state: Json,
    raw: object,
    effective: Any,
    iterator: Json,
    execution: Json,
    ctx: Json,
) -> tuple[object, str | None]:
    """Have a Map run its batches as items; write its results, or refuse one that is too large."""
    earlier = set(stepfunctions._map_runs)
    label, writer = state.get("Label") or str(uuid.uuid4()), state.get("ResultWriter")
    handled, items = _OF_OUTPUT, effective
    if "ItemBatcher" in state:
        handled, items = _OF_OUTPUT | _OF_ITEMS, _batched(state, effective, execution, label, ctx)
    plain = {name: value for name, value in state.items() if name not in handled}

    def write_results() -> Json | None:
        run = _begun(execution, label, earlier)
        return _write(writer, run, effective, ctx) if writer and run else None

    try:
        plain["Label"] = label
        result, next_state = run_map(plain, raw, items, iterator, execution, ctx)
        _fail_by_items(state, _begun(execution, label, earlier))
    except stepfunctions._ExecutionError:
        write_results()  # a run that failed has some, too; one whose reader failed has not begun
        raise
    result = write_results() or result
    if not writer and len(json.dumps(result)) > _MAX_BYTES:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded",
            "The state/task returned a result with a size exceeding the maximum number of "
            "bytes service limit.",
        )
    result = stepfunctions._apply_result_selector(state, result)
    output = stepfunctions._apply_result_path(state, raw, result)
    return stepfunctions._apply_output_path(state, output, ctx), next_state


def _begun(execution: Json, label: str, earlier: Collection[str]) -> Json | None:
    """Return the run of the Map with that label that was not there earlier."""
    runs = list(stepfunctions._map_runs.items())
    key = (execution["executionArn"], label)
    return next((run for arn, run in runs if arn not in earlier and _key(run) == key), None)


def _key(run: Json) -> tuple[str, str]:
    return run["executionArn"], run["_stateMachineArn"].rpartition("/")[2]


def _children(run: Json) -> list[Json]:
    """Return the children of a run that have started."""
    executions = list(stepfunctions._executions.values())
    return [child for child in executions if child.get("mapRunArn") == run["mapRunArn"]]


def _batched(state: Json, effective: object, execution: Json, label: str, ctx: Json) -> list[Json]:
    """Return the batches of a Map; the ItemSelector, which comes first, sees each item."""
    if "ItemReader" in state:
        items = stepfunctions._read_map_items(state["ItemReader"], effective, ctx)
    else:
        items = stepfunctions._resolve_path_or_ctx(state.get("ItemsPath", "$"), effective, ctx)
    if selector := state.get("ItemSelector"):
        items = [
            stepfunctions._resolve_params_obj(
                selector, effective, {**ctx, "Map": {"Item": {"Index": index, "Value": item}}}
            )
            for index, item in enumerate(items)
        ]
    batcher = state["ItemBatcher"]
    common = {}
    if "BatchInput" in batcher:
        template = batcher["BatchInput"]
        common["BatchInput"] = stepfunctions._resolve_params_obj(template, effective, ctx)
    execution.setdefault(_BATCHED_ITEMS, {})[label] = len(items)
    return list(_batches(items, batcher, common))


def _batches(items: list[Any], batcher: Json, common: Json) -> Iterator[Json]:
    most = batcher.get("MaxItemsPerBatch") or len(items)
    most_bytes = batcher.get("MaxInputBytesPerBatch") or _MAX_BYTES
    batch: list[Any] = []
    for item in items:
        longer = [*batch, item]
        if batch and (len(batch) == most or _bytes({**common, "Items": longer}) > most_bytes):
            yield {**common, "Items": batch}
            longer = [item]
        batch = longer
        if _bytes({**common, "Items": batch}) > _MAX_BYTES:
            raise stepfunctions._ExecutionError(
                "States.DataLimitExceeded", "An item is larger than the input of an execution."
            )
    if batch:
        yield {**common, "Items": batch}


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


@around(stepfunctions._map_run_view)
def map_run_view(view: Call, run: Json) -> Json:
    """Have runs in batches report their items; the emulator counts their children."""
    counts = _item_counts(run)
    shown: Json = view(run)
    return {**shown, "itemCounts": counts} if counts else shown


def _item_counts(run: Json) -> dict[str, int] | None:
    """Return the itemCounts of a run in batches; None if it has no batches.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_MapRunItemCounts.html
    """
    total = _batched_items(run)
    if total is None:
        return None
    counts: Counter[str] = Counter()
    for child in _children(run):
        counts[child["status"].lower()] += _size(child, run)
    written = run["itemCounts"]["resultsWritten"]
    return {
        **dict.fromkeys(run["itemCounts"], 0),
        **counts,
        "pending": total - counts.total(),
        "total": total,
        "resultsWritten": written,
    }


def _batched_items(run: Json) -> int | None:
    """Return how many items a run in batches has; None if it has no batches."""
    arn, label = _key(run)
    items: int | None = stepfunctions._executions[arn].get(_BATCHED_ITEMS, {}).get(label)
    return items


def _size(child: Json, run: Json) -> int:
    """Return how many items a child of a run has."""
    return 1 if _batched_items(run) is None else len(json.loads(child["input"])["Items"])


def _fail_by_items(state: Json, run: Json | None) -> None:
    """Fail a run in batches if too many of its items failed.

    AWS's guide counts items, DescribeMapRun's page counts children: here, either is enough.
    https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html
    """
    counts = _item_counts(run) if run else None
    if not run or not counts or not counts["failed"]:
        return
    most = state.get("ToleratedFailureCount", math.inf)
    percentage = state.get("ToleratedFailurePercentage", math.inf)
    if counts["failed"] > min(most, percentage * counts["total"] / 100):
        run["status"] = "FAILED"
        raise stepfunctions._ExecutionError(
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        )


@around(stepfunctions._read_map_items)
def read_map_items(read: Call, reader: Json, effective: object, ctx: Json) -> Any:
    """Read an inventory's rows, too; its files are in the bucket of its manifest."""
    if reader.get("ReaderConfig", {}).get("InputType") != "MANIFEST":
        return read(reader, effective, ctx)
    place = stepfunctions._resolve_params_obj(reader["Parameters"], effective, ctx)
    manifest = json.loads(_content(place["Bucket"], place["Key"]))
    if manifest.get("fileFormat") != "CSV":
        raise stepfunctions._ExecutionError(
            "States.ItemReaderFailed", "Only inventories in CSV can be read."
        )
    columns = [name.strip() for name in manifest["fileSchema"].split(",")]
    return [
        dict(zip(columns, row, strict=False))
        for file in manifest["files"]
        for row in csv.reader(io.StringIO(_content(place["Bucket"], file["key"]).decode()))
    ]


def _content(bucket: str, key: str) -> bytes:
    status, _headers, body = s3._get_object(bucket, key, {}, {})
    if status != HTTPStatus.OK:
        raise stepfunctions._ExecutionError(
            "States.ItemReaderFailed", f"{key} of {bucket} cannot be read."
        )
    return gzip.decompress(body) if key.endswith(".gz") else bytes(body)


def _write(writer: Json, run: Json, effective: object, ctx: Json) -> Json:
    """Write what became of a run's children; return the Map's result."""
    place = stepfunctions._resolve_params_obj(writer["Parameters"], effective, ctx)
    config = {"Transformation": "NONE", "OutputType": "JSON", **writer.get("WriterConfig", {})}
    arn = run["mapRunArn"]
    folder = "/".join([place["Prefix"].strip("/"), arn.rpartition(":")[2]]).lstrip("/")
    children = _children(run)
    files: dict[str, list[Json]] = {}
    for status in _STATUSES:
        rows = [_row(child, config) for child in children if child["status"] == status]
        files[status] = []
        if rows:
            lines = config["OutputType"] == "JSONL"
            text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
            key = f"{folder}/{status}_0.{config['OutputType'].lower()}"
            files[status] = [{"Key": key, "Size": _put(place["Bucket"], key, text)}]
    manifest = {"DestinationBucket": place["Bucket"], "MapRunArn": arn, "ResultFiles": files}
    key = f"{folder}/manifest.json"
    _put(place["Bucket"], key, json.dumps(manifest))
    run["executionCounts"]["resultsWritten"] = len(children)
    run["itemCounts"]["resultsWritten"] = sum(_size(child, run) for child in children)
    return {
        "MapRunArn": arn,
        "ResultWriterDetails": {"Bucket": place["Bucket"], "Key": key},
    }


def _row(child: Json, config: Mapping[str, str]) -> object:
    """Return a child as it is written; what failed is written whole in any case."""
    if config["Transformation"] != "NONE" and child["status"] == "SUCCEEDED":
        return json.loads(child["output"])
    fields = {
        "ExecutionArn": child["executionArn"],
        "Input": child["input"],
        "InputDetails": {"Included": True},
        "Name": child["name"],
        "StartDate": child["startDate"],
        "StateMachineArn": child["stateMachineArn"],
        "Status": child["status"],
        "StopDate": child["stopDate"],
    }
    if child["status"] == "SUCCEEDED":
        return {**fields, "Output": child["output"], "OutputDetails": {"Included": True}}
    return {**fields, "Error": child["error"], "Cause": child["cause"]}


def _put(bucket: str, key: str, text: str) -> int:
    """Write an object and return its size."""
    content = text.encode()
    status, _headers, _body = s3._put_object(bucket, key, content, {})
    if status != HTTPStatus.OK:
        raise stepfunctions._ExecutionError(
            "States.ResultWriterFailed", f"{key} cannot be written to {bucket}."
        )
    return len(content)
