"""Step Functions: Distributed Maps read inventories and write results, within AWS's limits.

Left to the emulator, a Map would ignore its ResultWriter, and could not read the manifest of an
inventory.
Sources: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html and
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

import csv
import gzip
import io
import json
from collections.abc import Collection, Mapping
from http import HTTPStatus
from typing import Any

from ministack.services import s3, stepfunctions

from scripts.local_aws.patches import stepfunctions_batches

# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MAX_OUTPUT_BYTES = 256 * 1024

# What stands for the children of a status in the manifest of the results.
_STATUSES = ("FAILED", "PENDING", "SUCCEEDED")


def install() -> None:
    """Put in what concerns Distributed Maps."""
    _read_inventories()
    _write_results()


def starts_express_children(definition: str) -> bool:
    """Return whether a Map of the definition runs its items as EXPRESS executions."""
    states = stepfunctions_batches.states(json.loads(definition))
    processors = (state.get("ItemProcessor", {}) for _, state in states)
    return any(
        processor.get("ProcessorConfig", {}).get("ExecutionType") == "EXPRESS"
        for processor in processors
    )


def _read_inventories() -> None:
    read_map_items = stepfunctions._read_map_items

    def read_items(
        reader: Mapping[str, Any], effective: object, ctx: Mapping[str, Any]
    ) -> list[Any]:
        if reader.get("ReaderConfig", {}).get("InputType") == "MANIFEST":
            place = stepfunctions._resolve_params_obj(reader["Parameters"], effective, ctx)
            return _inventory(place["Bucket"], place["Key"])
        items: list[Any] = read_map_items(reader, effective, ctx)
        return items

    stepfunctions._read_map_items = read_items


def _inventory(bucket: str, key: str) -> list[dict[str, str]]:
    """Return the rows of an inventory's files, which are in the bucket of its manifest."""
    manifest = json.loads(_content(bucket, key))
    if manifest.get("fileFormat") != "CSV":
        raise stepfunctions._ExecutionError(
            "States.ItemReaderFailed", "Only inventories in CSV can be read."
        )
    columns = [name.strip() for name in manifest["fileSchema"].split(",")]
    return [
        dict(zip(columns, row, strict=False))
        for file in manifest["files"]
        for row in csv.reader(io.StringIO(_content(bucket, file["key"]).decode()))
    ]


def _content(bucket: str, key: str) -> bytes:
    status, _headers, body = s3._get_object(bucket, key, {}, {})
    if status != HTTPStatus.OK:
        raise stepfunctions._ExecutionError(
            "States.ItemReaderFailed", f"{key} of {bucket} cannot be read."
        )
    return gzip.decompress(body) if key.endswith(".gz") else bytes(body)


def _write_results() -> None:
    run_distributed_map = stepfunctions._run_distributed_map

    def run_map(
        state_def: dict[str, Any],
        raw_input: object,
        effective: object,
        iterator: object,
        execution: dict[str, Any],
        ctx: dict[str, Any],
    ) -> tuple[object, str | None]:
        earlier = set(stepfunctions._map_runs)
        of_output = ("ResultSelector", "ResultPath", "OutputPath")
        plain = {name: value for name, value in state_def.items() if name not in of_output}
        writer = state_def.get("ResultWriter")
        try:
            result, next_state = run_distributed_map(
                plain, raw_input, effective, iterator, execution, ctx
            )
        except stepfunctions._ExecutionError:
            # A run that failed has results, too; one whose reader failed has not begun.
            if writer:
                for run in _begun(execution, earlier):
                    _write(writer, run, effective, ctx)
            raise
        if writer:
            [run] = _begun(execution, earlier)
            result = _write(writer, run, effective, ctx)
        elif len(json.dumps(result)) > _MAX_OUTPUT_BYTES:
            raise stepfunctions._ExecutionError(
                "States.DataLimitExceeded",
                "The state/task returned a result with a size exceeding the maximum number of "
                "bytes service limit.",
            )
        result = stepfunctions._apply_result_selector(state_def, result)
        output = stepfunctions._apply_result_path(state_def, raw_input, result)
        return stepfunctions._apply_output_path(state_def, output, ctx), next_state

    stepfunctions._run_distributed_map = run_map


def _begun(execution: Mapping[str, Any], earlier: Collection[str]) -> list[dict[str, Any]]:
    return [
        run
        for arn, run in list(stepfunctions._map_runs.items())
        if arn not in earlier and run["executionArn"] == execution["executionArn"]
    ]


def _write(
    writer: Mapping[str, Any], run: dict[str, Any], effective: object, ctx: Mapping[str, Any]
) -> dict[str, Any]:
    """Write what became of a run's children; return the Map's result."""
    place = stepfunctions._resolve_params_obj(writer["Parameters"], effective, ctx)
    config = {"Transformation": "NONE", "OutputType": "JSON", **writer.get("WriterConfig", {})}
    arn = run["mapRunArn"]
    folder = "/".join([place["Prefix"].strip("/"), arn.rpartition(":")[2]]).lstrip("/")
    children = stepfunctions_batches.children(run)
    files: dict[str, list[dict[str, Any]]] = {}
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
    run["itemCounts"]["resultsWritten"] = sum(map(stepfunctions_batches.size, children))
    return {
        "MapRunArn": arn,
        "ResultWriterDetails": {"Bucket": place["Bucket"], "Key": key},
    }


def _row(child: Mapping[str, Any], config: Mapping[str, str]) -> object:
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
