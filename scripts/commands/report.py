"""Write the report of executions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import asl, terminal
from scripts.lib.executions import collect, invocations
from scripts.lib.executions import history as histories
from scripts.lib.executions.history import HistoryError
from scripts.lib.executions.logged import Progress
from scripts.lib.executions.run import Run
from scripts.lib.terminal import visible
from scripts.lib.user_errors import ExitStatus, UserError
from scripts.report import pages

DIRECTORY = Path("build/report")
_NEWEST = 50
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("report")
@click.argument("arns", nargs=-1, metavar="[EXECUTION_ARN]...")
@click.option("--newest", default=_NEWEST, show_default=True, type=click.IntRange(min=1))
@click.option("--history", multiple=True, type=_FILE, help="A recorded history; needs no AWS.")
@click.option("--definition", type=_FILE, help="The state machine of --history.")
@click.option(
    "--out", default=DIRECTORY, show_default=True, type=click.Path(file_okay=False, path_type=Path)
)
@options.as_json
@options.of_a_stack
def command(
    target: Target,
    arns: Sequence[str],
    newest: int,
    history: Sequence[Path],
    definition: Path | None,
    out: Path,
    *,
    as_json: bool,
) -> int:
    """Write pages about executions.

    They are about the newest ones by default. A history is a file as `aws stepfunctions
    get-execution-history` prints it.
    """
    if history:
        runs = [_recorded(path, definition) for path in history]
    else:
        with options.progress(options.console(as_json=as_json)) as progress:
            runs = (
                collect.runs(target.clients(), arns) if arns else _newest(target, newest, progress)
            )
    page = pages.write(runs, out, target.stack_name)
    if as_json:
        fields = ("arn", "key", "status", "kind", "sentence")
        executions = [{name: getattr(run.execution, name) for name in fields} for run in runs]
        options.print_json({"page": str(page), "executions": executions})
        return ExitStatus.DONE
    for note in dict.fromkeys(run.execution.not_logged for run in runs):
        if note:
            terminal.say(note)
    if len(runs) == 1:
        only = runs[0].execution
        terminal.say(visible(f"{only.key}: {only.kind}. {only.sentence}"))
    terminal.say(f"The report is in {page}")
    return ExitStatus.DONE


def _newest(target: Target, newest: int, progress: Progress) -> list[Run]:
    clients, stack = target.find()
    source = collect.source(clients, stack, progress=progress)
    arns = [listed["executionArn"] for listed in source.listed(most=newest)]
    if not arns:
        raise UserError(
            stack.not_logged
            or f"{stack.name} has not run yet. `image-converter upload photo.jpg` uploads an image."
        )
    return collect.runs(clients, arns, source)


def _recorded(path: Path, definition: Path | None) -> Run:
    try:
        recorded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        asl_text = definition.read_text(encoding="utf-8") if definition else None
        states = json.loads(asl_text) if asl_text else recorded.get("definition") or _own()
        arn = recorded.get("executionArn") or f"recorded:{path.stem}"
        execution = histories.read(arn, recorded["events"], states)
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
