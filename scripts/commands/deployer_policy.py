"""Print the policy of the role that applies the Terraform: what it needs, for one stack.

    python -m scripts.commands.deployer_policy --account 123456789012 --region eu-central-1 --part 1

The whole is longer than IAM lets one policy be; each part, 1 or 2, is as long as a managed policy
may be.

terraform/deployer-policy.json.tftpl is the policy itself. Buckets, functions, roles, queues, ...
are this stack's by name, the key by its tag. What AWS gives no names to has `*` as its resource.
"""

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from string import Template
from typing import Any

from scripts.lib import functions
from scripts.lib.paths import TERRAFORM

TEMPLATE = TERRAFORM / "deployer-policy.json.tftpl"

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MANAGED_POLICY_LIMIT = 6_144

BUCKETS = ("source", "destination", "access-logs")
FUNCTIONS = (*map(functions.on_aws, functions.FUNCTIONS), "destroy-guard")


def policy(
    account: str,
    region: str,
    name: str = "image-converter",
    partition: str = "aws",
    *,
    bucket_names: Mapping[str, str] | None = None,
    budget: bool = False,
) -> dict[str, Any]:
    """Return the policy.

    Parameters:
        account: the account's twelve digits.
        region: for example ``eu-central-1``.
        name: the stack's name, Terraform's variable `name`.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        bucket_names: names for buckets, as in Terraform's variable `bucket_names`, but with
            hyphens; those that are left out derive from the stack's.
        budget: whether the stack has a budget, Terraform's variable `monthly_budget_usd`.

    Raises:
        ValueError: there is no such bucket.
    """
    chosen = dict(bucket_names or {})
    if unknown := sorted(chosen.keys() - set(BUCKETS)):
        raise ValueError(f"there is no bucket {unknown[0]}: they are {', '.join(BUCKETS)}")
    buckets = [chosen.get(each) or f"{name}-{each}-{account}-{region}" for each in BUCKETS]
    names = {
        "buckets": [f"s3:::{bucket}" for bucket in buckets],
        "objects": [f"s3:::{bucket}/*" for bucket in buckets],
        # Without and with a version or an alias.
        "functions": [
            f"lambda:{region}:{account}:function:{name}-{each}{qualifier}"
            for each in FUNCTIONS
            for qualifier in ("", ":*")
        ],
        "roles": [
            f"iam::{account}:role/{name}-{each}-{region}" for each in (*FUNCTIONS, "state-machine")
        ],
    }
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        {each: _arns(partition, found) for each, found in names.items()},
        account=account,
        region=region,
        name=name,
        partition=partition,
    )
    found: dict[str, Any] = json.loads(text)
    if not budget:
        found["Statement"] = [each for each in found["Statement"] if each["Sid"] != "Budget"]
    return found


def parts(whole: Mapping[str, Any], limit: int = MANAGED_POLICY_LIMIT) -> list[dict[str, Any]]:
    """Return policies that together say what one says, each as long as IAM takes it."""
    found: list[dict[str, Any]] = []
    for statement in whole["Statement"]:
        for part in found:
            if _length([*part["Statement"], statement]) <= limit:
                part["Statement"].append(statement)
                break
        else:
            found.append({"Version": whole["Version"], "Statement": [statement]})
    return found


def _length(statements: Sequence[Mapping[str, Any]]) -> int:
    """Return how long a policy is to IAM, which counts no white space."""
    policy = {"Version": "2012-10-17", "Statement": statements}
    return len(json.dumps(policy, separators=(",", ":")))


def _arns(partition: str, resources: Iterable[str]) -> str:
    return json.dumps([f"arn:{partition}:{resource}" for resource in resources])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the policy as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--account", required=True, help="twelve digits")
    parser.add_argument("--region", required=True)
    parser.add_argument("--name", default="image-converter", help="Terraform's variable `name`")
    parser.add_argument("--partition", default="aws")
    for bucket in BUCKETS:
        parser.add_argument(f"--{bucket}-bucket", help="its name, where `bucket_names` gives one")
    parser.add_argument(
        "--budget", action="store_true", help="the stack has a budget, `monthly_budget_usd`"
    )
    parser.add_argument("--part", type=int, choices=(1, 2), help="default: the whole")
    chosen = vars(parser.parse_args(arguments))
    given = {each: chosen[f"{each.replace('-', '_')}_bucket"] for each in BUCKETS}
    made = policy(
        chosen["account"],
        chosen["region"],
        chosen["name"],
        chosen["partition"],
        bucket_names={bucket: name for bucket, name in given.items() if name},
        budget=chosen["budget"],
    )
    if chosen["part"]:
        made = parts(made)[chosen["part"] - 1]
    print(json.dumps(made, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
