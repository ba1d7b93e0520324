"""This project's Terraform, applied to a local AWS."""

from pathlib import Path

from scripts.lib import deployed
from scripts.lib.aws import Clients
from scripts.lib.deployed import Deployment
from scripts.lib.paths import PACKAGE_LOCAL
from scripts.lib.terraform_stack import Report, Stack, ignore_progress
from scripts.local_aws.instance import LocalAws


def apply(
    aws: LocalAws, directory: Path, report: Report = ignore_progress, **variables: object
) -> tuple[Stack, Clients, Deployment]:
    """Apply it; return what can destroy it, clients for this AWS, and the stack as AWS has it.

    Parameters:
        aws: the local AWS, which runs.
        directory: the work folder of Terraform's.
        report: called with each step.
        variables: values for Terraform's variables, besides force_destroy.

    Raises:
        TerraformError: it failed; the message carries Terraform's own.
    """
    values = {"force_destroy": True, **variables}
    made = Stack(directory, aws.env, package=PACKAGE_LOCAL, variables=values)
    made.init()
    made.apply(report)
    clients = Clients(aws.env)
    return made, clients, deployed.find(clients, deployed.DEFAULT_NAME)
