"""Filter patterns of CloudWatch Logs for lines that are JSON.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import ast
import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

Matches = Callable[[Any], bool]

_COMPARISON = re.compile(r'\$\.([\w.]+)\s*(=|!=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s()]+))')
_BETWEEN = re.compile(r"[\s()&|]*")  # what may be between comparisons


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that says whether a line fits a pattern in braces.

    Selectors are compared with = and != to text, in which `*` stands for any other text, and may be
    combined with &&, || and parentheses.

    Raises:
        ValueError: the pattern is not of that form.
    """
    comparisons: list[Matches] = []

    def number(comparison: re.Match[str]) -> str:
        comparisons.append(_compare(*comparison.groups()))
        return f" {len(comparisons) - 1} "

    # Of numbers, `and`, `or` and parentheses: Python's parser knows what binds more strongly.
    inner = pattern.strip().removeprefix("{").removesuffix("}")
    well_formed = _BETWEEN.fullmatch(_COMPARISON.sub("", inner))
    numbers = _COMPARISON.sub(number, inner) if well_formed else ""
    expression = numbers.replace("&&", " and ").replace("||", " or ").strip()
    try:
        matches = _combine(ast.parse(expression, mode="eval").body, comparisons)
    except (SyntaxError, IndexError) as error:
        raise ValueError(f"not a filter pattern: {pattern}") from error

    def fits(line: str) -> bool:
        try:
            return matches(json.loads(line))
        except ValueError:
            return False

    return fits


def _combine(node: ast.expr, comparisons: list[Matches]) -> Matches:
    match node:
        case ast.Constant(value=int(place)):
            return comparisons[place]
        case ast.BoolOp(op=operator, values=nodes):
            parts = [_combine(part, comparisons) for part in nodes]
            combined = all if isinstance(operator, ast.And) else any
            return lambda line: combined(part(line) for part in parts)
    raise SyntaxError


def _compare(selector: str, operator: str, quoted: str | None, bare: str | None) -> Matches:
    text = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    # fnmatch also knows ? and [, which are text here.
    glob = re.sub(r"[\[?]", r"[\g<0>]", text or "")

    def compare(line: Any) -> bool:
        value = line
        for name in selector.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return False
        text = value if isinstance(value, str) else json.dumps(value)
        return fnmatchcase(text, glob) is (operator == "=")

    return compare
