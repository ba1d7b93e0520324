"""Fixtures of the services' faults."""

from types import SimpleNamespace

import pytest


@pytest.fixture(autouse=True)
def sdk_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the SDK would have waited between attempts, in seconds."""
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append))
    return waits
