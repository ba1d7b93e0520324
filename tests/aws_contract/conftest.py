"""What Terraform makes where there is no AWS."""

import pytest

from tests.aws_contract import plans


@pytest.fixture(scope="session")
def stacks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, plans.Stack]:
    """What Terraform makes in each of `plans.PLACES`."""
    return plans.make(tmp_path_factory.mktemp("places"))
