"""Check a state machine's definition (Amazon States Language) before anything is deployed.

The rules are statelint's, a Python port of the validator by AWS Labs.
"""

import json
import re

from statelint.config import Config
from statelint.linter import Linter
from statelint.problem import ProblemType

# statelint wants 2.0 where AWS takes 2 as well.
_CONFIG = Config(ignored_problem_types={ProblemType.FLOAT})

# Fields of a Distributed Map that statelint does not know:
# https://docs.aws.amazon.com/step-functions/latest/dg/input-output-itemreader.html
# https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
_UNKNOWN_TO_STATELINT = re.compile(
    r'Field "(InputType|CSVHeaderLocation|WriterConfig)" not allowed in '
    r".*\.(ItemReader\.ReaderConfig|ResultWriter)"
)


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
    return [sentence for sentence in sentences if not _UNKNOWN_TO_STATELINT.fullmatch(sentence)]
