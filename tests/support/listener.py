"""A listener to a stack's events: a rule on the default bus, and a queue."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jsonschema import Draft202012Validator

from scripts.lib import wait
from scripts.lib.aws import Clients
from scripts.lib.paths import DOCS

SCHEMA = Draft202012Validator(json.loads((DOCS / "events.schema.json").read_text("utf-8")))


class Listener:
    """Keeps the events that came."""

    def __init__(self, clients: Clients, url: str) -> None:
        self._sqs = clients.sqs
        self._url = url
        self._came: list[dict[str, Any]] = []

    def event(self, detail_type: str, key: str) -> dict[str, Any]:
        """Wait for an event about a key, check it by the schema, and return its detail."""

        def find() -> dict[str, Any] | None:
            self._receive()
            about_key = [event for event in self._came if event["detail"]["object"]["key"] == key]
            return next((event for event in about_key if event["detail-type"] == detail_type), None)

        event = wait.until(f"the event '{detail_type}' of {key}", find)
        SCHEMA.validate(event)
        detail: dict[str, Any] = event["detail"]
        return detail

    def _receive(self) -> None:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            self._came.append(json.loads(message["Body"]))
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


@contextmanager
def listening(clients: Clients, stack: str) -> Iterator[Listener]:
    """Listen to the events of the stack of that name."""
    name = f"{stack}-listener"
    url = clients.sqs.create_queue(QueueName=name)["QueueUrl"]
    attributes = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    bus = clients.client("events")
    bus.put_rule(Name=name, EventPattern=json.dumps({"source": [stack]}))
    bus.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": attributes["Attributes"]["QueueArn"]}])
    try:
        yield Listener(clients, url)
    finally:
        bus.remove_targets(Rule=name, Ids=["q"])
        bus.delete_rule(Name=name)
        clients.sqs.delete_queue(QueueUrl=url)
