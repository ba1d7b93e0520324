"""Which tests run in one worker, and which of them first, when pytest has several workers.

`make test` has four workers on two cores. What is expensive to make is made once, by the
worker that runs all tests of the group which share it; other tests stay with those of their file.
"""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

import pytest
from _pytest.nodeid import coerce_node_id

# By fixtures, the strongest claim first: a test that asks for several is in the first one's group.
_SHARED: Final = {
    "deployment": "deployment",
    "local_aws": "local AWS",
    "stacks": "stacks",
    "emulator": "emulator",
    "unguarded_aws": "unguarded",
    "host_package": "packages",
    "lambda_package": "packages",
    "changed_package": "packages",
    "configuration": "configuration",
    "report": "report",
}

# Groups that begin first, in this order: begun last, they would leave the other workers idle.
# Those that apply Terraform mostly wait; one that calculates is beside every two of them.
FIRST: Final = (
    "deployment",
    "tests/e2e/test_examples.py",
    "stacks",
    "tests/durability/conversion/test_strictness.py",
    "tests/aws_contract/test_interpreters.py",
    "emulator",
    "tests/durability/conversion/test_memory.py",
    "tests/durability/simulation/test_random.py",
    "tests/durability/simulation/test_exhaustive.py",
    "tests/e2e/test_existing_bucket.py",
    "tests/durability/service_faults/test_unlikely_faults.py",
    "tests/durability/service_faults/test_service_faults.py",
    "configuration",
    "unguarded",
    "local AWS",
)

_LOWER: Final = 5  # a third of the processor where others want it, too


def group(path: str, fixtures: Collection[str]) -> str:
    """Return the name of the group that a test belongs to.

    Args:
        path: the test's file.
        fixtures: the names of all fixtures that the test asks for, also through others.
    """
    return next((name for fixture, name in _SHARED.items() if fixture in fixtures), path)


def _group_of(item: pytest.Item, root: Path) -> str:
    path = item.path.relative_to(root).as_posix()
    return group(path, getattr(item, "fixturenames", ()))


def give_way(item: pytest.Item, root: Path) -> None:
    """Lower the priority of a worker, and of all that it starts, unless it runs the first group.

    That group takes as long as the others of all workers, so that nothing is to hold it up.
    """
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if is_worker and os.nice(0) == 0 and _group_of(item, root) != FIRST[0]:
        os.nice(_LOWER)


# Markers of tests that come late in their group, the last of all first.
_LATE: Final = ("ends_deployment", "changes_deployment")


def _rank(name: str) -> int:
    return FIRST.index(name) if name in FIRST else len(FIRST)


def arrange(items: list[pytest.Item], root: Path, *, name_groups: bool) -> None:
    """Put every test into its group, the groups of `FIRST` before the others.

    Within a group, what changes the deployment comes after everything that needs it unchanged,
    and what ends it comes last.

    Args:
        items: the tests, which are sorted in place.
        root: the folder that the groups' paths are relative to.
        name_groups: append @ and the group to the tests' ids, where `--dist loadgroup` looks for
            it. pytest-xdist 3.8 does that itself for pytest up to 9.1, whose attribute for the id
            had another name; there is no public way.
    """
    ranked_items = []
    for item in items:
        name = _group_of(item, root)
        if name_groups:
            item._id = coerce_node_id(f"{item.nodeid}@{name}")
        late = [item.get_closest_marker(marker) is not None for marker in _LATE]
        ranked_items.append(((_rank(name), *late), item))
    ranked_items.sort(key=lambda ranked: ranked[0])
    items[:] = [item for _, item in ranked_items]
