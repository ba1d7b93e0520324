"""The plan of the deployed stack, which several tests read."""

from typing import Any

import pytest

from tests.conftest import Deployment


@pytest.fixture(scope="session")
def plan(deployment: Deployment) -> dict[str, Any]:
    """Terraform's plan with every value known, since everything is applied."""
    return deployment.stack.planned()
