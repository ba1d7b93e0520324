"""The promise, of one upload and its executions on moto."""

from scripts.lib import storage
from scripts.lib.aws import Clients
from tests.durability import invariants
from tests.durability.invariants import take_snapshot
from tests.support.asl import machine
from tests.support.asl.interpreter import Result
from tests.support.fake_cloud import DESTINATION, SOURCE, TABLE, Record
from tests.support.images import jpeg
from tests.support.stubs import ANY_ACCOUNT

IMAGE = jpeg()

# Made once: that takes longer than an execution.
_AWS = Clients(ANY_ACCOUNT)


def check_recovery(record: Record, failed: Result) -> None:
    """Fail unless an execution failed and lost nothing, and another one converts the image."""
    assert failed.status == "FAILED"
    check(record, failed)
    restarted = machine.run(record)
    assert restarted.status == "SUCCEEDED", restarted.cause
    check(record, failed, restarted)


def check(record: Record, *results: Result) -> None:
    """Raise if the promise is broken."""
    item = record["s3"]["object"]
    runs = [
        invariants.ExecutionSummary(
            str(n), item["key"], item["versionId"], result.status, result.output or {}
        )
        for n, result in enumerate(results)
    ]
    invariants.check(
        invariants.Snapshot(
            uploads=[invariants.Upload(item["key"], item["versionId"], IMAGE)],
            source=take_snapshot.stored(_AWS, SOURCE),
            destination=take_snapshot.stored(_AWS, DESTINATION),
            records={item["imageName"]: item for item in storage.records(_AWS, TABLE)},
            runs=runs,
        )
    )
