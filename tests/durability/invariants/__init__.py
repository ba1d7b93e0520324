"""The promise that nothing is lost: what it says, and how a stack is observed."""

from tests.durability.invariants.no_data_loss import (
    BrokenPromiseError,
    check,
    is_whole,
    lost_bytes,
    violations,
)
from tests.durability.invariants.snapshot import ExecutionSummary, Snapshot, Stored, Upload

__all__ = [
    "BrokenPromiseError",
    "ExecutionSummary",
    "Snapshot",
    "Stored",
    "Upload",
    "check",
    "is_whole",
    "lost_bytes",
    "violations",
]
