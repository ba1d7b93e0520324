"""The state machines' definitions, rendered as Terraform's `templatefile` renders it.

The template holds substitutions only, so both agree on everything that it can say.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from scripts.lib.paths import REPOSITORY

_FOLDER = REPOSITORY / "asl"
TEMPLATE = _FOLDER / "image_converter.asl.json"
BACKFILL = _FOLDER / "backfill.asl.json"
BACKFILL_BATCH = _FOLDER / "backfill_batch.asl.json"  # the children's states

_PLACEHOLDER = re.compile(r"\$\{([a-z0-9_]+)\}")


def template(file: Path = TEMPLATE) -> str:
    """Return the text of a template."""
    return file.read_text(encoding="utf-8")


def render(template: str, values: Mapping[str, object]) -> str:
    """Return the template with every `${name}` replaced by that value's text.

    Raises:
        KeyError: the template names a value that is not there.
    """
    return _PLACEHOLDER.sub(lambda placeholder: str(values[placeholder[1]]), template)


def placeholders(template: str) -> set[str]:
    """Return the names of the values that the template needs."""
    return set(_PLACEHOLDER.findall(template))
