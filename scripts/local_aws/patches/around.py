"""How a function of the emulator's is replaced by one that is written around it."""

import functools
import sys
from collections import defaultdict
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

Replaced = Callable[..., Any]
Replacement = TypeVar("Replacement", bound=Callable[..., Any])

# By the module of the replacements: the replaced function, its importers and the replacement.
_REPLACEMENTS: dict[str, list[tuple[Replaced, tuple[ModuleType, ...], Replaced]]] = defaultdict(
    list
)


def around(replaced: Replaced, *importers: ModuleType) -> Callable[[Replacement], Replacement]:
    """Mark a function to be called instead of one of the emulator's.

    It is given the function that it replaces, and then what that one would be given.

    Parameters:
        replaced: the emulator's function.
        importers: other modules of the emulator that have imported it by its name.
    """

    def mark(replacement: Replacement) -> Replacement:
        _REPLACEMENTS[replacement.__module__].append((replaced, importers, replacement))
        return replacement

    return mark


def install(module: ModuleType) -> None:
    """Put the functions that a module has marked in the places of those that they replace."""
    for marked, importers, replacement in _REPLACEMENTS[module.__name__]:
        home, name = sys.modules[marked.__module__], marked.__name__
        replaced = getattr(home, name)  # another module may have replaced it before
        called = functools.wraps(replaced)(functools.partial(replacement, replaced))
        for place in (home, *importers):
            setattr(place, name, called)
