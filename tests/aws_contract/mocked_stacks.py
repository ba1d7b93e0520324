"""What Terraform makes in several regions and partitions, without any AWS.

`terraform test` applies against a mocked provider, so that every value is known. Its verbose JSON
output has all of them.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.lib import terraform_cli
from scripts.lib.paths import REPOSITORY
from tests.support import terraform_changes

# The region in terraform/tests/mocks.
_MOCKED_REGION = "eu-central-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Place:
    """Where, and with which settings, to apply.

    Attributes:
        suffix: of AWS's domain names there.
        variables: values for Terraform's variables.
    """

    region: str
    partition: str = "aws"
    suffix: str = "amazonaws.com"
    variables: Mapping[str, Any] = field(default_factory=dict)


_WHOLE = {
    "alarm_email": "someone@example.com",
    "monthly_budget_usd": 50,
    "upload_jwt": {"issuer": "https://example.com", "audience": ["uploads"]},
    "functions": {"upload": {"snap_start": True}},
    "backfill": {"enabled": True},
}

PLACES = {
    "virginia": Place("us-east-1"),
    # All options, in two regions of one account.
    "ireland": Place("eu-west-1", variables=_WHOLE),
    "singapore": Place("ap-southeast-1", variables=_WHOLE),
    "beijing": Place("cn-north-1", "aws-cn", "amazonaws.com.cn"),
    "govcloud": Place(
        "us-gov-west-1", "aws-us-gov", variables={"alarm_email": "someone@example.com"}
    ),
    # As long as a name may be, where regions' names are longest.
    "longest": Place(
        "ap-southeast-1",
        variables={"name": "a234567890-234567890-23", "backfill": {"enabled": True}},
    ),
    "express": Place(
        "eu-west-1",
        variables={
            "workflow_type": "EXPRESS",
            "upload_jwt": {"issuer": "https://example.com", "audience": ["uploads"]},
        },
    ),
}


@dataclass(frozen=True)
class Stack:
    """What there would be: the values of every resource by address."""

    resources: Mapping[str, dict[str, Any]]

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the resources of one type by address."""
        return {
            address: values
            for address, values in self.resources.items()
            if kind_of(address) == kind
        }

    def strings(self) -> Iterator[tuple[str, str]]:
        """Yield every string with the address of its resource."""
        for address, values in self.resources.items():
            for text in _strings(values):
                yield address, text


def kind_of(address: str) -> str:
    """Return a resource's type."""
    kind = re.search(r"(?:^|\.)((?:aws|terraform)_\w+)\.", address)
    assert kind, address
    return kind[1]


def make(directory: Path, env: Mapping[str, str]) -> dict[str, Stack]:
    """Return what there would be in each of PLACES.

    Args:
        directory: an empty folder to work in.
        env: the environment of Terraform, without anybody's settings.
    """
    root = directory / "terraform"
    ignore = shutil.ignore_patterns(".terraform", "*.tfstate*", "*.tfvars*", "backend.tf")
    shutil.copytree(REPOSITORY / "terraform", root, ignore=ignore)
    for own in (root / "tests").glob("*.tftest.hcl"):
        own.unlink()
    mocks = (root / "tests" / "mocks" / "aws.tfmock.hcl").read_text(encoding="utf-8")
    for name, place in PLACES.items():
        _write_test(root / "tests", name, place, mocks)
    env = terraform_cli.environment(env)
    terraform_cli.init(root, env, "-backend=false", "-lockfile=readonly")
    done = subprocess.run(
        [str(terraform_cli.terraform_binary()), f"-chdir={root}", "test", "-json", "-verbose"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    messages = done.stdout.splitlines()
    assert done.returncode == 0, [m for m in messages if '"type":"diagnostic"' in m]
    return dict(_stack(message) for message in messages if '"test_state":{' in message)


def _stack(message: str) -> tuple[str, Stack]:
    """Return a run's name and stack from its message, of which 99 percent are a schema."""
    decoder = json.JSONDecoder()

    def value(name: str) -> Any:
        return decoder.raw_decode(message, message.index(f'"{name}":') + len(name) + 3)[0]

    made = terraform_changes.managed(value("root_module"))
    return value("@testrun"), Stack({resource["address"]: resource["values"] for resource in made})


def without_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without anybody's settings of AWS and Terraform."""
    foreign = ("AWS_", "TF_VAR_", "TF_CLI_ARGS", "TF_DATA_DIR", "TF_WORKSPACE", "TF_LOG")
    return {name: value for name, value in env.items() if not name.startswith(foreign)}


def _write_test(tests: Path, name: str, place: Place, mocks: str) -> None:
    folder = tests / f"mocks-{name}"
    folder.mkdir()
    text = (
        mocks.replace(_MOCKED_REGION, place.region)
        .replace("arn:aws:", f"arn:{place.partition}:")
        .replace(".amazonaws.com/", f".{place.suffix}/")
        .replace('partition  = "aws"', f'partition  = "{place.partition}"')
        .replace('dns_suffix = "amazonaws.com"', f'dns_suffix = "{place.suffix}"')
    )
    (folder / "aws.tfmock.hcl").write_text(text, encoding="utf-8")
    variables = {"package_dir": "./tests/package", **place.variables}
    lines = "\n".join(f"  {key} = jsondecode({_quoted(value)})" for key, value in variables.items())
    (tests / f"{name}.tftest.hcl").write_text(
        f'mock_provider "aws" {{\n  source = "./tests/mocks-{name}"\n}}\n'
        f"variables {{\n{lines}\n}}\n"
        f'run "{name}" {{\n  command = apply\n}}\n',
        encoding="utf-8",
    )


def _quoted(value: Any) -> str:
    """Return the value's JSON as a string of HCL."""
    return json.dumps(json.dumps(value))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
