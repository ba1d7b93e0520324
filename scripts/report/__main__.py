"""Write the report of executions: ``python -m scripts.report [ARN...]``.

Without ARNs it reports on the newest executions of the stack. `--history` reads a recorded history
instead, as `aws stepfunctions get-execution-history` prints it, without any AWS.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.lib import asl, deployed, terminal, user_errors
from scripts.lib.aws import Clients
from scripts.lib.executions import collect, history, invocations
from scripts.lib.executions.history import HistoryError
from scripts.lib.executions.run import Run
from scripts.lib.terminal import visible
from scripts.lib.user_errors import UserError
from scripts.report import pages

DIRECTORY = Path("build/report")
_NEWEST = 50


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0 if the report is written."""
    options = _parser().parse_args(arguments)
    return user_errors.run(lambda: _report(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.report", description=__doc__)
    parser.add_argument("arns", nargs="*", metavar="ARN", help="executions")
    parser.add_argument("--name", default=deployed.name(), help="the stack's name")
    parser.add_argument("--newest", type=int, default=_NEWEST, help=f"default: {_NEWEST}")
    parser.add_argument("--history", type=Path, action="append", help="a file with a history")
    parser.add_argument("--definition", type=Path, help="the state machine of --history")
    parser.add_argument("--out", type=Path, default=DIRECTORY, help=f"default: {DIRECTORY}")
    return parser


def _report(options: argparse.Namespace) -> int:
    if options.history:
        runs = [_recorded(path, options.definition) for path in options.history]
    else:
        clients = deployed.connect()
        runs = collect.runs(clients, options.arns or _newest(clients, options))
    target = pages.write(runs, options.out, options.name)
    if len(runs) == 1:
        only = runs[0].execution
        terminal.say(visible(f"{only.key}: {only.kind}. {only.sentence}"))
    terminal.say(f"The report is in {target}")
    return 0


def _newest(clients: Clients, options: argparse.Namespace) -> list[str]:
    stack = deployed.find(clients, options.name)
    if stack.express:
        raise UserError(
            f"{stack.name} is an EXPRESS state machine, and AWS keeps no list of EXPRESS "
            "executions. Its log group contains their events; `make status IMAGE=...` shows what "
            "happened to an image."
        )
    listed = collect.listed(clients, stack.state_machine_arn, most=options.newest)
    found = [one["executionArn"] for one in listed]
    if not found:
        raise UserError(
            f"{stack.name} has not run yet. `make upload FILES=photo.jpg` uploads an image."
        )
    return found


def _recorded(path: Path, definition: Path | None) -> Run:
    try:
        recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        asl_text = definition.read_text(encoding="utf-8") if definition else None
        states = json.loads(asl_text) if asl_text else recorded.get("definition") or _own()
        arn = recorded.get("executionArn") or f"recorded:{path.stem}"
        execution = history.read(arn, recorded["events"], states)
    except (ValueError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path} is not a history as printed by `aws stepfunctions get-execution-history`: "
            f"{error}"
        ) from error
    except HistoryError as error:
        raise UserError(f"{path}: {error}") from error
    note = "This is a recorded history: images, logs and the record are not included."
    return Run(execution, invocations=invocations.estimate(execution), notes=[note])


def _own() -> dict[str, Any]:
    """Return this project's definition; what stands in its holes does not matter here."""
    template = asl.template()
    own: dict[str, Any] = json.loads(
        asl.render(template, dict.fromkeys(asl.placeholders(template), 1))
    )
    return own


if __name__ == "__main__":
    sys.exit(main())
