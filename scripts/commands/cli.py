"""The command line, `image-converter`; also ``python -m scripts.commands.cli``.

A command's module is loaded when the command is run, so that one does not wait for what another
needs, and completion in a shell stays quick.
"""

import importlib
import sys
from collections.abc import Sequence
from typing import Final

import click

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib import terminal, user_errors
from scripts.lib.user_errors import ExitStatus

# In the order of `image-converter --help`, each with the first line of its own help.
_COMMANDS: Final = {
    "upload": "Upload files to the source bucket.",
    "status": "Show what happened to an image, and where it is.",
    "watch": "Follow the executions as they run.",
    "console": "Serve a page about the stack on 127.0.0.1, until ctrl-C.",
    "report": "Write pages about executions.",
    "start": "Start an execution for an image in the source bucket.",
    "redrive": "Retry what failed, and what no execution has handled.",
    "backfill": "Convert images that are already in the source bucket.",
    "reprocess": "Make outdated renditions again.",
    "cost": "Calculate what a million images cost on AWS.",
    "local": "Start and stop a local AWS.",
    "destroy": "Destroy the stack, unless a bucket still holds images.",
    "deployer-policy": "Print the policy of the role that deploys the stack.",
}

_EXIT_STATUSES = """\b
Exit statuses:
  0  done
  1  AWS refused something, or what was asked for is not there
  2  the command line is wrong
  3  no credentials, no region, no answer, or no stack of that name
  4  an image failed, or will not be handled
  5  not all images were handled in time
  130  interrupted

\b
Completion, for bash (likewise for zsh and fish):
  eval "$(_IMAGE_CONVERTER_COMPLETE=bash_source image-converter)"
"""


class _Commands(click.Group):
    """Knows the commands by their first lines, and loads one from the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if name:
            module = importlib.import_module(f"scripts.commands.{name.replace('-', '_')}")
            command = module.command
        return name, command, rest


@click.command(
    cls=_Commands,
    commands=[click.Command(name, short_help=line) for name, line in _COMMANDS.items()],
    epilog=_EXIT_STATUSES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@options.of_a_stack
def cli(_target: Target) -> None:
    """Work with a stack of image-converter, on AWS or on a local AWS.

    The stack is found by its name, with the credentials, region and endpoint that the AWS CLI would
    use. All commands work in any folder.
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, by default the process's; return its exit status."""
    target = Target()
    return user_errors.run(lambda: _invoke(arguments, target), lambda: target.env)


def _invoke(arguments: Sequence[str] | None, target: Target) -> int:
    try:
        status = cli.main(arguments, "image-converter", standalone_mode=False, obj=target)
    except click.UsageError as error:
        usage = error.ctx.get_usage() if error.ctx else ""
        terminal.say(f"{usage}\n\n{error.format_message()}".lstrip(), sys.stderr)
        return ExitStatus.USAGE
    except click.Abort as error:
        raise KeyboardInterrupt from error
    return int(status or 0)


def main() -> None:
    """Run the process's command line, and exit."""
    sys.exit(run())


if __name__ == "__main__":
    main()
