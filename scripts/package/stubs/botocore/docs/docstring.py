"""Stands in for botocore's module of this name.

The real one loads an HTML parser and a writer of reStructuredText, to make docstrings of the
documentation in the models, which the layer does not carry.
"""


def _empty(**_about_the_method: object) -> str:
    """Return an empty docstring, where botocore's would write itself when it is read."""
    return ""


ClientMethodDocstring = PaginatorDocstring = WaiterDocstring = _empty
