"""How a function of the emulator's is replaced by another one that is written around it."""

import functools
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

Function = Callable[..., Any]
Replacement = TypeVar("Replacement", bound=Callable[..., Any])

# The replaced function, its importers and the replacement, in the order of the modules' import.
_REPLACEMENTS: list[tuple[Function, tuple[ModuleType, ...], Function]] = []


def around(replaced: Function, *importers: ModuleType) -> Callable[[Replacement], Replacement]:
    """Mark a function to be called instead of one of the emulator's.

    Its first argument is the function that it replaces; the others are those of the call.

    Parameters:
        replaced: the emulator's function.
        importers: other modules of the emulator that have imported it by its name.
    """

    def mark(replacement: Replacement) -> Replacement:
        _REPLACEMENTS.append((replaced, importers, replacement))
        return replacement

    return mark


def install() -> None:
    """Put all functions that were marked in the places of those that they replace."""
    for marked, importers, replacement in _REPLACEMENTS:
        home, name = sys.modules[marked.__module__], marked.__name__
        replaced = getattr(home, name)  # it may have been replaced before
        called = functools.wraps(replaced)(functools.partial(replacement, replaced))
        for place in (home, *importers):
            setattr(place, name, called)
