"""The one reader of versions, records and dead letters: everything once, and in order."""

from collections.abc import Iterator

import pytest

from scripts.lib import storage
from scripts.lib.aws import Clients
from tests.support import resources
from tests.support.moto_aws import mock_aws
from tests.support.stubs import ANY_ACCOUNT

pytestmark = pytest.mark.exercised("moto")


@pytest.fixture
def clients() -> Iterator[Clients]:
    with mock_aws():
        yield Clients(ANY_ACCOUNT)


@pytest.fixture
def bucket(clients: Clients) -> str:
    resources.bucket(clients.s3, "pictures")
    return "pictures"


def _put(clients: Clients, key: str) -> str:
    return clients.s3.put_object(Bucket="pictures", Key=key, Body=key.encode())["VersionId"]


def test_versions_and_delete_markers_come_newest_first(clients: Clients, bucket: str) -> None:
    uploads = [_put(clients, "a.jpg") for _ in range(3)]
    marker = clients.s3.delete_object(Bucket=bucket, Key="a.jpg")["VersionId"]

    listed = storage.versions(clients, bucket)["a.jpg"]

    assert [version["VersionId"] for version in listed] == [marker, *reversed(uploads)]
    assert [storage.is_object(version) for version in listed] == [False, True, True, True]


def test_of_one_key_no_other_that_begins_with_it_is_listed(clients: Clients, bucket: str) -> None:
    for key in ("a", "a.jpg", "b"):
        _put(clients, key)

    assert storage.versions(clients, bucket, "a").keys() == {"a"}
    assert storage.versions(clients, bucket).keys() == {"a", "a.jpg", "b"}
    assert storage.versions(clients, bucket, "c") == {}


def test_each_dead_letter_comes_once_and_can_be_received_again(clients: Clients) -> None:
    url = clients.sqs.create_queue(QueueName="stack-dead-letters")["QueueUrl"]
    bodies = {str(number) for number in range(12)}
    for body in bodies:
        clients.sqs.send_message(QueueUrl=url, MessageBody=body)

    for message in storage.dead_letters(clients, "stack"):
        if message["Body"] == "7":
            clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    again = [message["Body"] for message in storage.dead_letters(clients, "stack")]
    assert sorted(again) == sorted(bodies - {"7"})


def test_a_record_has_numbers_as_json_has_them(clients: Clients) -> None:
    resources.table(clients.dynamodb, "records")
    item = {"imageName": {"S": "a.jpg"}, "size": {"N": "12"}, "ratio": {"N": "0.5"}}
    clients.dynamodb.put_item(TableName="records", Item=item)

    plain = {"imageName": "a.jpg", "size": 12, "ratio": 0.5}
    assert storage.record(clients, "records", "a.jpg") == plain
    assert list(storage.records(clients, "records")) == [plain]
    assert list(storage.records(clients, "records", "b")) == []
    assert storage.record(clients, "records", "b.jpg") is None
