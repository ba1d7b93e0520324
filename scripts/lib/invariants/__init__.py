"""The promise that nothing is lost: what it says, and how a stack is observed."""

from scripts.lib.invariants.no_data_loss import (
    BrokenPromiseError,
    check,
    is_whole,
    lost_bytes,
    violations,
)
from scripts.lib.invariants.snapshot import Run, Stored, Upload, World

__all__ = [
    "BrokenPromiseError",
    "Run",
    "Stored",
    "Upload",
    "World",
    "check",
    "is_whole",
    "lost_bytes",
    "violations",
]
