"""Serve a page about the stack on this machine."""

import importlib

import click

from scripts.commands import options
from scripts.commands.options import Target
from scripts.lib.user_errors import ExitStatus, UserError


@click.command("console")
@click.option("--port", type=click.IntRange(1, 65535), help="Default: any free one.")
@options.of_a_stack
def command(target: Target, port: int | None) -> int:
    """Serve a page about the stack on 127.0.0.1, until ctrl-C.

    Drop photographs on it, and watch each become a PNG. Whoever has the printed address acts with
    your credentials, so do not share it.
    """
    clients, stack = target.find()
    try:
        # By its name: it uses these commands' library, and must not be loaded with every command.
        page = importlib.import_module("scripts.console")
    except ModuleNotFoundError as error:
        raise UserError(f"The page is not installed: {error}.") from error
    page.serve(clients, stack, port)
    return ExitStatus.DONE
