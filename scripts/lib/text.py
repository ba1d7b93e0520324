"""Values as people read them: durations, sizes, money, causes, JSON."""

import json
import re
from typing import Any

from markupsafe import Markup

_KIB = 1024
_MISSING = object()
_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)"
)


def duration(seconds: float) -> str:
    """Return a duration: 87 ms, 3.2 s, 2 min 5 s, 1 h 4 min."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.95:  # noqa: PLR2004 - below it a tenth of a second matters
        return f"{seconds:.1f} s"
    minutes, whole = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole} s" if minutes else f"{whole} s"


def size(count: float) -> str:
    """Return a number of bytes: 512 B, 34 KB, 1.2 MB."""
    for unit in ("B", "KB", "MB"):
        if count < _KIB:
            return f"{count:.0f} {unit}" if count >= 10 or unit == "B" else f"{count:.1f} {unit}"  # noqa: PLR2004
        count /= _KIB
    return f"{count:.1f} GB"


def money(dollars: float) -> str:
    """Return an amount, small ones with the digits that say something: $0.000187."""
    if dollars == 0:
        return "$0"
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.7f}".rstrip("0")


def counted(number: int, thing: str, things: str | None = None) -> str:
    """Return a number with its noun: 1 attempt, 2 attempts."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"


def sentence(error: str | None, cause: str | None) -> str:
    """Return an error as one sentence: its name, and the message out of Lambda's error object."""
    details = json_object(cause or "")
    message = details.get("errorMessage") or details.get("message") or cause
    return ": ".join(str(part) for part in (error, message) if part)


def trace(cause: str) -> str:
    """Return the stack trace out of Lambda's error object, or an empty string."""
    lines = json_object(cause).get("stackTrace") or []
    return "".join(str(line) for line in lines).rstrip()


def pretty(text: str | None) -> str:
    """Return a JSON text indented; other text unchanged."""
    if text is None:
        return ""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def added(output: str, state_input: str | None) -> str:
    """Return what of a JSON text is not in another one, as JSON; empty where that is nothing."""
    difference = _difference(json_object(output), json_object(state_input or ""))
    return json.dumps(difference, ensure_ascii=False) if difference else ""


def _difference(output: dict[str, Any], state_input: dict[str, Any]) -> dict[str, Any]:
    difference: dict[str, Any] = {}
    for name, value in output.items():
        old = state_input.get(name, _MISSING)
        if value != old:
            are_objects = isinstance(value, dict) and isinstance(old, dict)
            difference[name] = _difference(value, old) if are_objects else value
    return difference


def coloured(text: str) -> Markup:
    """Return a JSON text as HTML with its parts marked."""
    coloured_text, end = Markup(), 0
    for token in _TOKEN.finditer(text):
        part = Markup('<span class="j-{}">{}</span>').format(token.lastgroup, token.group())
        coloured_text += text[end : token.start()] + part
        end = token.end()
    return coloured_text + text[end:]


def json_object(text: str) -> dict[str, Any]:
    """Return the JSON object that a text is; an empty one where it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
