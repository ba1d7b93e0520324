"""A simulated pipeline, and what must not have happened twice in it."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from tests.durability.simulation.machine import Machine, definition
from tests.durability.simulation.replay import Handlers
from tests.durability.simulation.storage import DESTINATION
from tests.durability.simulation.system import State, System


@contextmanager
def pipeline(handlers: Handlers, *, through_the_bus: bool = False) -> Iterator[System]:
    """Yield a pipeline of these handlers, which work on the simulated services meanwhile."""
    with handlers.installed():
        machine = Machine(handlers, definition())
        yield System(handlers, machine, through_the_bus=through_the_bus)


def written_twice(state: State, origin: Callable[[dict[str, str]], Hashable]) -> list[str]:
    """Return a sentence for each destination key that has two objects of one origin.

    Parameters:
        origin: returns what an object was made from, by its metadata; None for no matter what.
    """
    sentences = []
    for (bucket, key), history in state.storage.objects:
        if bucket == DESTINATION:
            written = (version for version in history if version.body is not None)
            counts = Counter(origin(dict(version.metadata)) for version in written)
            sentences += [
                f"'{key}' was written twice from {source}"
                for source, times in counts.items()
                if source is not None and times > 1
            ]
    return sentences
