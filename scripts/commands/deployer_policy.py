"""Print the policy of the role that applies the Terraform: what it needs, for one stack.

    image-converter deployer-policy --account 123456789012 --region eu-central-1 --part 1

terraform/deployer-policy.json.tftpl is the policy itself. Buckets, functions, roles, queues, ...
are this stack's by name, the key by its tag. What AWS gives no names to has `*` as its resource.
"""

import json
from collections.abc import Mapping
from string import Template
from typing import Any

import click

from scripts.lib import functions
from scripts.lib.deployed import DEFAULT_NAME
from scripts.lib.paths import TERRAFORM
from scripts.lib.user_errors import ExitStatus

TEMPLATE = TERRAFORM / "deployer-policy.json.tftpl"

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MANAGED_POLICY_LIMIT = 6_144

BUCKETS = ("source", "destination", "access-logs")
EXISTING = ("source", "destination")
FUNCTIONS = (*map(functions.on_aws, functions.FUNCTIONS), "destroy-guard")
REPORTER = "report-failure"  # of failures, where the stack sends events


def policy(  # noqa: PLR0913 - each is a fact about the stack
    account: str,
    region: str,
    name: str = DEFAULT_NAME,
    partition: str = "aws",
    *,
    bucket_names: Mapping[str, str | None] | None = None,
    existing: Mapping[str, str] | None = None,
    budget: bool = False,
    events: bool = False,
    backfill: bool = False,
    role_path: str = "/",
    permissions_boundary_arn: str | None = None,
) -> dict[str, Any]:
    """Return the policy.

    Parameters:
        account: the account's twelve digits.
        region: for example ``eu-central-1``.
        name: the stack's name, Terraform's variable `name`.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        bucket_names: names for buckets, as in Terraform's variable `bucket_names`, but with
            hyphens; those that are left out derive from the stack's.
        existing: names of existing buckets that the stack uses, by `source` and `destination`;
            these are only looked at.
        budget: whether the stack has a budget, Terraform's variable `monthly_budget_usd`.
        events: whether the stack sends events, Terraform's variable `events`.
        backfill: whether the stack has one, Terraform's variable `backfill`.
        role_path: Terraform's variable of that name.
        permissions_boundary_arn: Terraform's variable of that name. With it, roles can only be
            created, and given permissions, within the boundary.

    Raises:
        ValueError: there is no such bucket.
    """
    bucket_names, existing = bucket_names or {}, existing or {}
    if unknown := sorted(bucket_names.keys() - set(BUCKETS)):
        raise ValueError(f"there is no bucket {unknown[0]}: they are {', '.join(BUCKETS)}")
    buckets = [
        bucket_names.get(bucket) or f"{name}-{bucket}-{account}-{region}"
        for bucket in BUCKETS
        if bucket not in existing
    ]
    deployed = (*FUNCTIONS, REPORTER) if events else FUNCTIONS
    machines = [name, f"{name}-backfill"] if backfill else [name]
    names = {
        "existing": [f"s3:::{bucket}" for bucket in existing.values()],
        "buckets": [f"s3:::{bucket}" for bucket in buckets],
        "objects": [f"s3:::{bucket}/*" for bucket in buckets],
        # Without and with a version or an alias.
        "functions": [
            f"lambda:{region}:{account}:function:{name}-{function}{qualifier}"
            for function in deployed
            for qualifier in ("", ":*")
        ],
        "roles": [
            f"iam::{account}:role{role_path}{name}-{role}-{region}"
            for role in (*deployed, "state-machine", *(["backfill"] if backfill else []))
        ],
        "machines": [f"states:{region}:{account}:stateMachine:{machine}" for machine in machines],
    }
    arns = {
        placeholder: json.dumps([f"arn:{partition}:{resource}" for resource in resources])
        for placeholder, resources in names.items()
    }
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        arns,
        account=account,
        region=region,
        name=name,
        partition=partition,
        permissions_boundary_arn=permissions_boundary_arn,
    )
    document: dict[str, Any] = json.loads(text)
    needed = {
        "Budget": budget,
        "Events": events,
        "ExistingBuckets": bool(existing),
        "Rule": "source" in existing,
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        "RolesOnlyWithinTheBoundary": bool(permissions_boundary_arn),
    }
    statements = [
        statement for statement in document["Statement"] if needed.get(statement["Sid"], True)
    ]
    if permissions_boundary_arn:
        [allowed] = [statement for statement in statements if statement["Sid"] == "Roles"]
        allowed["Action"].append("iam:PutRolePermissionsBoundary")
    return {**document, "Statement": statements}


def parts(whole: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return policies that together say what one says, each as long as IAM takes it."""
    policies: list[dict[str, Any]] = []
    for statement in whole["Statement"]:
        for part in policies:
            longer = {**part, "Statement": [*part["Statement"], statement]}
            # IAM counts no white space.
            if len(json.dumps(longer, separators=(",", ":"))) <= MANAGED_POLICY_LIMIT:
                part["Statement"].append(statement)
                break
        else:
            policies.append({"Version": whole["Version"], "Statement": [statement]})
    return policies


_BUCKET_HELP = "Its name, where `bucket_names` gives one."


@click.command("deployer-policy")
@click.option("--account", required=True, help="Twelve digits.")
@click.option("--region", required=True)
@click.option("--name", default=DEFAULT_NAME, show_default=True, help="The stack's name.")
@click.option("--partition", default="aws", show_default=True)
@click.option("--source-bucket", help=_BUCKET_HELP)
@click.option("--destination-bucket", help=_BUCKET_HELP)
@click.option("--access-logs-bucket", help=_BUCKET_HELP)
@click.option(
    "--existing-source-bucket", help="Its name, where `existing_source_bucket` gives one."
)
@click.option(
    "--existing-destination-bucket",
    help="Its name, where `existing_destination_bucket` gives one.",
)
@click.option("--budget", is_flag=True, help="The stack has a budget, `monthly_budget_usd`.")
@click.option("--events", is_flag=True, help="The stack sends events, `events`.")
@click.option("--backfill", is_flag=True, help="The stack has a backfill, `backfill`.")
@click.option("--role-path", default="/", show_default=True, help="`role_path` of the stack.")
@click.option("--permissions-boundary-arn", help="`permissions_boundary_arn` of the stack.")
@click.option("--part", type=click.IntRange(1, 3), help="Default: the whole policy.")
def command(part: int | None, **options: Any) -> int:
    """Print the policy of the role that deploys the stack.

    It is JSON. The whole policy is longer than IAM allows; each part is short enough. There are two
    parts, or three with events or existing buckets and long names.
    """
    names = {bucket: options.pop(f"{bucket.replace('-', '_')}_bucket") for bucket in BUCKETS}
    existing = {bucket: options.pop(f"existing_{bucket}_bucket") for bucket in EXISTING}
    existing = {bucket: name for bucket, name in existing.items() if name}
    document = policy(**options, bucket_names=names, existing=existing)
    if part:
        documents = parts(document)
        if part > len(documents):
            raise click.UsageError(f"The policy has only {len(documents)} parts.")
        document = documents[part - 1]
    click.echo(json.dumps(document, indent=2))
    return ExitStatus.DONE
