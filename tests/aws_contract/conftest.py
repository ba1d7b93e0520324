"""What Terraform makes where there is no AWS."""

import os

import pytest

from tests.aws_contract import plans
from tests.support.provider import Provider


@pytest.fixture(scope="session")
def stacks(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> dict[str, plans.Stack]:
    """What Terraform makes in each of `plans.PLACES`."""
    with provider.running(plans.without_settings(os.environ)) as env:
        return plans.make(tmp_path_factory.mktemp("places"), env)
