"""Serve the live page: ``python -m scripts.console [--local]``; ctrl-C stops it.

With `--local`, a local AWS is started and the stack applied to it; both end with the page.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from scripts.console.server import serve
from scripts.demo.display import Display
from scripts.lib import deployed, terminal, user_errors
from scripts.lib.aws import Clients
from scripts.lib.paths import BUILD, PACKAGE_LOCAL
from scripts.lib.terminal import Console
from scripts.lib.terraform_cli import TerraformError
from scripts.lib.terraform_stack import Stack
from scripts.local_aws import LocalAws, LocalAwsError, Options

DIRECTORY = BUILD / "console"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; ctrl-C is the way to leave, and no failure."""
    parser = argparse.ArgumentParser(prog="python -m scripts.console", description=__doc__)
    parser.add_argument("--name", default=deployed.name(), help="the stack's name")
    parser.add_argument("--port", type=int, help="on 127.0.0.1; default: a free one")
    parser.add_argument("--local", action="store_true", help="on a local AWS of its own")
    options = parser.parse_args(arguments)
    if options.local:
        user_errors.interrupt_on_signals()
        return user_errors.run(lambda: serve_local(options.port))
    return user_errors.run(lambda: _serve(options))


def _serve(options: argparse.Namespace) -> int:
    clients = deployed.connect()
    serve(clients, deployed.find(clients, options.name), options.port)
    return 0


def serve_local(port: int | None = None) -> int:
    """Start a local AWS, apply the stack, serve its page, and end all of them with it."""
    display = Display(Console())
    try:
        with LocalAws(DIRECTORY / "local-aws", Options(auth=True)) as aws:
            stack = Stack(
                DIRECTORY / "stack",
                aws.env,
                package=PACKAGE_LOCAL,
                variables={"force_destroy": True},
            )
            display.step("Applying the stack on a local AWS (mostly waits of the provider)")
            stack.init()
            with display.terraform() as report:
                stack.apply(report)
            clients = Clients(aws.env)
            serve(clients, deployed.find(clients, deployed.DEFAULT_NAME), port)
    except (LocalAwsError, TerraformError) as error:
        terminal.say(str(error), sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
