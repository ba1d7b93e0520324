"""Write docs/fidelity.md: what was exercised where, read from the tests. `make docs` runs it.

The tests are collected, not run. What they show is their module's docstring. Where a test runs
follows from its mark `e2e` and the fixtures it asks for; otherwise another mark says it:
`@pytest.mark.exercised("moto")`.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from scripts.lib import generated
from scripts.lib.paths import DOCS, REPOSITORY
from tests.aws_contract import differences, only_on_aws, test_emulator_events
from tests.aws_contract.limits import LIMITS

REPORT = DOCS / "fidelity.md"

# In the order of the columns: what a test needs least comes first.
PLACES = {
    "code": "the project's code alone",
    "schema": "AWS's own models and schemas: botocore's, the States Language's, the provider's",
    "moto": "moto: S3, DynamoDB, and the interpreter derived from LocalStack's",
    "terraform": "Terraform with the real provider; AWS's responses are mocked",
    "local": "the local AWS: ministack, with functions under AWS's own Lambda runtime client",
}

_FIXTURES = {
    "cloud": "moto",
    "moto_s3": "moto",
    "stubs": "schema",
    "calls": "schema",
    "stacks": "terraform",
    "terraform": "terraform",
    "configuration": "terraform",
    "installed": "terraform",
    "aws": "local",
    "emulator": "local",
    "local_aws": "local",
    "deployment": "local",
    "unguarded_aws": "local",
}


@dataclass
class Row:
    """A module of tests.

    Attributes:
        what: the first sentence of its docstring.
        places: where its tests run.
    """

    what: str
    places: set[str] = field(default_factory=set)


class _Collector:
    """Keeps what pytest collects."""

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = session.items


def rows(items: Iterable[pytest.Item]) -> Mapping[str, Row]:
    """Return every module of these tests by its path."""
    found: dict[str, Row] = {}
    for item in items:
        if isinstance(item, pytest.Function):
            path = item.path.relative_to(REPOSITORY).as_posix()
            row = found.setdefault(path, Row(_first_sentence(path, item.module.__doc__)))
            row.places |= set(_places(item))
    return dict(sorted(found.items()))


def _places(item: pytest.Function) -> Iterator[str]:
    marked = [marker.args[0] for marker in item.iter_markers("exercised")]
    places = {place for name, place in _FIXTURES.items() if name in item.fixturenames}
    if item.get_closest_marker("e2e"):
        places.add("local")
    yield from marked or places or ["code"]


def _first_sentence(path: str, docstring: str | None) -> str:
    if not docstring:
        raise ValueError(f"{path} needs a docstring that says what its tests show")
    paragraph = " ".join(docstring.strip().split("\n\n")[0].split())
    return paragraph.removesuffix(".")


def collect() -> Sequence[pytest.Item]:
    """Return every test."""
    collector = _Collector()
    arguments = ["--collect-only", "-q", "-p", "no:cacheprovider", str(REPOSITORY / "tests")]
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        status = pytest.main(arguments, plugins=[collector])
    if status != pytest.ExitCode.OK:
        raise SystemExit(f"the tests could not be collected:\n{output.getvalue()}")
    return collector.items


def page(modules: Mapping[str, Row]) -> str:
    """Return the page's text."""
    parts = [
        _INTRODUCTION,
        "## What was tested where",
        "\n".join(f"* **{name}**: {what}" for name, what in PLACES.items()),
        _table(
            ("tests", "what they show", *PLACES),
            (
                (f"`{path.removeprefix('tests/')}`", row.what, *_ticks(row.places))
                for path, row in modules.items()
            ),
        ),
        "## Where the interpreters differ",
        _INTERPRETERS,
        _table(
            ("path", "what differs", "moto", "local AWS", "AWS"),
            _interpreters(),
        ),
        "## Where the local AWS's events differ from the documented ones",
        _EVENTS,
        _table(
            ("field", "the local AWS", "why it is harmless"),
            (
                (f"`{path}`", how, why)
                for path, (how, why) in test_emulator_events.DIFFERENCES.items()
            ),
        ),
        "## How close AWS's limits are",
        _LIMITS,
        _table(
            ("what", "AWS allows", "maximum here", "unit"),
            (
                (name, f"[{row.allowed:,}]({row.source})", f"{row.largest:,}", row.unit)
                for name, row in LIMITS.items()
            ),
        ),
        "## What only AWS can show",
        _LEFT,
        _table(
            ("what", "why it cannot be tested here", "how to check it on AWS"),
            ((row.what, row.why, row.how) for row in only_on_aws.ROWS),
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _interpreters() -> Iterator[Sequence[str]]:
    """Yield the differences, those that differ in nothing but the path in one row."""
    rows: dict[tuple[str, str, str, str], list[str]] = {}
    for d in differences.DIFFERENCES:
        aws = f"{d.aws} ([source]({d.source}))"
        cells = (d.field, _short(d.moto), _short(d.emulator), aws)
        rows.setdefault(cells, []).append(d.case)
    for cells, cases in rows.items():
        yield "; ".join(cases), *cells


def _ticks(places: Iterable[str]) -> list[str]:
    return ["x" if place in places else "" for place in PLACES]


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _short(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return str(value)


_INTRODUCTION = """\
<!-- Written by `make docs`: change the tests, not this file. -->

# What the tests prove and what they do not

The authors had no AWS account. So everything is tested against stand-ins. This page lists which
test uses which stand-in, where the stand-ins are known to differ from AWS, and what only AWS can
show. [A first hour on AWS](first-hour.md) is the check to run once on an account."""

_INTERPRETERS = """\
The same rendered definition runs on both interpreters, path by path
(`aws_contract/test_interpreters.py`): success, a file that is not a JPEG, an unknown type; each
function failing once, always, permanently, timing out once and always; Lambda itself failing three
times; both branches failing. Outcome, output, error, order of states and number of attempts are
those of the States Language specification, with these exceptions. A row that is no longer true
fails the tests."""

_EVENTS = """\
Each field and its type is compared with the payloads in `tests/support/events`
(`aws_contract/test_emulator_events.py`)."""

_LIMITS = """\
Calculated from Terraform's plans in five regions of three partitions, or measured
(`aws_contract/test_limits.py`), with the default variables and the longest keys."""

_LEFT = """\
No test in this repository can show the following."""


if __name__ == "__main__":
    sys.exit(generated.main({REPORT: page(rows(collect()))}))
