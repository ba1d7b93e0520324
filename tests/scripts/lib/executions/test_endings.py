"""When a failure that an EXPRESS execution logged is the end of it."""

from datetime import UTC, datetime, timedelta

import pytest

from scripts.lib.executions.endings import Failure


@pytest.mark.parametrize(
    ("error", "minutes", "final"),
    [
        ("DamagedImage", 0, True),  # no attempt can succeed
        ("ConnectionResetError", 0, False),  # the next one may
        ("ConnectionResetError", 6, True),  # there is none: EXPRESS executions end after five
        ("ValueError", 0, False),
        ("keys", 0, False),  # a name in the errors' module need not be an error's
    ],
)
def test_end(error: str, minutes: int, final: bool) -> None:
    at = datetime.now(UTC) - timedelta(minutes=minutes)
    assert Failure("a.jpg", at, error, "why").is_final is final
