"""Check a state machine's definition (Amazon States Language) before anything is deployed.

The rules are statelint's, a Python port of the validator by AWS Labs.
"""

import json

from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

# statelint wants 2.0 where AWS takes 2 as well.
_CONFIG = Config(ignored_problem_types={ProblemType.FLOAT})


def problems(definition: str) -> list[str]:
    """Return what is wrong with a definition, a sentence each; an empty list if nothing is.

    Parameters:
        definition: the JSON text, with every substitution made.
    """
    try:
        machine = json.loads(definition)
    except ValueError as error:
        return [f"the definition is not JSON: {error}"]
    if not isinstance(machine, dict):
        return ["the definition is not a JSON object"]
    sentences: list[str] = Linter.validate(machine, _CONFIG)
    return sentences
