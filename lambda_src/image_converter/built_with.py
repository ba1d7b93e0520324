"""The stamp of the layer that this code was built with; a package build fills it in."""

LAYER: str | None = None
