"""The example of an existing bucket: images are converted, events sent, and the bucket stays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from scripts.commands import cli
from scripts.lib import deployed, storage, wait
from scripts.lib.aws import Clients
from scripts.lib.executions import collect
from scripts.local_aws import LocalAws
from tests.conftest import enforcing, use
from tests.support import images, terraform_changes
from tests.support.examples import Example
from tests.support.listener import Listener, listening
from tests.support.provider import Provider

pytestmark = [pytest.mark.e2e, pytest.mark.terraform]

Capture = pytest.CaptureFixture[str]

NAME = "photographs"  # the example's
BUCKET = "holiday-photographs"
QUEUE = "holiday-notifications"

THERE_BEFORE = {f"albums/old/{number}.jpg": images.jpeg(seed=number) for number in range(20)}
JPEG = {"albums/beach + sea ü.jpg": images.jpeg(60, 40, seed=31)}
DAMAGED = {"albums/half.jpg": images.jpeg(60, 40)[:-200]}
OTHERS = {
    "albums/camera.heic": b"\0\0\0\x18ftypheic" + bytes(100),
    "albums/raw.nef": b"MM\0*\0\0\0\x08" + bytes(100),
    "albums/clip.mp4": b"\0\0\0\x18ftypisom" + bytes(100),
}
OUTSIDE = {"private/beach.jpg": images.jpeg(60, 40, seed=32)}
UPLOADED = JPEG | DAMAGED | OTHERS | OUTSIDE

# What the owner of a bucket may have set, by the operation that reads it.
SETTINGS = (
    "accelerate_configuration",
    "acl",
    "cors",
    "encryption",
    "lifecycle_configuration",
    "logging",
    "notification_configuration",
    "ownership_controls",
    "policy",
    "tagging",
    "versioning",
)


@dataclass
class Owner:
    """Who owns the bucket."""

    clients: Clients

    def settings(self) -> dict[str, Any]:
        """Return everything that is set on the bucket."""
        return {name: self._setting(name) for name in SETTINGS}

    def _setting(self, name: str) -> Any:
        try:
            answer = getattr(self.clients.s3, f"get_bucket_{name}")(Bucket=BUCKET)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return {part: value for part, value in answer.items() if part != "ResponseMetadata"}

    def objects(self) -> dict[str, bytes]:
        """Return the bucket's objects."""
        listed = self.clients.s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        return {item["Key"]: self.body(BUCKET, item["Key"]) for item in listed}

    def body(self, bucket: str, key: str) -> bytes:
        """Return an object's content."""
        return self.clients.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def messages(self) -> list[Any]:
        """Return messages of the bucket's own notifications, which are gone then."""
        url = self.clients.sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        answer = self.clients.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self.clients.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(answer.get("Messages", []))


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS of the bucket's owner, which enforces IAM policies."""
    with enforcing(tmp_path_factory.mktemp("owner-aws")) as aws:
        yield aws


@pytest.fixture(scope="module")
def terraform_env(aws: LocalAws, provider: Provider) -> Iterator[dict[str, str]]:
    """The environment of Terraform, with a provider that is running already."""
    with provider.running(aws.env) as env:
        yield env


@pytest.fixture(scope="module")
def owner(aws: LocalAws) -> Owner:
    """The bucket, unversioned and with notifications of its own."""
    owner = Owner(Clients(aws.env))
    s3, sqs = owner.clients.s3, owner.clients.sqs
    url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    admits = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [admits]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "team", "Value": "web"}]})
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [
                {"Id": "mine", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
            ],
            "EventBridgeConfiguration": {},
        },
    )
    for key, content in THERE_BEFORE.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return owner


@pytest.fixture(scope="module")
def listener(owner: Owner) -> Iterator[Listener]:
    """Somebody who listens to the stack's events."""
    with listening(owner.clients, NAME) as listener:
        yield listener


@pytest.fixture(scope="module")
def settings(owner: Owner) -> dict[str, Any]:
    """What was set on the bucket before the stack was applied."""
    return owner.settings()


@pytest.fixture(scope="module")
def stack(
    terraform_env: dict[str, str],
    owner: Owner,
    listener: Listener,  # noqa: ARG001 - it listens before
    settings: dict[str, Any],  # noqa: ARG001 - they are read before
    tmp_path_factory: pytest.TempPathFactory,
) -> Example:
    """The example, applied, with everything uploaded."""
    made = Example.copied(
        "existing-bucket",
        tmp_path_factory.mktemp("existing"),
        terraform_env,
        bucket=BUCKET,
        force_destroy=True,
    )
    made.apply()
    for key, content in UPLOADED.items():
        owner.clients.s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    return made


@pytest.fixture(autouse=True)
def _environment(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    use(aws, monkeypatch)


@pytest.fixture(scope="module")
def outputs(stack: Example) -> dict[str, Any]:
    """The stack's outputs."""
    outputs: dict[str, Any] = stack.outputs()["image_converter"]
    return outputs


def test_an_upload_is_converted_and_its_event_says_where(
    owner: Owner, listener: Listener, outputs: dict[str, Any]
) -> None:
    ((key, content),) = JPEG.items()
    detail = listener.event("Image Converted", key)
    assert detail["bucket"] == {"name": BUCKET}
    assert detail["object"]["size"] == len(content)
    original, png = detail["original"], detail["outputs"][0]
    assert original["bucket"] == outputs["destination_bucket"]
    assert owner.body(original["bucket"], original["key"]) == content
    assert images.pixels(owner.body(png["bucket"], png["key"])) == images.pixels(content)
    status = owner.clients.stepfunctions.describe_execution(executionArn=detail["execution"])
    assert json.loads(status["input"])["s3"]["object"]["key"] == key


@pytest.mark.usefixtures("stack")
def test_a_failure_s_event_says_why(listener: Listener) -> None:
    detail = listener.event("Image Not Converted", *DAMAGED)
    assert detail["error"]["name"] == "DamagedImage"
    assert ":execution:" in detail["execution"]


@pytest.mark.usefixtures("stack")
@pytest.mark.parametrize("key", OTHERS)
def test_other_files_are_seen_and_kept(key: str, capsys: Capture) -> None:
    assert "not a JPEG" in _status_once_kept(key, capsys)


def _executions(owner: Owner) -> collect.Source:
    return collect.source(owner.clients, deployed.find(owner.clients, NAME))


def _status_once_kept(key: str, capsys: Capture) -> str:
    def said() -> str | None:
        cli.run(["status", key, "--name", NAME])
        text = capsys.readouterr().out
        return text if "other_types is keep" in text else None

    return wait.until(f"{key} to be handled", said)


def test_what_fails_is_the_damaged_image_alone(
    owner: Owner, listener: Listener, outputs: dict[str, Any]
) -> None:
    listener.event("Image Not Converted", *DAMAGED)
    assert len(list(_executions(owner).listed("FAILED"))) == 1
    assert storage.message_count(owner.clients, outputs["dead_letter_queue_url"]) == 0


def test_neither_old_nor_other_keys_are_started(
    owner: Owner, stack: Example, capsys: Capture
) -> None:
    for key in OTHERS:
        _status_once_kept(key, capsys)
    assert len(list(_executions(owner).listed())) == len(JPEG | DAMAGED | OTHERS)
    cli.run(["redrive", "--dry-run", "--name", NAME])
    said = capsys.readouterr().out
    assert "albums/old" not in said
    assert "private/" not in said
    assert terraform_changes.changes(stack.plan()) == []


def test_the_owner_s_notifications_go_on(owner: Owner, settings: dict[str, Any]) -> None:
    assert owner.settings() == settings
    received: set[str] = set()

    def all_received() -> bool:
        for message in owner.messages():
            records = json.loads(message["Body"]).get("Records", [])
            received.update(record["s3"]["object"]["key"] for record in records)
        return "private/beach.jpg" in received and "albums/half.jpg" in received

    wait.until("the owner's notifications", all_received)


def test_destroyed_it_leaves_the_bucket_as_it_was(
    owner: Owner, stack: Example, settings: dict[str, Any]
) -> None:
    stack.destroy()
    assert owner.settings() == settings
    assert owner.objects() == THERE_BEFORE | UPLOADED
