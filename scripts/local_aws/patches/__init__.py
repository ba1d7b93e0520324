"""All that touches ministack's private names: what it lacks for this project, put in from outside.

ministack moves fast and promises nothing about these names. So its version is pinned, importing
this package fails with a sentence when another one is installed, and a test lists every name that
is used, with its parameters. Nothing else may reach into ministack. Each module says what it puts
in and why, by service; `around` is how.
"""

from importlib.metadata import version

from scripts.local_aws.patches import (  # noqa: F401 - each marks what it replaces
    apigateway,
    around,
    cloudwatch,
    iam,
    lambda_,
    logs,
    s3,
    stepfunctions,
    stepfunctions_history,
    stepfunctions_logs,
    stepfunctions_maps,
    stepfunctions_sqs,
)

MINISTACK_VERSION = "1.5.33"


def check_version() -> None:
    """Fail with a sentence where ministack is not the one that the patches were written for."""
    installed = version("ministack")
    if installed != MINISTACK_VERSION:
        raise ImportError(
            f"ministack is {installed}, but the patches in scripts/local_aws/patches were "
            f"written against {MINISTACK_VERSION}. Run `make setup`; to use another version, "
            "first run tests/scripts/local_aws and the end-to-end tests with it."
        )


check_version()


def install() -> None:
    """Put everything in. Call once, before ministack serves."""
    around.install()
    stepfunctions_sqs.install()
