"""What the Distributed Map of a backfill's run says of its children."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from scripts.lib import deployed, storage, text
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment

# Where results are in the destination bucket, behind the prefix that all keys have.
_RESULTS = "backfill/results/"
TOO_MANY_FAILURES = "States.ExceedToleratedFailureThreshold"  # the run's error
_NOT_SENT = "NotSent"  # a child's
# How reasons begin that a row itself is to blame for: no retry helps.
_WRONG_ROW = ("WrongBucket:", "NoKey:")


def _arns(clients: Clients, execution_arn: str) -> Iterator[str]:
    """Yield the ARNs of a run's Maps, of which one has read the objects."""
    map_runs = clients.stepfunctions.get_paginator("list_map_runs")
    yield from map_runs.paginate(executionArn=execution_arn).search("mapRuns[].mapRunArn")


def item_counts(clients: Clients, execution_arn: str) -> Counter[str]:
    """Return how many items a run's Maps have: in each status, and in total."""
    counts: Counter[str] = Counter()
    for arn in _arns(clients, execution_arn):
        described: Any = clients.stepfunctions.describe_map_run(mapRunArn=arn)
        counts.update(described["itemCounts"])
    return counts


def results(
    clients: Clients, stack: Deployment, execution_arn: str, status: str
) -> Iterator[dict[str, Any]]:
    """Yield what a run's Maps have written of their children with that status.

    https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
    """
    bucket = stack.destination_bucket
    place = deployed.resize_settings(clients, stack).destination_prefix + _RESULTS
    for arn in _arns(clients, execution_arn):
        prefix = f"{place}{arn.rpartition(':')[2]}/{status}_"
        listed = clients.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)
        for item in listed.get("Contents", []):
            yield from map(json.loads, storage.lines(clients, bucket, item["Key"]))


def batch(child: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a child that failed says of its batch; nothing if something else ended it."""
    return text.json_object(child.get("Cause", "")) if child.get("Error") == _NOT_SENT else {}


def wrong_rows(clients: Clients, stack: Deployment, execution_arn: str) -> list[str]:
    """Return what is wrong with rows of a run's manifest, if that is all that is left of it."""
    reasons = []
    for child in results(clients, stack, execution_arn, "FAILED"):
        failed = batch(child).get("failed", [{"why": ""}])
        reasons += [str(item["why"]) for item in failed]
    counts = item_counts(clients, execution_arn)
    is_rest = counts["total"] == counts["succeeded"] + counts["failed"]
    return reasons if is_rest and all(why.startswith(_WRONG_ROW) for why in reasons) else []
