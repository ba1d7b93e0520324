"""Check a state machine's definition (Amazon States Language) before anything is deployed.

    python -m scripts.lib.asl_check FILE...

The rules are statelint's, a Python port of the validator by AWS Labs.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

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
    found: list[str] = Linter.validate(machine, _CONFIG)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Check the files that the command line names; the exit status is 1 if any has a problem."""
    parser = argparse.ArgumentParser(description="Check Amazon States Language files.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    failed = False
    for file in parser.parse_args(arguments).files:
        for problem in problems(file.read_text(encoding="utf-8")):
            failed = True
            print(f"{file}: {problem}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
