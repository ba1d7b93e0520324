"""Keys reach a terminal as text: nothing in them is obeyed, whichever script prints them."""

import ast
import io
import unicodedata
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from rich.progress import Progress, TextColumn
from rich.table import Table

from scripts.demo.display import Display
from scripts.demo.verdict import Image
from scripts.lib import terminal, user_errors
from scripts.lib.terminal import Console, visible
from scripts.lib.user_errors import UserError
from tests.support.awkward_keys import SHOWN_AS_TEXT, TERMINAL_KEY

SCRIPTS = Path(terminal.__file__).parent

Capture = pytest.CaptureFixture[str]


def _check(printed: str) -> None:
    """Check that the hostile key stands in one line, and nothing in all that is printed obeyed."""
    assert SHOWN_AS_TEXT in printed
    obeyed = {c for c in printed if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")}
    assert obeyed <= {"\n"}
    assert not any(line.startswith("✓ forged") for line in printed.splitlines())


@pytest.fixture
def shown() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def display(shown: io.StringIO) -> Display:
    return Display(Console(file=shown, width=200))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b ü 写真 👩‍🚀 [red]a\\b.jpg", "a b ü 写真 👩‍🚀 [red]a\\b.jpg"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x00\t\r\n\x7f", r"\x00\t\r\n\x7f"),
        ("\x80\x9b31m\x9f", r"\x80\x9b31m\x9f"),  # sequences of one byte fewer
        ("\u2028\u2029", r"\u2028\u2029"),
        ("a\u202egpj.exe\u2066\u200f\u061c", r"a\u202egpj.exe\u2066\u200f\u061c"),
        ("\udcff", r"\udcff"),  # a file's name that is not UTF-8
    ],
)
def test_controls_are_written_out_and_all_else_stays(text: str, expected: str) -> None:
    assert visible(text) == expected
    assert visible(expected) == expected


def test_lines_are_kept_where_asked() -> None:
    assert visible("a\nb\x1b", keep="\n") == "a\nb\\x1b"


@pytest.mark.parametrize("terminal_", [False, True])
def test_console_lets_no_sequence_but_its_own_through(terminal_: bool, shown: io.StringIO) -> None:
    console = Console(
        file=shown,
        force_terminal=terminal_,
        width=200,
        color_system="truecolor" if terminal_ else None,
    )
    table = Table("\x1bcolumn")
    table.add_row("\x1b]0;cell\x07")

    console.print("\x1b]0;plain", style="bold", highlight=False)
    console.print(table)
    with Progress(TextColumn("{task.description}"), console=console) as bars:
        bars.add_task("\x1b]0;task")
        console.print("\x9b2J")

    printed = shown.getvalue()
    assert "\x1b]" not in printed
    assert "\x9b" not in printed
    assert "\x1bcolumn" not in printed
    for text in (r"\x1b]0;plain", r"\x1bcol", r"│ \x1b]0;", r"\x9b2J"):
        assert text in printed
    assert ("\x1b[1m" in printed) is terminal_  # its own bold


def test_a_line_stays_one_line_and_has_no_markup(shown: io.StringIO) -> None:
    console = Console(file=shown, width=10)
    console.print_line("[red]a\nb ", end="")
    console.print_line("x" * 20 + "\x1b[2J")

    assert shown.getvalue() == rf"[red]a\nb {'x' * 20}\x1b[2J" + "\n"


def test_what_goes_wrong_is_text(capsys: Capture) -> None:
    def fail() -> int:
        raise UserError(f"There is no image {visible(TERMINAL_KEY)}.")

    def refuse() -> int:
        answer = {"Error": {"Code": "NoSuchKey", "Message": f"no {TERMINAL_KEY.strip()}"}}
        raise ClientError(answer, "GetObject")  # type: ignore[arg-type]

    assert user_errors.run(fail) == 1
    _check(capsys.readouterr().err)
    assert user_errors.run(refuse) == 1
    assert "\x1b" not in capsys.readouterr().err


def test_demonstration_and_smoke_show_text(display: Display, shown: io.StringIO) -> None:
    image = Image(TERMINAL_KEY, b"", "v")
    for show in (display.step, display.say, lambda promise: display.verdict(promise, [])):
        show(f"about {TERMINAL_KEY}")
        _check(shown.getvalue())
        shown.truncate(shown.seek(0))
    for show_all in (display.outcomes, display.times):
        show_all([image])
        _check(shown.getvalue())
        shown.truncate(shown.seek(0))
    display.verdict("nothing is lost", [f"{TERMINAL_KEY} is lost"])
    _check(shown.getvalue())


def test_every_console_is_the_one_that_writes_text() -> None:
    """What a command prints that no test here runs: cost and so on."""
    before_any_aws = {SCRIPTS / "package" / "__main__.py"}
    for source in SCRIPTS.rglob("*.py"):
        if source.name == "terminal.py":
            continue
        tree = ast.parse(source.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module == "rich.console":
                assert "Console" not in [alias.name for alias in node.names], source
            if isinstance(node, ast.ImportFrom | ast.Import):
                assert "rich" not in [alias.name for alias in node.names], source
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "print":
                names = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
                assert "error" not in names or source in before_any_aws, f"{source}:{node.lineno}"
