"""When a failure that an EXPRESS execution logged is the end of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from scripts.lib import functions, storage
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.executions import endings
from scripts.lib.executions.endings import LoggedFailure
from tests.support.stubs import ANY_ACCOUNT


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
    assert LoggedFailure("a.jpg", at, error, "why").is_final is final


def test_a_console_asks_once_where_functions_log(monkeypatch: pytest.MonkeyPatch) -> None:
    clients = Clients(ANY_ACCOUNT)
    stack = Deployment("looked-at", "source", "destination", "table", "machine", express=True)
    read: list[str] = []

    def log_events(_clients: Clients, group: str, *_: Any, **__: Any) -> list[Any]:
        read.append(group)
        return []

    monkeypatch.setattr(storage, "log_events", log_events)
    groups = [f"/aws/lambda/looked-at-{functions.on_aws(task)}" for task in functions.TASKS]
    with Stubber(clients.functions) as stub:
        for group in groups:
            stub.add_response("get_function_configuration", {"LoggingConfig": {"LogGroup": group}})
        for _ in range(2):
            assert list(endings.failures(clients, stack, datetime.now(UTC))) == []
    assert read == [*groups, *groups]
