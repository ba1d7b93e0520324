"""Run the demonstration, or its live page: ``python -m scripts.demo [--images PATH | --page]``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.demo.display import Display
from scripts.demo.run import DIRECTORY, run, serve_page
from scripts.lib import user_errors
from scripts.lib.terminal import Console
from scripts.lib.user_errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status is 0 only if everything holds that the demonstration checks."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("--images", type=Path, help="a file or a folder to convert instead")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="where its files go")
    parser.add_argument("--workflow-type", choices=("STANDARD", "EXPRESS"), default="STANDARD")
    parser.add_argument("--page", action="store_true", help="only serve the live page of a stack")
    parser.add_argument("--port", type=int, help="of the page, on 127.0.0.1; default: a free one")
    options = parser.parse_args(arguments)
    display = Display(Console())
    user_errors.interrupt_on_signals()
    try:
        if options.page:
            serve_page(display, options.port)
            return 0
        return 0 if run(display, options.images, options.directory, options.workflow_type) else 1
    except (UserError, TimeoutError) as error:
        display.failed(str(error))
        return 1
    except KeyboardInterrupt:
        if not options.page:
            display.failed("Interrupted. Everything was stopped, and nothing was kept.")
        return user_errors.ExitStatus.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
