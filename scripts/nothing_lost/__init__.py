"""The promise that nothing is lost: what it says, and how a stack is observed."""

from scripts.nothing_lost.promise import BrokenPromiseError, check, is_whole, lost_bytes, violations
from scripts.nothing_lost.world import Run, Stored, Upload, World

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
