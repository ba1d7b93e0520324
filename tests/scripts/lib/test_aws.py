"""Which AWS an endpoint is, and clients for it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from scripts.lib.aws import Clients, is_local


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


def test_threads_that_need_a_client_at_the_same_time_get_the_same_one() -> None:
    clients = Clients({"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-1"})
    services = ("logs", "s3", "sqs", "stepfunctions")
    together = Barrier(2 * len(services), timeout=30)

    def client(service: str) -> object:
        together.wait()
        return getattr(clients, service)

    with ThreadPoolExecutor(2 * len(services)) as pool:
        made = list(pool.map(client, services * 2))

    assert made[:4] == made[4:] == [getattr(clients, service) for service in services]
