"""What an account holds of the kinds that this project makes, to prove that nothing is left."""

from scripts.lib.aws import Clients

# Service, paginated operation, and the names in its answer, as a JMESPath expression.
_LISTS = (
    ("apigatewayv2", "get_apis", "Items[].Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    ("dynamodb", "list_tables", "TableNames[]"),
    ("events", "list_rules", "Rules[].Name"),
    ("iam", "list_policies", "Policies[].Arn"),
    ("iam", "list_roles", "Roles[].RoleName"),
    ("kms", "list_aliases", "Aliases[].AliasName"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings[].UUID"),
    ("lambda", "list_functions", "Functions[].FunctionName"),
    ("lambda", "list_layers", "Layers[].LayerName"),
    ("logs", "describe_log_groups", "logGroups[].logGroupName"),
    ("s3", "list_buckets", "Buckets[].Name"),
    ("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"),
    ("sns", "list_topics", "Topics[].TopicArn"),
    ("sqs", "list_queues", "QueueUrls[]"),
    ("stepfunctions", "list_state_machines", "stateMachines[].name"),
)


def inventory(clients: Clients) -> set[str]:
    """Return everything of these kinds, each as ``service: name``.

    A KMS key that waits for its deletion counts as gone: that is how KMS deletes.
    """
    everything: set[str] = set()
    for service, operation, names in _LISTS:
        scope = {"Scope": "Local"} if operation == "list_policies" else {}  # without AWS's own
        pages = clients.client(service).get_paginator(operation).paginate(**scope)
        everything |= {f"{service}: {name}" for name in pages.search(names) if name}
    queries = clients.logs.describe_query_definitions()["queryDefinitions"]  # has no paginator
    everything |= {f"logs: {query['name']}" for query in queries}
    for key_id in clients.kms.get_paginator("list_keys").paginate().search("Keys[].KeyId"):
        if clients.kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] != "PendingDeletion":
            everything.add(f"kms: key {key_id}")
    return everything
