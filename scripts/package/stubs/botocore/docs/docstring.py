"""Stands in for botocore's module of this name.

The real one loads an HTML parser and a writer of reStructuredText, to make docstrings of the
documentation in the models, which the layer does not carry.
"""

from __future__ import annotations

from typing import Self


class LazyLoadedDocstring(str):
    """An empty docstring, where botocore's would write itself when it is read."""

    __slots__ = ()

    def __new__(cls, *_args: object, **_kwargs: object) -> Self:
        """Accept whatever botocore passes about the method."""
        return super().__new__(cls)


class ClientMethodDocstring(LazyLoadedDocstring):
    """Of a client's method."""

    __slots__ = ()


class WaiterDocstring(LazyLoadedDocstring):
    """Of a waiter."""

    __slots__ = ()


class PaginatorDocstring(LazyLoadedDocstring):
    """Of a paginator."""

    __slots__ = ()
