"""A local AWS for stacks that tests make without Terraform, each in a moment."""

from collections.abc import Iterator

import pytest

from scripts.local_aws import LocalAws


@pytest.fixture
def workflow_type() -> str:
    """The type of a stack's state machine; what is tested for both types is parametrised."""
    return "STANDARD"


@pytest.fixture(scope="session")
def unguarded_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS that enforces no IAM policy: whatever reaches it is done."""
    with LocalAws(tmp_path_factory.mktemp("unguarded")) as aws:
        yield aws
