"""Filter patterns of CloudWatch Logs for lines that are JSON.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

Matches = Callable[[Any], bool]

_TOKEN = re.compile(
    r'\s*(?:(\(|\)|&&|\|\|)|(\$[\w.]+)\s*(=|!=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s()]+)))'
)


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """Return a function that says whether a line fits a pattern in braces.

    Selectors are compared with = and != to text, in which `*` stands for any other text, and may be
    combined with &&, || and parentheses.

    Raises:
        ValueError: the pattern is none of that form.
    """
    inner = pattern.strip().removeprefix("{").removesuffix("}")
    tokens = list(_tokens(inner))
    matches = _any(tokens)
    if tokens:
        raise ValueError(f"not a filter pattern: {pattern}")

    def fits(line: str) -> bool:
        try:
            return matches(json.loads(line))
        except ValueError:
            return False

    return fits


def _tokens(text: str) -> Iterator[tuple[str, ...]]:
    place = 0
    while text[place:].strip():
        token = _TOKEN.match(text, place)
        if token is None:
            raise ValueError(f"not a filter pattern: {text}")
        place = token.end()
        sign, selector, operator, quoted, bare = token.groups()
        if sign:
            yield (sign,)
        else:
            wanted = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else bare
            yield (selector, operator, wanted)


def _any(tokens: list[tuple[str, ...]]) -> Matches:
    parts = [_all(tokens)]
    while tokens and tokens[0] == ("||",):
        tokens.pop(0)
        parts.append(_all(tokens))
    return lambda line: any(part(line) for part in parts)


def _all(tokens: list[tuple[str, ...]]) -> Matches:
    parts = [_term(tokens)]
    while tokens and tokens[0] == ("&&",):
        tokens.pop(0)
        parts.append(_term(tokens))
    return lambda line: all(part(line) for part in parts)


def _term(tokens: list[tuple[str, ...]]) -> Matches:
    if not tokens:
        raise ValueError("a filter pattern ends early")
    first = tokens.pop(0)
    if first == ("(",):
        inner = _any(tokens)
        if not tokens or tokens.pop(0) != (")",):
            raise ValueError("a filter pattern lacks a parenthesis")
        return inner
    if len(first) == 1:
        raise ValueError(f"a filter pattern has {first[0]} where a selector should be")
    selector, operator, wanted = first
    # fnmatch also knows ? and [, which are text here.
    glob = re.sub(r"[\[?]", r"[\g<0>]", wanted)

    def compare(line: Any) -> bool:
        value = line
        for name in selector.removeprefix("$.").split("."):
            value = value.get(name) if isinstance(value, dict) else None
        if value is None:
            return False
        text = value if isinstance(value, str) else json.dumps(value)
        return fnmatchcase(text, glob) is (operator == "=")

    return compare
