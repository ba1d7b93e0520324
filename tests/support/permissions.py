"""The policies of the functions' roles, as pairs of an action and a resource."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.lib.aws import Clients
from tests.conftest import Deployment

POLICY = "work"

Policy = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Permission:
    """One thing that a function may do.

    Attributes:
        function: as in Terraform, for example ``copy_file``.
        action: for example ``s3:GetObject``.
        resource: what of this stack, by the names that `names` gives.
    """

    function: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.function} {self.action} on {self.resource}"


def names(deployment: Deployment) -> dict[str, str]:
    """Return a short name for the ARN of everything that a policy of this stack may name."""
    outputs = deployment.outputs
    region, account = outputs["state_machine_arn"].split(":")[3:5]
    labels = {
        "*": "everything",
        outputs["state_machine_arn"]: "state machine",
        outputs["kms_key_arn"]: "key",
        f"arn:aws:sqs:{region}:{account}:{outputs['queue_url'].rsplit('/', 1)[1]}": "queue",
        f"arn:aws:dynamodb:{region}:{account}:table/{outputs['table_name']}": "table",
    }
    for bucket in ("source", "destination"):
        arn = f"arn:aws:s3:::{outputs[f'{bucket}_bucket']}"
        labels |= {arn: bucket, f"{arn}/*": f"{bucket} objects"}
    for function, group in outputs["log_groups"].items():
        labels[f"arn:aws:logs:{region}:{account}:log-group:{group}:*"] = f"logs of {function}"
    return labels


def role_name(clients: Clients, function_name: str) -> str:
    """Return the name of a function's role."""
    role = clients.functions.get_function_configuration(FunctionName=function_name)["Role"]
    return role.rsplit("/", 1)[1]


def read(clients: Clients, role: str) -> Policy:
    """Return the one policy of a role.

    Raises:
        AssertionError: the role has another policy, too.
    """
    inline = clients.iam.list_role_policies(RoleName=role)["PolicyNames"]
    attached = clients.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    assert (inline, attached) == ([POLICY], []), f"{role} has {inline} and {attached}"
    document: Any = clients.iam.get_role_policy(RoleName=role, PolicyName=POLICY)["PolicyDocument"]
    return dict(document)


def write(clients: Clients, role: str, policy: Policy) -> None:
    """Give a role its policy."""
    clients.iam.put_role_policy(RoleName=role, PolicyName=POLICY, PolicyDocument=json.dumps(policy))


def pairs(policy: Policy) -> Iterator[tuple[str, str]]:
    """Yield each action with each resource that it is allowed on."""
    for statement in policy["Statement"]:
        assert statement["Effect"] == "Allow"
        assert statement.keys() <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        for action in statement["Action"]:
            for resource in statement["Resource"]:
                yield action, resource


def without(policy: Policy, action: str, resource: str) -> Policy:
    """Return the policy with one pair taken out."""
    statements: list[dict[str, Any]] = []
    for statement in policy["Statement"]:
        if action not in statement["Action"] or resource not in statement["Resource"]:
            statements.append(statement)
            continue
        actions = [allowed for allowed in statement["Action"] if allowed != action]
        resources = [allowed for allowed in statement["Resource"] if allowed != resource]
        if actions:
            statements.append({**statement, "Action": actions})
        if resources:
            statements.append({**statement, "Action": [action], "Resource": resources})
    return {**policy, "Statement": statements}
