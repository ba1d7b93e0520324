"""What an account holds of the kinds that this project makes, to prove that nothing is left."""

from collections.abc import Iterator
from typing import Any

from scripts.lib.aws import Clients

# Service, paginated operation, list in its answer, what identifies an item.
_LISTS = (
    ("apigatewayv2", "get_apis", "Items", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("dynamodb", "list_tables", "TableNames", None),
    ("iam", "list_policies", "Policies", "Arn"),
    ("iam", "list_roles", "Roles", "RoleName"),
    ("kms", "list_aliases", "Aliases", "AliasName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    ("lambda", "list_functions", "Functions", "FunctionName"),
    ("lambda", "list_layers", "Layers", "LayerName"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("sqs", "list_queues", "QueueUrls", None),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
)


def inventory(clients: Clients) -> set[str]:
    """Return everything of these kinds, each as ``service: name``.

    A KMS key that waits for its deletion counts as gone: that is how KMS deletes.
    """
    everything = {f"s3: {bucket['Name']}" for bucket in clients.s3.list_buckets()["Buckets"]}
    everything |= {f"kms: key {key_id}" for key_id in _live_keys(clients)}
    for service, operation, listed, name in _LISTS:
        for item in _items(clients.client(service), operation, listed):
            everything.add(f"{service}: {item[name] if name else item}")
    return everything


def _items(client: Any, operation: str, listed: str) -> Iterator[Any]:
    scope = {"Scope": "Local"} if operation == "list_policies" else {}  # not AWS's own thousand
    for page in client.get_paginator(operation).paginate(**scope):
        yield from page.get(listed, [])


def _live_keys(clients: Clients) -> Iterator[str]:
    for page in clients.kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            metadata = clients.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if metadata["KeyState"] != "PendingDeletion":
                yield key["KeyId"]
