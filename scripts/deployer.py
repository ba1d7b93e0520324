"""Print the policy of the role that applies the Terraform: what it needs, for one stack.

    python -m scripts.deployer --account 123456789012 --region eu-central-1 > deployer.json

terraform/deployer-policy.json.tftpl is the policy itself. Buckets, functions, roles, queues, ...
are this stack's by name, the key by its tag. What AWS gives no names to has `*` as its resource.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

TEMPLATE = Path(__file__).resolve().parent.parent / "terraform" / "deployer-policy.json.tftpl"


def policy(
    account: str, region: str, name: str = "image-converter", partition: str = "aws"
) -> dict[str, Any]:
    """Return the policy.

    Parameters:
        account: the account's twelve digits.
        region: for example ``eu-central-1``.
        name: the stack's name, Terraform's variable `name`.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
    """
    text = Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        account=account, region=region, name=name, partition=partition
    )
    found: dict[str, Any] = json.loads(text)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the policy as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--account", required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--name", default="image-converter")
    parser.add_argument("--partition", default="aws")
    chosen = parser.parse_args(arguments)
    made = policy(chosen.account, chosen.region, chosen.name, chosen.partition)
    print(json.dumps(made, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
