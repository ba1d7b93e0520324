"""The live page on a local AWS of its own: ``python -m scripts.demo.console``; ctrl-C ends both."""

import argparse
import sys
from collections.abc import Sequence

from scripts.console import serve
from scripts.demo.display import Display
from scripts.demo.run import apply
from scripts.lib import deployed, user_errors
from scripts.lib.aws import Clients
from scripts.lib.paths import BUILD, PACKAGE_LOCAL
from scripts.lib.terminal import Console
from scripts.lib.terraform_stack import Stack
from scripts.lib.user_errors import UserError
from scripts.local_aws import LocalAws, Options

DIRECTORY = BUILD / "console"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status is 0 if the page was served."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo.console", description=__doc__)
    parser.add_argument("--port", type=int, help="on 127.0.0.1; default: a free one")
    options = parser.parse_args(arguments)
    display = Display(Console())
    user_errors.interrupt_on_signals()
    try:
        _serve(display, options.port)
    except UserError as error:
        display.failed(str(error))
        return 1
    except KeyboardInterrupt:
        return user_errors.ExitStatus.INTERRUPTED
    return 0


def _serve(display: Display, port: int | None) -> None:
    display.step("Starting the local AWS")
    with LocalAws(DIRECTORY / "local-aws", Options(auth=True)) as aws:
        settings = {"force_destroy": True}
        stack = Stack(DIRECTORY / "stack", aws.env, package=PACKAGE_LOCAL, variables=settings)
        apply(display, stack)
        display.step("Serving the page until ctrl-C")
        clients = Clients(aws.env)
        serve(clients, deployed.find(clients, deployed.DEFAULT_NAME), port)


if __name__ == "__main__":
    sys.exit(main())
