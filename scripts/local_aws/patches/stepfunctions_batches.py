"""Step Functions: Distributed Maps run batches of items.

Left to the emulator, a Map would ignore its ItemBatcher.
Source: https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itembatcher.html
"""

import json
import math
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import stepfunctions

# Of an execution: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
_MAX_INPUT_BYTES = 256 * 1024

# What an ItemBatcher may have here. AWS also takes the limits from paths.
_FIELDS = {"BatchInput", "MaxInputBytesPerBatch", "MaxItemsPerBatch"}

# How many items Map runs in batches have, by their executions and labels.
_totals: dict[tuple[str, str], int] = {}


def install() -> None:
    """Put in what concerns batches."""
    _run_batches()
    _count_items()


def refusals(definition: str) -> list[str]:
    """Return what of a definition AWS would run, and the local AWS does not, in sentences.

    Args:
        definition: the JSON text of a definition that has no other faults.
    """
    machine = json.loads(definition)
    found = []
    for name, state in states(machine):
        fields = state.get("ItemBatcher", {}).keys()
        refused = sorted(fields - _FIELDS)
        if fields and "JSONata" in (state.get("QueryLanguage"), machine.get("QueryLanguage")):
            refused.append("ItemBatcher with JSONata")
        found += [f"{name} has {field}, which the local AWS does not run" for field in refused]
    return found


def states(machine: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield all states of a machine, those of branches and Maps too, with their names."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in (*state.get("Branches", []), state.get("ItemProcessor")):
            if inner:
                yield from states(inner)


def children(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the children of a Map run that have started."""
    executions = list(stepfunctions._executions.values())
    return [child for child in executions if child.get("mapRunArn") == run["mapRunArn"]]


def size(child: Mapping[str, Any]) -> int:
    """Return how many items a child of a Map run has."""
    batched = _total(stepfunctions._map_runs[child["mapRunArn"]]) is not None
    return len(json.loads(child["input"])["Items"]) if batched else 1


def _run_batches() -> None:
    run_distributed_map = stepfunctions._run_distributed_map

    def run_map(
        state_def: dict[str, Any],
        raw_input: object,
        effective: object,
        iterator: object,
        execution: dict[str, Any],
        ctx: dict[str, Any],
    ) -> tuple[object, str | None]:
        if "ItemBatcher" not in state_def:
            result: tuple[object, str | None] = run_distributed_map(
                state_def, raw_input, effective, iterator, execution, ctx
            )
            return result
        state, batches = _in_batches(state_def, effective, execution, ctx)
        result = run_distributed_map(state, raw_input, batches, iterator, execution, ctx)
        for run in list(stepfunctions._map_runs.values()):
            if _key(run) == (execution["executionArn"], state["Label"]):
                _fail_by_items(state, run)
        return result

    stepfunctions._run_distributed_map = run_map


def _in_batches(
    state: Mapping[str, Any], effective: object, execution: Mapping[str, Any], ctx: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a Map whose items are the batches, and these.

    The items are selected first: the ItemSelector sees each of them.
    """
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
    label = state.get("Label") or str(uuid.uuid4())
    _totals[execution["executionArn"], label] = len(items)
    replaced = ("ItemBatcher", "ItemReader", "ItemSelector", "ItemsPath")
    plain = {name: value for name, value in state.items() if name not in replaced}
    return {**plain, "Label": label}, list(_batches(items, batcher, common))


def _batches(
    items: list[Any], batcher: Mapping[str, Any], common: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    most = batcher.get("MaxItemsPerBatch") or len(items)
    most_bytes = batcher.get("MaxInputBytesPerBatch") or _MAX_INPUT_BYTES
    batch: list[Any] = []
    for item in items:
        longer = [*batch, item]
        if batch and (len(batch) == most or _bytes({**common, "Items": longer}) > most_bytes):
            yield {**common, "Items": batch}
            longer = [item]
        batch = longer
        if _bytes({**common, "Items": batch}) > _MAX_INPUT_BYTES:
            raise stepfunctions._ExecutionError(
                "States.DataLimitExceeded", "An item is larger than the input of an execution."
            )
    if batch:
        yield {**common, "Items": batch}


def _bytes(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _count_items() -> None:
    """Have runs in batches report their items; the emulator counts their children."""
    map_run_view = stepfunctions._map_run_view

    def view(run: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = map_run_view(run)
        counts = _item_counts(run)
        return {**shown, "itemCounts": counts} if counts else shown

    stepfunctions._map_run_view = view


def _item_counts(run: dict[str, Any]) -> dict[str, int] | None:
    """Return the itemCounts of a run in batches; None of another one.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_MapRunItemCounts.html
    """
    total = _total(run)
    if total is None:
        return None
    found: Counter[str] = Counter()
    for child in children(run):
        found[child["status"].lower()] += size(child)
    written = run["itemCounts"]["resultsWritten"]
    return {
        **dict.fromkeys(run["itemCounts"], 0),
        **found,
        "pending": total - found.total(),
        "total": total,
        "resultsWritten": written,
    }


def _total(run: dict[str, Any]) -> int | None:
    """Return how many items a run in batches has; None of another one.

    The run keeps it, since an emulator that keeps its state starts without what is known here.
    """
    if (key := _key(run)) in _totals:
        run["_items"] = _totals[key]
    return run.get("_items")


def _key(run: Mapping[str, Any]) -> tuple[str, str]:
    return run["executionArn"], run["_stateMachineArn"].rpartition("/")[2]


def _fail_by_items(state: Mapping[str, Any], run: dict[str, Any]) -> None:
    """Fail a run in batches if too many of its items failed.

    AWS's guide counts items, DescribeMapRun's page counts children: here, either is enough.
    https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeMapRun.html
    """
    counts = _item_counts(run)
    if not counts or not counts["failed"]:
        return
    most = state.get("ToleratedFailureCount", math.inf)
    percentage = state.get("ToleratedFailurePercentage", math.inf)
    if counts["failed"] > min(most, percentage * counts["total"] / 100):
        run["status"] = "FAILED"
        raise stepfunctions._ExecutionError(
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        )
