"""The state machine's definition, rendered as Terraform's `templatefile` renders it.

The template holds substitutions only, so both agree on everything that it can say.
"""

import re
from collections.abc import Mapping

from scripts.lib.paths import REPOSITORY

TEMPLATE = REPOSITORY / "asl" / "image_converter.asl.json"

_PLACEHOLDER = re.compile(r"\$\{([a-z0-9_]+)\}")


def template() -> str:
    """Return the text of the state machine's template."""
    return TEMPLATE.read_text(encoding="utf-8")


def render(template: str, values: Mapping[str, object]) -> str:
    """Return the template with every `${name}` replaced by that value's text.

    Raises:
        KeyError: the template names a value that is not there.
    """
    return _PLACEHOLDER.sub(lambda placeholder: str(values[placeholder[1]]), template)


def placeholders(template: str) -> set[str]:
    """Return the names of the values that the template needs."""
    return set(_PLACEHOLDER.findall(template))
