"""Which AWS an endpoint is."""

import pytest

from scripts.lib.aws import is_local


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        (None, False),
        ("", False),
        ("https://states.eu-west-1.amazonaws.com", False),
        ("https://states.cn-north-1.amazonaws.com.cn", False),
        ("http://127.0.0.1:4566", True),
    ],
)
def test_a_local_aws_is_known_by_its_endpoint(endpoint: str | None, expected: bool) -> None:
    assert is_local(endpoint) is expected
