"""The machine that something was measured on."""

import platform
from pathlib import Path


def processor() -> str:
    """Return the processor's name, as its maker writes it."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or "unknown processor"
