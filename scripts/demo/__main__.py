"""Run the demonstration: ``python -m scripts.demo [--images PATH]``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.demo.display import Display
from scripts.demo.run import DIRECTORY, run
from scripts.lib import user_errors
from scripts.lib.terminal import Console
from scripts.lib.user_errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status is 0 only if everything holds that the demonstration checks."""
    parser = argparse.ArgumentParser(prog="python -m scripts.demo", description=__doc__)
    parser.add_argument("--images", type=Path, help="a file or a folder to convert instead")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="where its files go")
    parser.add_argument("--workflow-type", choices=("STANDARD", "EXPRESS"), default="STANDARD")
    options = parser.parse_args(arguments)
    display = Display(Console())
    user_errors.interrupt_on_signals()
    try:
        return 0 if run(display, options.images, options.directory, options.workflow_type) else 1
    except (UserError, TimeoutError) as error:
        display.failed(str(error))
        return 1
    except KeyboardInterrupt:
        display.failed("Interrupted. Everything was stopped, and nothing was kept.")
        return user_errors.ExitStatus.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
