"""What Terraform makes where there is no AWS."""

import os
from pathlib import Path

import pytest

from tests.aws_contract import plans
from tests.support import provider


@pytest.fixture(scope="session")
def stacks(
    provider_program: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, plans.Stack]:
    """What Terraform makes in each of `plans.PLACES`."""
    log = tmp_path_factory.mktemp("provider") / "log"
    with provider.running(provider_program, log, plans.without_settings(os.environ)) as env:
        return plans.make(tmp_path_factory.mktemp("places"), env)
