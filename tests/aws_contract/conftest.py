"""What Terraform makes where there is no AWS."""

import os

import pytest

from tests.aws_contract import mocked_stacks
from tests.support.provider import Provider


@pytest.fixture(scope="session")
def stacks(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, mocked_stacks.Stack]:
    """What Terraform makes in each of `mocked_stacks.PLACES`."""
    with provider.running(mocked_stacks.without_settings(os.environ)) as env:
        return mocked_stacks.make(tmp_path_factory.mktemp("places"), env)
