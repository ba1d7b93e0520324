"""What lets an object of the source bucket start an execution, or keeps it from doing so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from image_converter import notifications
from image_converter.errors import InvalidRecord
from scripts.lib import functions, storage
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment


@dataclass(frozen=True)
class Filter:
    """The stack's `source_filter`: pairs of a prefix and a suffix, of which one has to fit."""

    pairs: tuple[tuple[str, str], ...]

    def accepts(self, key: str) -> bool:
        """Return whether an object of that key starts an execution."""
        return any(key.startswith(prefix) and key.endswith(suffix) for prefix, suffix in self.pairs)

    @property
    def sentence(self) -> str:
        """Say of a key that does not fit what becomes of its object."""
        wanted = " or ".join(f"{prefix}*{suffix}" for prefix, suffix in self.pairs)
        return (
            f"The stack's source_filter only accepts {wanted}, so the object starts no execution "
            "and stays in the source bucket."
        )


def source_filter(clients: Clients, stack: Deployment) -> Filter | None:
    """Return which keys of the source bucket start executions; None where nothing says so.

    S3 knows which of its notifications go to the stack's queue. Of an existing bucket, whose
    notifications are its owner's, the trigger's settings say it.
    """
    if stack.pairs is not None:
        return Filter(stack.pairs)
    answer = clients.s3.get_bucket_notification_configuration(Bucket=stack.source_bucket)
    pairs = tuple(
        _pair(configuration)
        for configuration in answer.get("QueueConfigurations", [])
        # An existing bucket may notify others, too.
        if configuration["QueueArn"].endswith(f":{stack.name}")
    )
    return Filter(pairs) if pairs else None


def _pair(configuration: Mapping[str, Any]) -> tuple[str, str]:
    rules = configuration.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    # S3 keeps them URL-encoded, like the keys in its notifications; "Prefix" may be capitalized.
    filters = {rule["Name"].lower(): unquote_plus(rule["Value"]) for rule in rules}
    return filters.get("prefix", ""), filters.get("suffix", "")


def is_paused(clients: Clients, stack: Deployment) -> bool:
    """Return whether uploads wait in the queue, as Terraform's variable `paused` says."""
    states = [mapping["State"] for mapping in _mappings(clients, stack)]
    return bool(states) and all(state in ("Disabled", "Disabling") for state in states)


def batches_at_a_time(clients: Clients, stack: Deployment) -> int | None:
    """Return how many batches of the queue are handled at the same time; None for no limit."""
    scaling = [mapping.get("ScalingConfig", {}) for mapping in _mappings(clients, stack)]
    return scaling[0].get("MaximumConcurrency") if scaling else None


def _mappings(clients: Clients, stack: Deployment) -> Sequence[Any]:
    trigger = f"{stack.name}-{functions.on_aws(functions.TRIGGER)}"
    answer = clients.functions.list_event_source_mappings(FunctionName=trigger)
    return answer["EventSourceMappings"]


def messages_waiting(clients: Clients, stack: Deployment) -> int:
    """Return about how many messages are in the queue, those that are being handled included."""
    return storage.message_count(clients, storage.queue_url(clients, stack.name))


def is_dead_letter(clients: Clients, stack: Deployment, key: str, version: str) -> bool:
    """Return whether the notification of an upload is in the dead-letter queue."""
    # All are read to the end, so that all can be received again at once.
    letters = [named(message["Body"]) for message in storage.dead_letters(clients, stack.name)]
    return any((key, version) in objects for objects in letters)


def named(body: str) -> set[tuple[str, str]]:
    """Return the keys and versions that a message is about; none if it is not a notification."""
    try:
        records = notifications.records(body)
    except InvalidRecord:
        return set()
    items = [record["s3"]["object"] for record in records]
    return {(item["key"], item.get("versionId", "")) for item in items}
