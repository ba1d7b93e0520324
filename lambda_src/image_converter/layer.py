"""Refuses to work with any other layer than the one that the code was built with.

Terraform updates a function's layer and its code by two requests, so for some seconds old code runs
with new libraries, a combination that nobody has tested. Until the second request, each invocation
therefore fails before it does anything; the callers try again.
"""

from importlib import import_module

from image_converter import built_with
from image_converter.errors import LayerMismatch

MODULE = "image_converter_layer"  # in the layer; written by the package build, as `built_with` is


def check() -> None:
    """Refuse to go on with another layer; called first by every handler.

    Code that was not built by `make package` has no stamp, and works with any layer.

    Raises:
        LayerMismatch: the layer is of another build than the code.
    """
    if built_with.LAYER is not None and (stamp := _stamp()) != built_with.LAYER:
        raise LayerMismatch(
            f"the code was built with the layer {built_with.LAYER}, and this one is {stamp}: the "
            "function is being updated and works again once that has ended. If the update was "
            "interrupted, run `terraform apply` again"
        )


def _stamp() -> str | None:
    """Return the stamp of the layer, or None if it has none."""
    try:
        return str(import_module(MODULE).STAMP)
    except ImportError:
        return None
