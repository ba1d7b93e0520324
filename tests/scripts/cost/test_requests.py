"""The requests to S3 that the bill counts are those that the functions make."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scripts.cost.model import S3_REQUESTS, Requests
from tests.aws_contract import test_boto3_calls as scenarios
from tests.support.stubs import Stubs, stubbed

_WRITES = {"s3.PutObject", "s3.CopyObject"}
_READS = {"s3.GetObject", "s3.HeadObject"}
_DELETES = {"s3.DeleteObject"}


@pytest.mark.parametrize(
    ("function", "scenario"),
    [
        ("get_file_type", scenarios.reads_the_type),
        ("copy_file", scenarios.copies),
        ("resize_image", scenarios.converts),
        ("delete_file", scenarios.deletes),
        ("write_to_dynamodb", scenarios.writes_the_record),
        ("trigger", scenarios.starts_an_execution),
    ],
)
def test_each_functions_requests_are_counted(
    function: str, scenario: Callable[[Stubs], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with stubbed(monkeypatch) as stubs:
        scenario(stubs)

    made = [call.operation for call in stubs.calls if call.operation.startswith("s3.")]
    assert set(made) <= _WRITES | _READS | _DELETES
    assert S3_REQUESTS.get(function, Requests()) == Requests(
        writes=sum(operation in _WRITES for operation in made),
        reads=sum(operation in _READS for operation in made),
        deletes=sum(operation in _DELETES for operation in made),
    )
